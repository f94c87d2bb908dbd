"""Pages of HTML from templates/, and their pictures.

A page needs nothing but itself: pictures are inside as data, styles and scripts come from nowhere else.
"""

import base64
import io
import os
from functools import lru_cache
from typing import Any

import numpy as np

from digitlab.files import atomic_write

Array = np.ndarray[Any, Any]


@lru_cache
def _environment() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    return Environment(
        loader=PackageLoader("digitlab.viz"),
        autoescape=select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )


def render(template: str, title: str, *, local_pictures: bool = False, **values: Any) -> str:
    """A page of templates/ with these values, escaped in HTML; `local_pictures`: it may show files beside it."""
    return str(_environment().get_template(template).render(title=title, local_pictures=local_pictures, **values))


def png_bytes(picture: Array, *, scale: int = 1) -> bytes:
    """uint8 pixels (H, W) or (H, W, 3) as a PNG; grey ones with ink dark on white, each pixel `scale` wide."""
    from PIL import Image

    pixels = picture if picture.ndim == 3 else 255 - picture
    image = Image.fromarray(np.ascontiguousarray(pixels))
    if scale > 1:
        image = image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def data_uri(data: bytes, kind: str = "image/png") -> str:
    """A picture's bytes as the address of itself."""
    return f"data:{kind};base64," + base64.b64encode(data).decode("ascii")


def as_bytes(picture: Array) -> Array:
    """Numbers of any range as pixels, the least 0 and the largest 255."""
    low, high = float(picture.min()), float(picture.max())
    return np.round((picture - low) / ((high - low) or 1.0) * 255).astype(np.uint8)


def write_picture(path: str | os.PathLike[str], picture: Array, *, scale: int = 10) -> None:
    """A picture of any range as a PNG by itself, enlarged, beside and renamed."""
    with atomic_write(path) as temporary:
        temporary.write_bytes(png_bytes(as_bytes(picture), scale=scale))
