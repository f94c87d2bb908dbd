"""How well pictures of every kind are read, and how far the confidence can be trusted.

    python benchmarks/handwriting.py [--pictures 30] [--seed 1000] [--kinds notes words] [--failures] [--net NET]
    python benchmarks/handwriting.py --kinds notes --seed 1000 --number 3 --show failures    # the stages of one picture

The pictures are made by digitlab/data/synthetic/snapshots.py. The network was not trained on these, but on single marks
of the same hands, with another seed. MNIST's and scikit-learn's digits are no pictures of that generator.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

import digitlab
from digitlab.cli.shared.networks import load_named
from digitlab.cli.shared.readings import save_stages
from digitlab.data.photos.scoring import SAME, LabelledBox, Score, overlap, score_reading
from digitlab.data.synthetic.pages import SyntheticPage
from digitlab.data.synthetic.snapshots import KINDS, WORDS, draw_snapshot
from digitlab.reading import Reading, read_photo

BINS = (0.5, 0.7, 0.9, 0.97, 0.99, 0.999, 1.0)  # of confidence
CELL = 20  # pixels of a digit on a sheet of many, as in OpenCV's digits.png


def snapshots(kind: str, numbers: Sequence[int], seed: int) -> Iterator[SyntheticPage]:
    """Pictures that each have their own seed, so that other kinds and numbers do not change them."""
    for number in numbers:
        yield draw_snapshot(kind, np.random.default_rng([seed, list(KINDS).index(kind), number]))


def sheet(images: Any, labels: Any, name: str, columns: int = 10) -> SyntheticPage:
    """Images (N, h, w), white on black, in a grid of cells without any border."""
    h, w = images.shape[1:]
    page = np.zeros((-(-len(images) // columns) * h, columns * w), np.uint8)
    truth = []
    for at, (image, label) in enumerate(zip(images, labels)):
        top, left = h * (at // columns), w * (at % columns)
        page[top : top + h, left : left + w] = image
        truth.append(LabelledBox(int(label), ink_box(image, left, top), name))
    return SyntheticPage(np.repeat(page[..., None], 3, axis=2), tuple(truth), name)


def ink_box(image: Any, left: int, top: int) -> tuple[int, int, int, int]:
    rows, columns = (np.flatnonzero(image.max(axis=axis) > 110) for axis in (1, 0))
    return left + int(columns[0]), top + int(rows[0]), left + int(columns[-1]) + 1, top + int(rows[-1]) + 1


def mnist_sheets(count: int) -> Iterator[SyntheticPage]:
    """MNIST's first test images in cells of 20×20, 100 on a sheet, as OpenCV's digits.png has them."""
    test = digitlab.load("mnist", part="test")
    for at in range(count):
        some = slice(100 * at, 100 * at + 100)
        small = [Image.fromarray(image).resize((CELL, CELL), Image.Resampling.BOX) for image in test.images[some]]
        yield sheet(np.stack([np.asarray(image) for image in small]), test.labels[some], "mnist-sheet")


def mnist_crops(count: int) -> Iterator[SyntheticPage]:
    """MNIST's first test images, cut to their ink without a margin and enlarged four times, dark on light."""
    test = digitlab.load("mnist", part="test")
    for image, label in zip(test.images[:count], test.labels):
        left, top, right, bottom = ink_box(image, 0, 0)
        ink = Image.fromarray(image[top:bottom, left:right])
        large = np.asarray(ink.resize((4 * ink.width, 4 * ink.height), Image.Resampling.BICUBIC))
        truth = LabelledBox(int(label), (0, 0, large.shape[1], large.shape[0]), "mnist-crop")
        yield SyntheticPage(np.repeat(255 - large[..., None], 3, axis=2), (truth,), "mnist-crop")


