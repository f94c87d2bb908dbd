"""A picture file as an array, whoever made the file: checked before it is decoded, turned upright, made flat.

A picture of a few kilobytes can promise a hundred gigabytes of pixels. So the first bytes say what the file really
is, whatever its name; the header says how large the picture is; and only then are pixels decoded.
"""

import math
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from digitlab.arguments import checked
from digitlab.errors import DataError, in_brief
from digitlab.files import require_file

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

Photo = NDArray[np.uint8]  # (H, W, 3)

MAX_FILE_BYTES = 200 << 20
MAX_PIXELS = 110_000_000  # a telephone's largest pictures have 108 million
MAX_DECODED = 50_000_000  # where the decoder cannot shrink while it decodes, as JPEG's can
MAX_WEBP = 30_000_000  # whose decoder holds the picture five times
MAX_SCANS = 100  # of a progressive JPEG, which is decoded once for each; cameras and programs write up to 15
ROWS = 500  # of a picture of more than eight bits at once
LONG_SIDE = 2000  # pixels a picture is worked on with: a page of A4 at 170 dots an inch
SHAPE_LIMIT = 60  # a side may be this many times the other

JPEG = ("JPEG", "MPO")  # MPO: a JPEG with further pictures behind it (depth, gain map), as telephones write it
READ = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM")

# Files that are no pictures, by their first bytes. (kinds.py names more kinds, without the way to export them.)
_OTHERS = {
    b"%PDF": "a PDF document; export the page as PNG",
    b"%!PS": "a PostScript program; export it as PNG",
    b"\xc5\xd0\xd3\xc6": "an EPS program; export it as PNG",
    b"<": "text with markup (SVG or a web page); export the drawing as PNG",
    b"\xef\xbb\xbf<": "text with markup (SVG or a web page); export the drawing as PNG",
    b"\x1f\x8b": "a gzip file; unpack it first",
    b"PK\x03\x04": "a zip archive; unpack it first",
    b"8BPS": "a Photoshop file; export it as PNG",
    b"\x00\x00\x01\x00": "an icon; save it as PNG",
}
_KIND = "expected a JPEG, PNG, WebP, TIFF, BMP or GIF picture"


@checked
def open_photo(path: str | os.PathLike[str], *, long_side: int = LONG_SIDE) -> Photo:
    """The picture in a file as uint8 (H, W, 3): upright, on paper where it was transparent, at most `long_side` long.

    The EXIF orientation is applied. Transparent parts become white, or black if what is drawn there is light.
    Sixteen-bit and palette pictures become eight-bit RGB. Larger pictures are averaged down.

    Raises DataError, before any pixel is decoded, for files that are no picture whatever their name says, for more
    than 110 million pixels (50 million where the format must be decoded whole, 30 of WebP), for animations and for
    several pages; and for pictures that are cut off or damaged.
    """
    file = require_file(path)
    if file.stat().st_size > MAX_FILE_BYTES:
        size = file.stat().st_size
        raise DataError(f"{file}: has {size:,} bytes, expected a picture of at most {MAX_FILE_BYTES:,}.")
    with file.open("rb") as content:
        head = content.read(64)
    if what := _other_kind(head):
        raise DataError(f"{file}: is {what}; {_KIND}.")

    from PIL import Image, UnidentifiedImageError

    # Pillow's plug-ins raise almost anything on a hostile file; for us each of them means "damaged".
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the limits below are errors
        try:
            with Image.open(file, formats=READ) as picture:
                _check_size(picture, file)
                _check_alone(picture, file)
                if picture.format in JPEG:
                    _check_scans(file)
                    picture.draft("RGB", (long_side, long_side))  # decodes at ½, ¼ or ⅛, which saves the memory
                return _flat(picture, long_side)
        except DataError:
            raise
        except UnidentifiedImageError:
            raise DataError(f"{file}: is not a readable picture; {_KIND}.") from None
        except Image.DecompressionBombError:
            raise DataError(f"{file}: declares too many pixels; expected at most {MAX_PIXELS:,}.") from None
        except Exception as error:
            raise DataError(f"{file}: the picture is cut off or damaged ({in_brief(error)}). Save it again.") from error


def _other_kind(head: bytes) -> str | None:
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"mif1", b"hevc", b"avif"):
        return "a HEIF or AVIF picture; export it as JPEG"
    head = head.lstrip(b" \t\r\n")
    return next((what for start, what in _OTHERS.items() if head.startswith(start)), None)


