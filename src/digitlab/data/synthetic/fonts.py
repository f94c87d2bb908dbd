"""Printed characters, in the fonts that come with matplotlib."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=64)
def _font(name: str, size: int) -> Any:
    import matplotlib
    from PIL import ImageFont

    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"), size)


def print_character(text: str, font: str, size: int = 64) -> NDArray[np.uint8]:
    """`text` as ink (H, W), 255 where there is ink, with a small margin; `size` is the nominal size of the font."""
    from PIL import Image, ImageDraw

    face = _font(font, size)
    left, top, right, bottom = face.getbbox(text)
    canvas = Image.new("L", (int(right - left) + 4, int(bottom - top) + 4))
    ImageDraw.Draw(canvas).text((2 - left, 2 - top), text, font=face, fill=255)
    return np.asarray(canvas)
