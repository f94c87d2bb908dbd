"""Everything that decides a search, in one table, which the study's file keeps."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from digitlab.arguments import checked_class
from digitlab.errors import ConfigError, did_you_mean
from digitlab.search.settings import settings_for
from digitlab.search.space import Space, parse_space, space_table
from digitlab.search.strategies import STRATEGIES
from digitlab.settings.schema import settings_of, with_settings
from digitlab.settings.search import SearchSettings
from digitlab.train.config import RunConfig


@checked_class
@with_settings(SearchSettings)
@dataclass(frozen=True)
class SearchPlan(SearchSettings):
    """What to search, and how.

    base          the settings that the search starts from; what `space` does not name stays so
    space         what to vary (space.py)

    {settings}
    """

    base: RunConfig
    space: Space

    def __post_init__(self) -> None:
        object.__setattr__(self, "space", parse_space(self.space))
        for name, setting in settings_of(SearchSettings).items():
            setting.check(getattr(self, name))
        known = ["valid_accuracy", "valid_loss", "train_loss", *["train_accuracy"] * self.base.evaluate_train]
        if (monitor := self.base.monitor) and monitor not in known:
            hint = did_you_mean(monitor, known)
            raise ConfigError(f"monitor: got {monitor!r}{hint}; a search can choose by {', '.join(known)}")
        STRATEGIES[self.strategy].check(self)
        settings_for(self.base, self.middle())  # raises for a space that names what is no setting

    @property
    def monitor(self) -> str:
        """The figure that the search makes good: of the validation set."""
        return self.base.monitor or "valid_accuracy"

    def middle(self) -> dict[str, Any]:
        """A point of the space, to try settings out with."""
        point: dict[str, Any] = {}
        for name, parameter in self.space.items():
            if parameter.there(point):
                values = parameter.values(3)
                point[name] = values[len(values) // 2]
        return point

    def trial_seed(self, index: int) -> int:
        """The seed of the strategy's random generator for the trial with this index."""
        return int(np.random.SeedSequence([self.seed, index]).generate_state(1)[0])

    def configs(self, point: Mapping[str, Any]) -> list[RunConfig]:
        """The settings of a point, once for each seed."""
        config = settings_for(self.base, point)
        return [dataclasses.replace(config, seed=config.seed + i) for i in range(self.repeats)]

    def rungs(self, epochs: int) -> list[int]:
        """After which epochs hopeless trainings are ended, and last the one that ends them all."""
        found, at = [], self.min_epochs
        while self.prune != "none" and at < epochs:
            found.append(at)
            at *= self.factor
        return [*found, epochs]

    def table(self) -> dict[str, Any]:
        """The plan as JSON values."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return {**values, "base": self.base.table(), "space": space_table(self.space)}

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> "SearchPlan":
        """The plan in a table. Raises ConfigError for what it lacks or has too much."""
        fields = [f.name for f in dataclasses.fields(cls)]
        if unknown := [key for key in table if key not in fields]:
            hint = did_you_mean(unknown[0], fields)
            raise ConfigError(f"a search has no setting {unknown[0]!r}{hint}; there are: {', '.join(fields)}")
        if missing := [key for key in ("base", "space") if key not in table]:
            raise ConfigError(f"a search needs {missing[0]!r}")
        return cls(**{**table, "base": RunConfig.from_table(table["base"]), "space": parse_space(table["space"])})
