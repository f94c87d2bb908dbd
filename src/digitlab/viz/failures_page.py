"""The failures as an HTML page that can be sorted and filtered."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from digitlab.viz.failures import Failures
from digitlab.viz.figures import Array
from digitlab.viz.pages import data_uri, png_bytes, render


def failures_page(
    images: Array, failures: Failures, class_names: Sequence[str], *, total: int, title: str, limit: int = 2000
) -> str:
    """A self-contained page with a card per failure: image, label, prediction and the largest probabilities.

    images bytes (N, H, W) or (N, H, W, 3), the whole set; `total` is N. Without scripts the page shows all cards, the
    most confident errors first. It shows `limit` cards at most, and the number of those left out.
    """
    wrong = len(failures.positions)
    cards = [_card(images, failures, i) for i in range(min(limit, wrong))]
    return render("failures.html", title, wrong=wrong, total=total, cards=cards, class_names=list(class_names))


def _card(images: Array, failures: Failures, i: int) -> dict[str, Any]:
    position, true, guess = (int(array[i]) for array in (failures.positions, failures.labels, failures.guesses))
    shown = np.argsort(-failures.probabilities[i], kind="stable")[:4].tolist()
    if true not in shown:
        shown[-1] = true
    return {
        "position": position,
        "true": true,
        "guess": guess,
        "confidence": float(failures.confidences[i]),
        "picture": data_uri(png_bytes(images[position])),
        "percents": {k: 100 * float(failures.probabilities[i, k]) for k in shown},
    }
