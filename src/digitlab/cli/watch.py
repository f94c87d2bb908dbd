"""`digitlab watch RUN`: the curves of a training that goes on elsewhere."""

import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from digitlab.cli.shared.options import PictureFile
from digitlab.errors import quoted

SILENCE = 120.0  # seconds without news, at least, before a run is taken for one that was killed


@click.command("watch")
@click.argument("run", required=False, type=click.Path(path_type=Path))
@click.option(
    "--out", type=PictureFile(), help="File for the curves as .png, .svg or .pdf; the command then does not wait."
)
@click.option(
    "--interval",
    "every",
    type=click.FloatRange(0.05),
    default=0.5,
    show_default=True,
    help="Time between updates in seconds.",
)
def command(run: Path | None, out: Path | None, every: float) -> None:
    """Plot a run's loss and accuracy in the terminal until the training ends.

    RUN is a run folder, also before its first epoch has ended. [default: the latest run in runs/] In a pipe, one line
    per epoch is printed. With --out, the curves so far are saved as a picture. Ctrl-C ends the display, not the
    training.
    """
    from digitlab.cli.shared.console import say
    from digitlab.errors import ConfigError
    from digitlab.run_folders import NO_RUN, newest_run
    from digitlab.train import History, RunConfig
    from digitlab.viz.curves import curves_figure
    from digitlab.viz.figures import save_figure

    run = run or newest_run(of_images=False)
    if not (run / "config.toml").is_file():
        raise ConfigError(f"{run}: {NO_RUN}")
    if out is not None:
        history = History.load(run / "history.jsonl")
        save_figure(curves_figure({run.name: history}, title=run.name), out)
        say(f"{len(history)} epochs of {run}: {out}")
        return
    epochs = RunConfig.load(run / "config.toml", run=True).epochs
    if sys.stdout.isatty():
        _draw(run, epochs, every)
    else:
        _lines(run, epochs, every)


def ended(run: Path, done: int, epochs: int) -> bool:
    """Whether the run's training is over: all its epochs are done, or it was stopped.

    A training that ends writes the best network last, after the last epoch's checkpoint.
    """
    network, checkpoint = run / "network.safetensors", run / "checkpoint.safetensors"
    if done >= epochs:
        return True
    return checkpoint.is_file() and network.is_file() and network.stat().st_mtime_ns > checkpoint.stat().st_mtime_ns


def _draw(run: Path, epochs: int, every: float) -> None:
    from digitlab.cli.shared.progress import curve_screen, curves_text
    from digitlab.train.callbacks import epoch_line

    with curve_screen() as screen:
        while True:
            over, rows = _look(run, epochs)
            line = epoch_line(rows[-1], epochs, _monitor(run, rows)) if rows else "waiting for the first epoch to end"
            screen.update(curves_text(rows, f"{run}  {line if over else silence(run, rows) or line}"), refresh=True)
            if over:
                return
            time.sleep(every)


def _lines(run: Path, epochs: int, every: float) -> None:
    from digitlab.cli.shared.console import say
    from digitlab.train.callbacks import epoch_line

    told, silence_told = 0, False
    while True:
        over, rows = _look(run, epochs)
        for row in rows[told:]:
            say(epoch_line(row, epochs, _monitor(run, rows)))
        told = max(told, len(rows))
        if over:
            return
        if (silent := silence(run, rows)) and not silence_told:
            say(silent)
        silence_told = bool(silent)
        time.sleep(every)


def silence(run: Path, rows: Sequence[Mapping[str, Any]]) -> str:
    """What to tell where a run has been silent for much longer than its epochs take: it may have been killed."""
    from digitlab.train.callbacks import duration

    files = [run / name for name in ("config.toml", "history.jsonl", "checkpoint.safetensors")]
    quiet = time.time() - max(file.stat().st_mtime for file in files if file.is_file())
    if quiet < max(SILENCE, 10 * (rows[-1]["seconds"] if rows else 0.0)):
        return ""
    return f"nothing new for {duration(quiet)}; if it was killed: digitlab train --run {quoted(run)} --resume"


def _look(run: Path, epochs: int) -> tuple[bool, list[dict[str, object]]]:
    """Whether it has ended, asked before the history is read so that no row is missed, and the rows."""
    from digitlab.train import History

    path = run / "history.jsonl"
    over = ended(run, 0, epochs)
    rows = History.load(path).rows if path.is_file() else []
    return over or ended(run, len(rows), epochs), rows


def _monitor(run: Path, rows: list[dict[str, object]]) -> str:
    from digitlab.train import History, RunConfig

    return History(list(rows)).monitored(RunConfig.load(run / "config.toml", run=True).monitor)
