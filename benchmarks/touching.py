"""Digits that touch: how many words of two, three and four test images of MNIST are read correctly.

    python benchmarks/touching.py [--words 200] [--seed 1]

The images of a word overlap by 0, 1 or 2 of their pixels, and the word is drawn four times as large on a white page.
None of them is a 1: one that touches its neighbour often looks like a part of it.
"""

import argparse
from typing import Any

import numpy as np
from PIL import Image

import digitlab
from digitlab.reading import read_photo
from digitlab.shipped import shipped_network

MARGIN = 100


def word(images: list[Any], overlap: int) -> Any:
    """Images of digits side by side, without their margins, each over the last by `overlap` pixels."""
    inked = [np.flatnonzero(image.max(axis=0) > 60) for image in images]
    images = [image[:, columns[0] : columns[-1] + 1] for image, columns in zip(images, inked)]
    line, x = np.zeros((28, sum(image.shape[1] for image in images)), np.uint8), 0
    for image in images:
        line[:, x : x + image.shape[1]] = np.maximum(line[:, x : x + image.shape[1]], image)
        x += image.shape[1] - overlap
    return line[:, : x + overlap]


def page(line: Any) -> Any:
    """A white page with the word in the middle, in dark grey."""
    high, wide = 4 * line.shape[0], 4 * line.shape[1]
    paper = np.full((high + 2 * MARGIN, wide + 2 * MARGIN), 255.0)
    large = Image.fromarray(line).resize((wide, high), Image.Resampling.BICUBIC)
    paper[MARGIN : MARGIN + high, MARGIN : MARGIN + wide] -= 0.8 * np.asarray(large)
    return paper.astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    test = digitlab.load("mnist", part="test")
    candidates = np.flatnonzero(test.labels != 1)
    network, rng = shipped_network(), np.random.default_rng(options.seed)
    for length in (2, 3, 4):
        right = unread = 0
        for _ in range(options.words):
            chosen = rng.choice(candidates, length)
            line = word([test.images[i] for i in chosen], int(rng.integers(3)))
            text = read_photo(network, page(line)).text
            right += text == "".join(str(test.labels[i]) for i in chosen)
            unread += text == ""
        print(f"{length} digits: {right} of {options.words} words correct, {unread} reported as no digit")


if __name__ == "__main__":
    main()
