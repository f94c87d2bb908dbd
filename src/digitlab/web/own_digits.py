"""Own handwriting, collected in the page: NAME/LABEL/NUMBER.png, a folder that `--data` reads."""

import base64
import binascii
import io
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from digitlab.errors import ConfigError
from digitlab.files import atomic_write

OWN = Path("own-digits")
SIDE = 28
MOST = 2000  # images of a set


class OwnDigits:
    """The sets of own digits in a folder. Names are letters, digits, _ and -: no name leads out of the folder."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def folder(self, name: Any, *, there: bool = False) -> Path:
        """The folder of a set. Raises ConfigError for a name that is none, or `there` for a set that is not there."""
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name):
            raise ConfigError(f"got the name {name!r}, expected 1 to 40 letters, digits, _ or -")
        folder = self.place / name
        if there and not folder.is_dir():
            raise ConfigError(f"there are no own digits called {name!r}")
        return folder

    def sets(self) -> list[dict[str, Any]]:
        """Every set with the number of its images."""
        folders = sorted(path for path in self.place.glob("*") if path.is_dir())
        return [{"name": path.name, "count": len(list(path.glob("[0-9]/*.png")))} for path in folders]

    def images(self, name: Any) -> list[dict[str, Any]]:
        """The images of a set with their labels and names."""
        folder = self.folder(name, there=True)
        return [
            {"file": f"{path.parent.name}/{path.name}", "label": int(path.parent.name), "pixels": encoded(path)}
            for path in sorted(folder.glob("[0-9]/*.png"))[:MOST]
        ]

    def add(self, name: Any, label: Any, pixels: Any) -> dict[str, Any]:
        """Save an image of 28×28 bytes, 255 for ink, as a picture: dark ink on white paper."""
        folder = self.folder(name)
        if not isinstance(label, int) or isinstance(label, bool) or not 0 <= label <= 9:
            raise ConfigError(f"label: got {label!r}, expected 0 to 9")
        image = decoded(pixels)
        there = sorted((folder / str(label)).glob("*.png"))
        if len(list(folder.glob("[0-9]/*.png"))) >= MOST:
            raise ConfigError(f"{name} has {MOST:,} images; begin another set")
        number = 1 + max((int(path.stem) for path in there if path.stem.isdecimal()), default=-1)
        path = folder / str(label) / f"{number:03}.png"
        with atomic_write(path) as temporary:
            Image.fromarray(255 - image).save(temporary)
        return {"file": f"{label}/{path.name}", "label": label}

    def remove(self, name: Any, file: Any) -> None:
        """Remove one image, named as `images` names it."""
        folder = self.folder(name, there=True)
        if not isinstance(file, str) or not re.fullmatch(r"[0-9]/[0-9]{1,6}\.png", file):
            raise ConfigError(f"got the image {file!r}, expected a name such as 3/000.png")
        (folder / file).unlink(missing_ok=True)

    def archive(self, name: Any) -> bytes:
        """The set as a ZIP file with a folder for each label."""
        folder, content = self.folder(name, there=True), io.BytesIO()
        with zipfile.ZipFile(content, "w") as file:
            for path in sorted(folder.glob("[0-9]/*.png")):
                file.write(path, f"{name}/{path.parent.name}/{path.name}")
        return content.getvalue()


def decoded(pixels: Any) -> NDArray[np.uint8]:
    """28×28 bytes from base64. Raises ConfigError."""
    try:
        data = base64.b64decode(pixels, validate=True)
    except (binascii.Error, TypeError, ValueError):
        data = b""
    if len(data) != SIDE * SIDE:
        raise ConfigError(f"pixels: expected {SIDE * SIDE} bytes in base64, one a pixel")
    return np.frombuffer(data, np.uint8).reshape(SIDE, SIDE)


def encoded(path: Path) -> str:
    """The bytes of a picture that `add` wrote, 255 for ink, in base64; another picture is made as large."""
    with Image.open(path) as picture:
        grey = picture.convert("L").resize((SIDE, SIDE)) if picture.size != (SIDE, SIDE) else picture.convert("L")
        return base64.b64encode((255 - np.asarray(grey)).tobytes()).decode()
