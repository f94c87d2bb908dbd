"""Statistics of several values: mean, standard deviation and range, their text, and 95 % intervals."""

import math
import statistics
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from digitlab.arguments import checked
from digitlab.errors import ConfigError

Array = np.ndarray[Any, Any]


class Summary(NamedTuple):
    """Statistics of n values; variance and sd are those of a sample (divided by n − 1), 0 for n = 1."""

    n: int
    mean: float
    variance: float
    sd: float
    minimum: float
    maximum: float
    range: float

    def text(
        self,
        number: Callable[[float], str] = "{:.2f}".format,
        unit: str = "",
        *,
        sd_number: Callable[[float], str] | None = None,
        show_n: bool = False,
    ) -> str:
        """The mean ± sd: "95.20 ± 0.13 % (n = 3)"; "95.20 %" for a single value. `sd_number` formats the sd."""
        sd = f" ± {(sd_number or number)(self.sd)}" if self.n > 1 else ""
        return f"{number(self.mean)}{sd}{unit}" + (f" (n = {self.n})" if show_n else "")


@checked
def summarize(values: Sequence[float]) -> Summary:
    """Statistics of at least one value. By hand: 1, 2, 6 have mean 3, variance 7, range 5."""
    if not len(values):
        raise ConfigError("got no values, expected at least one to take statistics over")
    variance = statistics.variance(values) if len(values) > 1 else 0.0
    low, high = min(values), max(values)
    return Summary(len(values), statistics.fmean(values), variance, variance**0.5, low, high, high - low)


def share_sd(share: float, n: int) -> float:
    """The standard deviation of a share that is measured on n examples: √(p (1 − p) / n)."""
    return math.sqrt(max(share * (1 - share), 0.0) / max(n, 1))


def t_quantile(n: int) -> float:
    """Student's two-sided 95 % quantile for the sd of n values; the normal distribution's where n is 1."""
    from scipy.special import stdtrit  # scipy.stats.t.ppf is the same and takes a second to import

    return float(stdtrit(n - 1, 0.975)) if n > 1 else 1.96


def wilson_interval(successes: Sequence[int] | Array, trials: Sequence[int] | Array) -> tuple[Array, Array]:
    """Wilson's 95 % interval of each share successes/trials, (low, high); 0 to 1 without a trial (Wilson 1927)."""
    from scipy.stats import binomtest

    pairs = [
        binomtest(int(k), int(n)).proportion_ci(0.95, "wilson") if n else (0.0, 1.0) for k, n in zip(successes, trials)
    ]
    low, high = np.array(pairs, dtype=float).reshape(-1, 2).T
    return low, high
