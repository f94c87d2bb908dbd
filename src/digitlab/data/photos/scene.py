"""Whether a picture is of things rather than of writing: in a scene, much is neither ink nor paper."""

from digitlab.data.photos.ink import Ink

MUCH = 0.15  # of the picture, ink of a scene at least
BETWEEN = 0.2, 0.6  # of full ink, what is neither ink nor paper; around strokes there is some, too
MOST = 0.03  # of the picture, such pixels away from the edges of ink, in writing
EDGE = 2  # pixels of the photo that was given, the soft edge of a stroke


def is_scene(ink: Ink, zoom: float = 1.0) -> bool:
    """Whether there is more ink and more between ink and paper than in a photo of writing; `zoom` as of a Page.

    Of the pictures that digitlab draws, only some crops cut to their ink, in uneven light, are above both limits.
    """
    from scipy import ndimage

    if ink.binary.mean() <= MUCH:
        return False
    size = 2 * max(EDGE, round(EDGE * zoom)) + 1
    edges = ndimage.maximum_filter(ink.binary, size) & ~ndimage.minimum_filter(ink.binary, size)
    low, high = BETWEEN
    between = (ink.flat > low * ink.strength) & (ink.flat < high * ink.strength)
    return float((between & ~edges).mean()) > MOST
