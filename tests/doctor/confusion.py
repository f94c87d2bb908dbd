"""The doctor's confusion table, as docs/doctor.md shows it: `python -m tests.doctor.confusion [--seed N]`.

Each run is trained with its ailment, and the doctor reads the folder. Another seed gives other first weights and
another order of the examples than those that the thresholds were chosen on.
"""

import argparse
import dataclasses
import tempfile
from collections import Counter
from pathlib import Path

from digitlab.doctor import AILMENTS, examine

from .runs import HEALTHY, ILL


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--seed", type=int, action="append", help="Seed of weights and shuffling; several are added up."
    )
    seeds = parser.parse_args().seed or [0]
    named: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as place:
        for seed in seeds:
            for i, run in enumerate([*ILL, *HEALTHY]):
                seeded = dataclasses.replace(run, settings={**run.settings, "seed": seed})
                found = examine(seeded.make(Path(place) / f"{seed}-{i}"))
                named[run.ailment, found[0].ailment if found else ""] += 1
    titles = {ailment.name: ailment.title for ailment in AILMENTS} | {"": "healthy"}
    print("| the run has | runs | named first | others named first |\n|---|---|---|---|")
    for name, title in titles.items():
        if name == "curve-not-learned":  # `digitlab fit` leaves no folder
            continue
        counts = {other: n for (true, other), n in named.items() if true == name}
        others = ", ".join(f"{titles[other]} {n}" for other, n in counts.items() if other != name)
        print(f"| {title} | {sum(counts.values())} | {counts.get(name, 0)} | {others} |")


if __name__ == "__main__":
    main()
