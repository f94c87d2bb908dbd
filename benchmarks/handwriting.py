"""How well pictures of every kind are read: `python benchmarks/handwriting.py [--pictures 30] [--seed 1000]`.

The pictures are made by digitlab/data/synthetic/snapshots.py; seeds from 1000 on are not used in training.
"""

import argparse

import numpy as np

from digitlab.cli.shared.networks import load_named
from digitlab.data.photos.scoring import Score, score_reading
from digitlab.data.synthetic.snapshots import KINDS, WORDS, draw_snapshot
from digitlab.reading import read_photo


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=30, help="of each kind")
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--net", default="shipped")
    parser.add_argument("--kinds", nargs="+", default=list(KINDS))
    parser.add_argument("--failures", action="store_true", help="list every error")
    args = parser.parse_args()
    network = load_named(args.net)[1]
    print(f"{'kind':<16}{'pictures':>9}{'exact':>7}{'digits':>8}{'found':>7}{'right':>7}{'false':>7}")
    total = Score()
    for kind in args.kinds:
        score, exact = Score(), 0
        for number in range(args.pictures):
            # Each picture has its own seed, so that one kind or a few more pictures do not change the others.
            picture = draw_snapshot(kind, np.random.default_rng([args.seed, list(KINDS).index(kind), number]))
            reading = read_photo(network, picture.image)
            read = [(d.label, reading.page.in_photo(d.box)) for d in reading.digits]
            one = score_reading(picture.truth, read, name=f"{kind} {number}")
            exact += one.right == one.there and not one.extra
            score += one
        total += score
        print(
            f"{kind:<16}{args.pictures:>9}{exact:>7}{score.there:>8}{score.found:>7}{score.right:>7}{score.extra:>7}",
            flush=True,
        )
        if kind in ("words", "print"):
            print(f"    {20 * score.extra / (WORDS * args.pictures):.1f} false digits per 20 words")
        for failure in score.failures if args.failures else ():
            print(f"    {failure}")
    print(f"all: {100 * total.right / max(1, total.there):.1f} % of the digits right; {total}")


if __name__ == "__main__":
    main()
