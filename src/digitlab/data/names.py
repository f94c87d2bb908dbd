"""The data sets that have names, in any spelling: "MNIST", "Fashion_MNIST" and " mnist " are names, too."""

import os
from pathlib import Path

from digitlab.data.formats.shared.families import FAMILIES
from digitlab.synonyms import folded

NAMES = ("mnist", "digits", "auto", *FAMILIES)


def canonical_source(source: str | os.PathLike[str]) -> str | os.PathLike[str]:
    """A source's name as it is listed: "FashionMNIST" → "fashion-mnist", "KMNIST:folder" → "kmnist:folder".

    A path that exists, and any other text, stays as it is; `Path("mnist")` is the name where nothing is called so.
    """
    text = os.fspath(source)
    if text in NAMES and (isinstance(source, str) or not Path(source).exists()):
        return text
    name, colon, folder = text.partition(":")
    known = {folded(listed): listed for listed in NAMES}.get(folded(name))
    if known is None or (colon and known not in FAMILIES) or Path(source).exists():
        return source
    return f"{known}{colon}{folder}"
