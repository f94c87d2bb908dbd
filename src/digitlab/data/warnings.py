"""Warnings about data sets that load and are probably a mistake: a single class, or nearly black images."""

import warnings

from digitlab.data.dataset import Digits
from digitlab.notices import DataWarning

FAINT = 16  # of 255: images without a larger value were stored in another range
ENOUGH = 10  # images, before their brightness means anything


def warn_if_suspicious(digits: Digits) -> None:
    """Warn (DataWarning) if all of several images are of one class, or if none has a pixel above 16."""
    there = digits.counts().nonzero()[0]
    if len(there) == 1 and len(digits) > 1:
        _warn(
            f"{digits.name}: all {len(digits):,} images are of one class, {digits.class_names[there[0]]}; "
            "every prediction of that class is right; check the labels"
        )
    brightest = digits.images.max()
    if 0 < brightest <= FAINT and len(digits) >= ENOUGH:
        _warn(
            f"{digits.name}: no pixel is above {brightest} of 255, so the images are nearly black; "
            f"if {brightest} stands for full ink multiply the pixels by {255 // brightest}"
        )


def _warn(message: str) -> None:
    warnings.warn(message, DataWarning, stacklevel=5)
