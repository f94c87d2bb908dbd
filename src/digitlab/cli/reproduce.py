"""`digitlab reproduce list|run|report`: every experiment of the books, compared with what they report."""

import os
import sys
from pathlib import Path

import click

from digitlab.cli.shared.options import Group, OutputFile, PageFile

results_option = click.option(
    "--results",
    type=click.Path(path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Folder of the results.",
)

WIDE = 160  # columns that the table of all experiments needs; a narrower terminal gets paragraphs


@click.group("reproduce", cls=Group)
def command() -> None:
    """Run the books' experiments and compare with the books' results.

    Start with `digitlab reproduce list`; `digitlab reproduce run chapter1-30` runs an experiment.
    """


@command.command("list")
@click.option("--book", help="Book whose experiments to list: nielsen, rashid, first-steps. [default: all]")
def list_(book: str | None) -> None:
    """List the experiments with what they show, what the book reports, and their cost."""
    from digitlab.books.catalogue import CATALOGUE
    from digitlab.books.report import cost_text, reported_text
    from digitlab.cli.shared.console import columns, say, table
    from digitlab.errors import ConfigError
    from digitlab.nn.describe import normalized

    books = dict.fromkeys(e.book for e in CATALOGUE.values())
    chosen = [name for name in books if book is None or normalized(name) == normalized(book)]
    if not chosen:
        expected = ", ".join(name.lower().replace(" ", "-") for name in books)
        raise ConfigError(f"--book: got {book!r}, expected one of {expected}")
    experiments = [e for e in CATALOGUE.values() if e.book in chosen]
    headings = ["name", "book, chapter", "what it shows", "reported", "3 seeds, one core"]
    rows = [[e.name, f"{e.book} {e.chapter}", e.title, reported_text(e), cost_text(e)] for e in experiments]
    if (columns(sys.stdout) or WIDE) >= WIDE:
        say(table(headings, rows, left=4))
    else:
        for name, chapter, title, reported, cost in rows:
            say(f"{name}  {chapter}; {cost}\n  {title}\n  reported: {reported}".removesuffix("\n  reported: –"))
    say(f"{len(experiments)} experiments. Times are for all modes of 3 seeds. [M]: stated from memory.")
    say("Run one with: digitlab reproduce run NAME")


@command.command("run")
@click.argument("names", nargs=-1, metavar="NAME…")
@click.option("--all", "all_", is_flag=True, help="Run all experiments.")
@click.option("--quick", "scale", flag_value="quick", help="Run with 400 images, two epochs and one seed, as a trial.")
@click.option("--full", "scale", flag_value="full", help="Run all values of the books' long sweeps.")
@click.option(
    "--mode",
    type=click.Choice(["as-written", "corrected", "both"]),
    default="both",
    show_default=True,
    help="Version of the experiment: as the book's program computes it, or corrected.",
)
@click.option(
    "--part",
    type=click.Choice(["train", "query", "result"]),
    help="Part to run: train the networks, compute the figures, or draw the pictures. [default: all]",
)
@click.option("--seeds", type=click.IntRange(1), help="Number of seeds per experiment. [default: 3; 1 with --quick]")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Number of processes.")
@click.option(
    "--keep-old", is_flag=True, help="Use results of other versions of the code instead of computing them again."
)
@results_option
def run(
    names: tuple[str, ...],
    all_: bool,
    scale: str | None,
    mode: str,
    part: str | None,
    seeds: int | None,
    jobs: int,
    keep_old: bool,
    results: Path,
) -> None:
    """Run experiments by NAME, or --all. After an interruption, the same command continues.

    A file is an experiment of your own: `digitlab reproduce run own.toml`.

    Without --quick or --full, experiments run with the book's settings.
    """
    if all_ == bool(names):
        raise click.UsageError("give the NAMEs of experiments, or --all")
    if jobs > 1:  # before NumPy is imported, here and in the processes to come: one core each
        for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ.setdefault(variable, "1")
    from digitlab.books.catalogue import CATALOGUE, find_experiments
    from digitlab.books.results import read_result
    from digitlab.books.runner import STAGES, execute
    from digitlab.books.schedule import schedule, source_for
    from digitlab.cli.shared.console import say, tell
    from digitlab.cli.shared.experiments import show_result
    from digitlab.errors import DigitlabError, quoted

    experiments = list(CATALOGUE.values()) if all_ else find_experiments(names)
    scale = scale or "default"
    seeds = seeds or (1 if scale == "quick" else 3)
    source = source_for(scale, say)
    runs = schedule(experiments, scale=scale, seeds=seeds, mode=mode, source=source, keep_old=keep_old)
    failures = execute(runs, results, processes=jobs, stages=[part] if part else STAGES, log=say)
    for run in runs if part != "train" else ():
        if (path := run.path(results)).is_file():
            show_result(run.experiment, read_result(path), path.parent)
    if failures:
        for line in failures[:-1]:
            tell(line)
        raise DigitlabError(failures[-1])
    if part == "train":
        say(f"trained: {results}; continue with --part query to compute the figures")
        return
    quick = " --quick" if scale == "quick" else ""
    own = "".join(f"{quoted(name)} " for name in names) if any(each.file for each in experiments) else ""
    again = f"digitlab reproduce report {own}--results {quoted(results)}{quick}"
    say(f"results: {results}; make a page of them with: {again}")


@command.command("report")
@click.argument("names", nargs=-1, metavar="[NAME…]")
@results_option
@click.option(
    "--out",
    type=OutputFile("a page in Markdown", ".md"),
    default=Path("reproduction.md"),
    show_default=True,
    help="File of the index in Markdown; experiments/ and pictures/ are written next to it.",
)
@click.option("--html", type=PageFile(), help="File of the page in HTML, with its pictures.")
@click.option("--json", "json_", type=OutputFile("figures as JSON", ".json"), help="File for the figures as JSON.")
@click.option(
    "--accuracy",
    type=click.Path(path_type=Path, exists=True),
    help="File written by benchmarks/accuracy.py, for the top of the page.",
)
@click.option("--note", default="", metavar="TEXT", help="Text for the top of the page.")
@click.option("--quick", is_flag=True, help="Report quick runs instead of the others.")
def report(
    names: tuple[str, ...],
    results: Path,
    out: Path,
    html: Path | None,
    json_: Path | None,
    accuracy: Path | None,
    note: str,
    quick: bool,
) -> None:
    """Write the results and the books' figures as pages: all of the books', or the NAMEs and files given."""
    import json

    from digitlab.books.catalogue import CATALOGUE, find_experiments
    from digitlab.books.pages import write_html, write_markdown
    from digitlab.books.report import make_report
    from digitlab.cli.shared.console import say
    from digitlab.errors import ModelFileError
    from digitlab.files import write_text

    if not (results / "rows").is_dir():
        raise ModelFileError(
            f"{results}: no results found; run an experiment first: digitlab reproduce run chapter1-30"
        )
    experiments = find_experiments(names) if names else list(CATALOGUE.values())
    page = make_report(results, quick=quick, accuracy=accuracy, note=note, experiments=experiments)
    write_markdown(page, out)
    count = len(page.figures)
    say(f"report: {out}, with {count} experiment{'s' * (count != 1)}")
    if html is not None:
        write_html(page, html)
        say(f"report: {html}")
    if json_ is not None:
        write_text(json_, json.dumps(page.figures, ensure_ascii=False, indent=1) + "\n")
        say(f"figures: {json_}")
