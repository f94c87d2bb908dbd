"""The pictures of `digitlab read --show`: in the photo's coordinates, on few axes, averaged to what can be seen."""

import numpy as np
from numpy.testing import assert_array_equal

from digitlab.viz.reading import annotated_figure, stages_figure

PHOTO = np.full((1500, 2000, 3), 200, np.uint8)
BOXES, TEXTS, READ = [(400, 300, 500, 460), (1200, 900, 1240, 1100)], ["5 98%", "no"], [True, False]


def test_a_large_photo_is_drawn_smaller_in_its_own_coordinates():
    figure = annotated_figure(PHOTO, BOXES, TEXTS, READ, title="a photo")
    (axes,) = figure.axes
    (image,) = axes.get_images()
    assert image.get_array().shape[:2] == (1500, 2000), "8 inches of 200 pixels hold it"
    large = np.zeros((3000, 4000), bool)
    large[:, 2000:] = True
    (axes,) = annotated_figure(large, BOXES, TEXTS, READ, title="").axes
    (image,) = axes.get_images()
    assert image.get_array().shape == (1500, 2000)
    assert image.get_extent() == [-0.5, 3999.5, 2999.5, -0.5]
    assert_array_equal(np.unique(image.get_array()), [0, 255])
    assert [patch.get_xy() for patch in axes.patches] == [(400, 300), (1200, 900)]
    assert [text.get_text() for text in axes.texts] == TEXTS


def test_hundreds_of_images_share_their_axes():
    images = np.arange(40, dtype=np.uint8)[:, None, None] * np.ones((28, 28), np.uint8)
    texts = [f"{at % 10} 99%" for at in range(40)]
    stages = [("photo", PHOTO), ("binary", PHOTO[..., 0] > 100)]
    figure = stages_figure(stages, [(0, 0, 9, 9)] * 40, texts, [True] * 40, images, title="all")
    assert len(figure.axes) == 4, "two stages, the boxes, and the images"
    below = figure.axes[-1]
    assert [int(image.get_array()[0, 0]) for image in below.get_images()] == list(range(40))
    assert [text.get_text() for text in below.texts] == texts
    places = [(round(image.get_extent()[0] - 0.05), image.get_extent()[2]) for image in below.get_images()]
    assert places[15][0] == 15 and places[16][0] == 0 and places[16][1] > places[15][1], "16 in a row"
