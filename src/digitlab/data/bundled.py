"""The digits of scikit-learn: 1,797 handwritten ones of 8×8 pixels, available offline.

They are the test part of "Optical Recognition of Handwritten Digits" (Alpaydin and Kaynak 1998, UCI):
https://archive.ics.uci.edu/dataset/80. Each pixel counts the ink in a 4×4 block of a 32×32 scan, 0 to 16.
"""

import numpy as np

from digitlab.data.dataset import Digits
from digitlab.data.formats.shared.contents import Contents, contents_of
from digitlab.data.splits import PARTS

TRAIN, VALID, TEST = 1197, 300, 300


def bundled_contents() -> Contents:
    """1,197 images to train, 300 to validate and 300 to test, in the file's order.

    The order is kept since neighbours are often from one writer: mixed, the test would be easier than digits of
    unknown writers are. Every part has all ten digits, nearly as many of each.
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    images = np.round(data.images * (255 / 16)).astype(np.uint8)  # (1797, 8, 8), 0–16 becomes 0–255
    digits = Digits(images, data.target.astype(np.int64))
    return contents_of(dict(zip(PARTS, digits.split(TRAIN, VALID, TEST))), "scikit-learn digits")
