"""Our figures compared with the book's: mean ± sd over seeds, difference, and how much of it chance explains."""

import math
from dataclasses import dataclass

from digitlab.books.experiment import Experiment, Reported
from digitlab.books.results import ExperimentResult
from digitlab.statistics import Summary, summarize, t_quantile


@dataclass(frozen=True)
class Comparison:
    """One figure of the book and ours; `summary` is that of our seeds, None if the run has no such figure."""

    reported: Reported
    summary: Summary | None

    @property
    def ours(self) -> float | None:
        """The best or the mean of our seeds, as the book reports it."""
        s = self.summary
        return None if s is None else s.maximum if self.reported.statistic == "best" else s.mean

    @property
    def difference(self) -> float | None:
        """Ours minus the book's; 0 where they differ by no more than a float's last digits."""
        if self.ours is None or math.isclose(self.ours, self.reported.value, rel_tol=1e-9):
            return None if self.ours is None else 0.0
        return self.ours - self.reported.value

    @property
    def ours_text(self) -> str:
        """ "95.43 ± 0.12 % (n = 3)", or the best of them."""
        s, unit = self.summary, self.reported.unit
        if s is None:
            return "–"
        if self.reported.statistic == "best":
            return f"{number(s.maximum, unit)}{unit_text(unit)} (best of {s.n})"
        return mean_sd_text(s, unit)

    @property
    def book_text(self) -> str:
        """The book's figure with its unit, its split and its mark."""
        mark = " [M]" if self.reported.memory else ""
        split = f", {self.reported.split}" if self.reported.split else ""
        return f"{number(self.reported.value, self.reported.unit)}{unit_text(self.reported.unit)}{split}{mark}"

    @property
    def difference_text(self) -> str:
        """The difference with its sign, bold where it is more than chance and rounding allow."""
        if self.difference is None:
            return ""
        unit = self.reported.unit
        size = number(abs(self.difference), unit)
        sign = "" if not float(size.replace(",", "")) else "−" if self.difference < 0 else "+"
        text = f"{sign}{size}{'' if unit == '%' else unit_text(unit)}"
        return f"**{text}**" if self.notable else text

    @property
    def allowed_text(self) -> str:
        """The allowed difference, where there is a difference."""
        return f"± {number(self.allowed, self.reported.unit)}" if self.difference is not None else ""

    @property
    def allowed(self) -> float:
        """How far ours may be from the book's by chance and rounding: the 95 % interval for their difference.

        t s √(1/n + 1/m) + u/2: s our sample standard deviation over n seeds (1 in place of n for the best of them),
        m the number of runs that the book's figure is the mean of, t Student's quantile for n − 1 degrees of freedom,
        u the last digit that the book prints. With one run here, t s is 1.96 standard deviations of a share of so many
        images, which is somewhat more than runs differ by.
        """
        n, sd = (self.summary.n, self.summary.sd) if self.summary is not None else (1, 0.0)
        spread = t_quantile(n) * (sd if n > 1 else self.reported.deviation)
        one = 1 if self.reported.statistic == "best" else n
        return spread * math.sqrt(1 / one + 1 / self.reported.runs) + self.reported.rounding

    @property
    def notable(self) -> bool:
        """Whether the difference is more than chance and rounding allow."""
        return self.difference is not None and abs(self.difference) > self.allowed * (1 + 1e-9)


def compare(experiment: Experiment, found: ExperimentResult | None) -> list[Comparison]:
    """Every figure that the book reports of an experiment, compared with ours."""
    return [compare_one(reported, found) for reported in experiment.reported]


def compare_one(reported: Reported, found: ExperimentResult | None) -> Comparison:
    """One reported figure compared with ours."""
    values = values_of(found, reported.figure)
    return Comparison(reported, summarize(values) if values else None)


def values_of(found: ExperimentResult | None, figure: str) -> list[float]:
    """A figure for every seed that has it; once for seeds that share its task."""
    if found is None:
        return []
    values: dict[str, float] = {}
    label = figure.rpartition("/")[0]
    for seed, result in found.results.items():
        if figure in result.figures:
            values.setdefault(found.keys.get(seed, {}).get(label, seed), result.figures[figure])
    return list(values.values())


def number(value: float, unit: str) -> str:
    """A figure with its meaningful digits."""
    if unit == "%":
        return f"{value:.2f}"
    if float(value).is_integer() and abs(value) < 1e6:
        return f"{value:.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:,.1f}"


def unit_text(unit: str) -> str:
    """A unit as it follows a number."""
    return f" {unit}" if unit else ""


def mean_sd_text(s: Summary, unit: str) -> str:
    """Mean ± sample standard deviation and the number of seeds."""
    sd_number = None if unit == "%" or s.sd >= 100 else "{:.2g}".format
    return s.text(lambda value: number(value, unit), unit_text(unit), sd_number=sd_number, show_n=True)


def headline(experiment: Experiment, found: ExperimentResult) -> str:
    """The first figures of an experiment in one line, with the book's."""
    lines = [c for c in compare(experiment, found) if c.ours is not None][:3]
    return "; ".join(f"{c.reported.figure} {c.ours_text} (book {c.book_text})" for c in lines) or "done"