def _check_size(picture: "PillowImage", file: Any) -> None:
    width, height = picture.size
    if not width or not height:
        raise DataError(f"{file}: the picture is {width}×{height} pixels, expected at least one.")
    limit = {"WEBP": MAX_WEBP}.get(picture.format or "", MAX_DECODED)
    if picture.format in JPEG:  # a progressive one is held whole, two bytes for each of its channels
        limit = MAX_PIXELS * 3 // 4 if picture.mode == "CMYK" else MAX_PIXELS
    if width * height > limit:
        raise DataError(
            f"{file}: the picture is {width:,}×{height:,} pixels, expected at most {limit:,} in all. "
            "Save it smaller, or only the part with the digits."
        )
    if max(width, height) > SHAPE_LIMIT * min(width, height):
        raise DataError(f"{file}: the picture is {width:,}×{height:,} pixels; expected one less long and thin.")


def _check_scans(file: Path) -> None:
    """Count the scans of a JPEG by their markers, FF DA, which the compressed data cannot contain."""
    with file.open("rb") as content:
        scans, last = 0, b""
        while part := content.read(1 << 20):
            scans += (last + part).count(b"\xff\xda")
            last = part[-1:]
    if scans > MAX_SCANS:
        raise DataError(
            f"{file}: the picture has {scans:,} scans, expected at most {MAX_SCANS}. Save it again as JPEG."
        )


def _check_alone(picture: "PillowImage", file: Any) -> None:
    if picture.format not in JPEG and getattr(picture, "is_animated", False):
        what = "has several pages" if picture.format == "TIFF" else "is an animation"
        raise DataError(f"{file}: {what}, expected one picture. Save the page or frame that you mean.")


def _flat(picture: "PillowImage", long_side: int) -> Photo:
    """Decode, shrink, turn upright, and lay on paper."""
    from PIL import Image, ImageOps

    turn = _TURNS.get(picture.getexif().get(0x0112, 1))
    if picture.mode.startswith(("I", "F")):
        picture = Image.fromarray(_eight_bits(picture))
    transparent = picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info
    mode = "RGBA" if transparent else "RGB"
    shown = picture if picture.mode == mode else picture.convert(mode)
    if max(shown.size) > long_side:
        shown = ImageOps.contain(shown, (long_side, long_side), Image.Resampling.BOX)
    if turn is not None:
        shown = shown.transpose(turn)
    pixels = np.asarray(shown, dtype=np.uint8)
    return on_paper(pixels) if transparent else np.ascontiguousarray(pixels)


def _eight_bits(picture: "PillowImage") -> NDArray[np.uint8]:
    """A grey picture of 16 or 32 bits a pixel as bytes (H, W); by rows, since floats take four times the memory."""
    picture = picture.convert("I") if picture.mode.startswith("I;") else picture
    width, height = picture.size
    scale = 255 / _white(float(np.max(picture.getextrema())), picture.mode)
    grey = np.empty((height, width), np.uint8)
    for top in range(0, height, ROWS):
        rows = np.asarray(picture.crop((0, top, width, min(top + ROWS, height))), dtype=np.float32)
        grey[top : top + ROWS] = np.clip(rows * scale, 0, 255)
    return grey


def _white(largest: float, mode: str) -> float:
    """The value that stands for white in a grey picture of more than 8 bits: of whole numbers, or of 0 … 1."""
    if mode.startswith("F") and largest <= 1:
        return 1.0
    return 65535.0 if mode.startswith("I") and largest > 255 else max(255.0, largest)


# EXIF's orientation to Pillow's transposition (values of PIL.Image.Transpose): Exif 2.32, tag 0x0112.
# ImageOps.exif_transpose also writes the EXIF data again, and fails where a camera left them damaged.
_TURNS: dict[int, Any] = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}


def on_paper(values: NDArray[np.uint8]) -> Photo:
    """RGBA (H, W, 4) laid on white; on black if what is drawn is light, since it would vanish on white."""
    colour, alpha = values[..., :3].astype(np.float32), values[..., 3:].astype(np.float32) / 255
    weight = float(alpha.sum())
    mean = float((colour.mean(axis=2, keepdims=True) * alpha).sum()) / weight if weight else 0.0
    paper = 0.0 if mean > 160 and weight < 0.98 * math.prod(alpha.shape) else 255.0
    return np.round(colour * alpha + paper * (1 - alpha)).astype(np.uint8)
