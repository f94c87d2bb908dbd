"""HTML pages from templates/, and their pictures. A page is self-contained: pictures, styles and scripts are inside."""

import base64
import io
import os
from functools import lru_cache
from typing import Any

import numpy as np

from digitlab.files import atomic_write

Array = np.ndarray[Any, Any]
RED, WHITE, BLUE = np.array([178, 24, 43]), np.array([255, 255, 255]), np.array([33, 102, 172])


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


def render(template: str, title: str = "", *, local_pictures: bool = False, **values: Any) -> str:
    """A page of templates/ with these values, escaped in HTML; `local_pictures`: it may show files in its folder."""
    return str(_environment().get_template(template).render(title=title, local_pictures=local_pictures, **values))


def png_bytes(picture: Array, *, scale: int = 1) -> bytes:
    """uint8 pixels (H, W) or (H, W, 3) as a PNG, each pixel `scale` wide; grey ones are drawn dark on white."""
    from PIL import Image

    pixels = picture if picture.ndim == 3 else 255 - picture
    image = Image.fromarray(np.kron(pixels, np.ones((scale, scale, *[1] * (picture.ndim - 2)), np.uint8)))
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def data_uri(data: bytes, kind: str = "image/png") -> str:
    """A picture's bytes as a data URI."""
    return f"data:{kind};base64," + base64.b64encode(data).decode("ascii")


def as_bytes(picture: Array) -> Array:
    """Numbers of any range as pixels: the smallest becomes 0, the largest 255."""
    low, high = float(picture.min()), float(picture.max())
    return np.round((picture - low) / ((high - low) or 1.0) * 255).astype(np.uint8)


def signed_pixels(values: Array, limit: float | None = None) -> Array:
    """Numbers (H, W) as uint8 (H, W, 3), from blue (−limit) over white (0) to red; the limit is the largest of them."""
    limit = limit or float(np.abs(values).max()) or 1.0
    share = np.clip(np.asarray(values, np.float64) / limit, -1, 1)[..., None]  # (H, W, 1)
    ends = np.where(share > 0, RED, BLUE)
    pixels: Array = np.round(WHITE + np.abs(share) * (ends - WHITE)).astype(np.uint8)
    return pixels


def write_picture(path: str | os.PathLike[str], picture: Array, *, scale: int = 10) -> None:
    """Write a picture of any range as an enlarged PNG, atomically: red and blue if it has numbers below 0."""
    pixels = signed_pixels(picture) if picture.min() < 0 else as_bytes(picture)
    with atomic_write(path) as temporary:
        temporary.write_bytes(png_bytes(pixels, scale=scale))
