"""The lines at the end of a training that went badly: what is seen, the likely cause, the next command."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from digitlab.cli.shared.console import say
from digitlab.errors import quoted

if TYPE_CHECKING:
    from digitlab.data import Splits
    from digitlab.doctor.ailment import Diagnosis

MOST = 3  # networks of a group that are spoken of one by one


def say_diagnosis(
    found: "Diagnosis | None", config: Path | None = None, *, name: str = "", rate: str = "--learning-rate "
) -> None:
    """What is seen, the likely cause, and the command that begins again with the change; nothing if all went well.

    `config` is the settings file of the run; without one, the option to change is named alone. `name` says which
    network it is, where there are several; `rate` is how this command takes the learning rate.
    """
    if found is None:
        return
    say(f"warning: {name}: {found.seen}" if name else f"warning: {found.seen}")
    say(f"likely cause: {found.cause}")
    if not found.rate:
        say(f"try: {found.advice}")
    elif config is None:
        say(f"try: {rate}{found.rate}")
    else:
        say(f"next: digitlab train --from-file {quoted(config)} {rate}{found.rate}")


def say_findings(folder: Path, splits: "Splits") -> None:
    """What the doctor names first in a run that looks ill, and the next command; nothing for a healthy one."""
    from digitlab.doctor.case import Case
    from digitlab.doctor.examination import first_finding

    first = first_finding(Case.of_run(folder, splits))
    if first is None:
        return
    if (found := first.diagnosis).rate:
        say_diagnosis(found, folder / "config.toml")
        return
    say(f"warning: {found.seen}")
    say(f"likely cause: {found.cause}")
    say(f"next: digitlab doctor {quoted(folder)}{' --fix' if first.can_be_fixed else ''}")


def say_failures(failed: Sequence[tuple[str, str]], total: int) -> None:
    """One line for the trainings of a group that ended with an error, (name, error) of each."""
    if failed:
        name, error = failed[0]
        say(f"warning: {len(failed)} of {total} trainings ended with an error, first {name}: {error}")


def say_diagnoses(networks: Iterable[tuple[str, "Diagnosis | None"]]) -> None:
    """The same for the networks of a group, (name, diagnosis) of each: the first few, and how many there are more."""
    found = [(name, diagnosis) for name, diagnosis in networks if diagnosis is not None]
    for name, diagnosis in found[:MOST]:
        say_diagnosis(diagnosis, name=name)
    if (more := len(found) - MOST) > 0:
        say(f"warning: {more} more {'training' if more == 1 else 'trainings'} went badly")
