"""A chapter's data: what the book says of each experiment, in a TOML file with the name of the chapter's module.

    book = "Nielsen"               of all experiments, as are `chapter` and `modes`, unless they have their own
    [common]                       texts to insert elsewhere: "30 epochs; {setup}"
    [chapter1-30]                  an experiment: the fields of Experiment; `each` holds for all of `reported`
    reported = [{ figure = "30/test_first", value = 91.29, text = "epoch 1" }]       the fields of Reported
    [chapter1-30.trainings]        its trainings by label: the arguments of `book_training`
    "30" = { hidden = 30, rate = 3.0 }

Tasks that are no such trainings, queries and drawings are code in the module.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from digitlab.books.experiment import Experiment, Reported, Result, TaskResults, Tasks, Variant
from digitlab.books.measure import training_figures
from digitlab.books.pictures import valid_curves
from digitlab.books.training import Training, book_training, book_trainings
from digitlab.errors import ConfigError

Draw = Callable[[Sequence[Result], Variant], Mapping[str, Any]]


class Chapter:
    """The data for a module: `Chapter(__file__)` reads nielsen1.toml in nielsen1.py.

    make   the function that makes a training of its settings
    draw   the drawing of experiments that have no other
    """

    def __init__(self, module: str, make: Callable[..., Training] = book_training, draw: Draw = valid_curves) -> None:
        self.make, self.draw = make, draw
        self.path = Path(module).with_suffix(".toml")
        table = tomllib.loads(self.path.read_text(encoding="utf-8"))
        self.common: dict[str, str] = table.pop("common", {})
        self.experiments: dict[str, dict[str, Any]] = {k: v for k, v in table.items() if isinstance(v, dict)}
        self.shared = {key: value for key, value in table.items() if key not in self.experiments}

    def experiment(
        self,
        name: str,
        tasks: Callable[[Variant], Tasks] | None = None,
        query: Callable[[TaskResults, Variant], Result] = training_figures,
        draw: Draw | None = None,
    ) -> Experiment:
        """The experiment of this name; `tasks` are its trainings in the file if not given.

        Raises ConfigError if the file lacks the experiment or its trainings.
        """
        if name not in self.experiments:
            raise ConfigError(f"{self.path}: there is no table [{name}]; add it with the experiment's texts")
        if tasks is None and "trainings" not in self.experiments[name]:
            raise ConfigError(f"{self.path}: there is no table [{name}.trainings]; add it, or give `tasks`")
        texts = {**self.shared, **self.experiments[name]}
        for key in ("setup", "cause", "corrected"):
            texts[key] = texts.get(key, "").format_map(self.common)
        each = texts.pop("each", {})
        reported = tuple(Reported(**each, **entry) for entry in texts.pop("reported", ()))
        tasks = tasks or book_trainings(texts.pop("trainings"), self.make, name)
        modes = tuple(texts.pop("modes", Experiment.modes))
        return Experiment(name, tasks, query, draw or self.draw, reported=reported, modes=modes, **texts)

    def reported(self, name: str) -> dict[str, float]:
        """The values that the book reports of an experiment, by figure."""
        return {entry["figure"]: entry["value"] for entry in self.experiments[name]["reported"]}

    def trainings(self, name: str) -> dict[str, dict[str, Any]]:
        """The settings of an experiment's trainings, by label."""
        found: dict[str, dict[str, Any]] = self.experiments[name]["trainings"]
        return found