def bundled(count: int) -> Iterator[SyntheticPage]:
    """scikit-learn's digits, 8×8, each enlarged to 96×96 with a margin."""
    data = load_digits()
    for image, label in zip(data.images[:count], data.target):
        large = Image.fromarray((image * 255 / 16).astype(np.uint8)).resize((96, 96), Image.Resampling.BICUBIC)
        yield sheet(np.pad(np.asarray(large), 24)[None], [label], "sklearn", 1)


# Pictures of real digits by kind, and how many there are for each picture of the other kinds.
REAL: dict[str, tuple[Callable[[int], Iterator[SyntheticPage]], float]] = {
    "mnist-sheet": (mnist_sheets, 0.3),
    "mnist-crop": (mnist_crops, 10),
    "sklearn": (bundled, 10),
}


def read(network: Any, picture: SyntheticPage) -> tuple[Reading, list[tuple[int, Any]]]:
    reading = read_photo(network, picture.image)
    return reading, [(d.label, reading.page.in_photo(d.box)) for d in reading.digits]


def reliability(found: list[tuple[float, bool]]) -> None:
    """Of the marks read as a digit: the share that is right, by confidence."""
    confidence, right = np.array([c for c, _ in found]), np.array([r for _, r in found])
    print(f"\n{'confidence':<16}{'marks':>8}{'mean':>10}{'right':>10}")
    gap = 0.0
    for low, high in pairwise(BINS):
        inside = (confidence >= low) & ((confidence < high) | (high == 1))
        if inside.any():
            mean, share = confidence[inside].mean(), right[inside].mean()
            gap += inside.sum() / len(found) * abs(mean - share)
            print(f"{low:>6} to {high:<6}{inside.sum():>8}{100 * mean:>8.1f} %{100 * share:>8.1f} %")
    print(f"expected calibration error {100 * gap:.2f} %")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=30, help="of each kind")
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--net", default="shipped")
    parser.add_argument("--kinds", nargs="+", default=[*KINDS, *REAL])
    parser.add_argument("--failures", action="store_true", help="list every error")
    parser.add_argument("--number", type=int, help="only this picture of each kind, counted from 0")
    parser.add_argument("--show", type=Path, help="folder for the stages of pictures with an error, also as small PNGs")
    args = parser.parse_args()
    numbers = range(args.pictures) if args.number is None else [args.number]
    network = load_named(args.net)[1]
    print(f"{'kind':<16}{'pictures':>9}{'exact':>7}{'digits':>8}{'found':>7}{'right':>7}{'false':>7}")
    total, trusted = Score(), []
    for kind in args.kinds:
        if kind in REAL:
            draw, share = REAL[kind]
            pictures = draw(max(1, round(share * args.pictures)))
        else:
            pictures = snapshots(kind, numbers, args.seed)
        score, exact, count = Score(), 0, 0
        for picture in pictures:
            reading, marks = read(network, picture)
            name = f"{kind} {numbers[count] if kind in KINDS else count}"
            one = score_reading(picture.truth, marks, name=name)
            count, exact, score = count + 1, exact + (not one.failures), score + one
            if args.show and one.failures:
                folder = args.show / name.replace(" ", "-")
                save_stages(reading, folder, one.failures[0])
                Image.open(folder / "stages.png").quantize(64).save(folder.with_suffix(".png"), optimize=True)
            for digit, (label, box) in zip(reading.digits, marks):
                same = [t.label == label for t in picture.truth if overlap(t.box, box) >= SAME]
                trusted.append((digit.confidence, any(same)))
        total += score
        print(
            f"{kind:<16}{count:>9}{exact:>7}{score.there:>8}{score.found:>7}{score.right:>7}{score.extra:>7}",
            flush=True,
        )
        if kind in ("words", "print"):
            print(f"    {20 * score.extra / (WORDS * count):.1f} false digits per 20 words")
        for failure in score.failures if args.failures else ():
            print(f"    {failure}")
    print(f"all: {100 * total.right / max(1, total.there):.1f} % of the digits right; {total}")
    reliability(trusted)


if __name__ == "__main__":
    main()
