"""Pages of HTML that need nothing but themselves: pictures inside as data, no script or style from elsewhere."""

import base64
import io
import os
from html import escape
from typing import Any

import numpy as np

from digitlab.figure import as_png
from digitlab.files import atomic_write

Array = np.ndarray[Any, Any]

# A page may use what stands in it and nothing else: no request leaves the reader's machine.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"

STYLE = """
:root { color-scheme: light dark; --line: #8888; --strong: #0072B2; --warm: #D55E00; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 1.5rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
img { max-width: 100%; height: auto; background: #fff; }
code, pre, .numbers { font-family: ui-monospace, monospace; font-size: .85rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .3rem 0; }
table { border-collapse: collapse; } th, td { text-align: left; padding: .2rem .6rem; vertical-align: top; }
tr + tr td, tr + tr th { border-top: 1px solid var(--line); }
.pixels { image-rendering: pixelated; }
"""


def page(title: str, body: str, *, style: str = "", script: str = "", local_pictures: bool = False) -> str:
    """A whole page; `title` is escaped here, `body` is HTML already. It may show files beside it if so allowed."""
    policy = POLICY.replace("img-src data:", "img-src data: 'self' file:") if local_pictures else POLICY
    code = f'<script type="module">{script}</script>' if script else ""
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}{style}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{escape(title)}</h1>\n{body}\n</main>\n{code}\n</body>\n</html>\n"
    )


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


def data_uri(png: bytes) -> str:
    """A PNG as the address of itself."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def figure_uri(figure: Any, *, dpi: int = 100) -> str:
    """A matplotlib figure as the address of itself."""
    return data_uri(as_png(figure, dpi=dpi))


def as_bytes(picture: Array) -> Array:
    """Numbers of any range as pixels, the least 0 and the largest 255."""
    low, high = float(picture.min()), float(picture.max())
    return np.round((picture - low) / ((high - low) or 1.0) * 255).astype(np.uint8)


def write_picture(path: str | os.PathLike[str], picture: Array, *, scale: int = 10) -> None:
    """A picture of any range as a PNG by itself, enlarged, beside and renamed."""
    with atomic_write(path) as temporary:
        temporary.write_bytes(png_bytes(as_bytes(picture), scale=scale))
