"""`digitlab reproduce list|run|report`: every experiment of the books, beside what they report."""

import os
from pathlib import Path

import click

from digitlab.cli.shared.options import OutputFile, PageFile

RESULTS = Path("results")


@click.group("reproduce")
def command() -> None:
    """Run the books' experiments and hold the figures against theirs.

    Begin with `digitlab reproduce list`; `digitlab reproduce run chapter1-30` runs one.
    """


@command.command("list")
@click.option("--book", help="Only rows of this book: nielsen, rashid, first-steps.")
def list_(book: str | None) -> None:
    """Show every experiment: what it shows, what the book reports, what it costs here."""
    from digitlab.books.catalogue import CATALOGUE
    from digitlab.books.report import cost_text, reported_text, shortened
    from digitlab.cli.shared.console import say
    from digitlab.errors import ConfigError
    from digitlab.nn.describe import normalized

    books = {normalized(row.book): row.book for row in CATALOGUE.values()}
    if book is not None and normalized(book) not in books:
        raise ConfigError(
            f"--book: got {book!r}, expected one of {', '.join(b.lower().replace(' ', '-') for b in books.values())}"
        )
    rows = [row for row in CATALOGUE.values() if book is None or normalized(row.book) == normalized(book)]
    lines = [["name", "book, chapter", "what it shows", "reported", "3 seeds, one core"]]
    for row in rows:
        figures = shortened(reported_text(row))
        lines.append([row.name, f"{row.book} {row.chapter}", row.shows, figures, cost_text(row)])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
    say("\n".join([text[0], "─" * sum(widths, 8), *text[1:]]))
    say(f"{len(rows)} rows. Times are for all modes; [M]: from memory. Run one with: digitlab reproduce run NAME")


@command.command("run")
@click.argument("names", nargs=-1, metavar="NAME…")
@click.option("--all", "all_", is_flag=True, help="Every row.")
@click.option("--quick", "scale", flag_value="quick", help="Small: 400 images, two epochs, one seed. To see it run.")
@click.option("--full", "scale", flag_value="full", help="Also every value of the books' long sweeps.")
@click.option(
    "--mode",
    type=click.Choice(["as-written", "corrected", "both"]),
    default="both",
    show_default=True,
    help="Where a row has two: the book's program, quirks included, or without them.",
)
@click.option(
    "--part",
    type=click.Choice(["train", "query", "result"]),
    help="One part alone: train the networks, take figures from them, draw the pictures.",
)
@click.option("--seeds", type=click.IntRange(1), help="Runs of each row. [default: 3; 1 with --quick]")
@click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes at the same time.")
@click.option(
    "--keep-old", is_flag=True, help="Use finished results of other code, too. By default they are computed again."
)
@click.option(
    "--results", type=click.Path(path_type=Path), default=RESULTS, show_default=True, help="Where results are kept."
)
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
    """Run experiments by NAME, or --all. What is done is kept: run the same line again after an interruption.

    Without --quick or --full, rows run with the book's settings.
    """
    if all_ == bool(names):
        raise click.UsageError("give the NAMEs of rows, or --all")
    if jobs > 1:  # before NumPy is imported, here and in the processes to come: one core each
        for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ.setdefault(variable, "1")
    from digitlab.books.catalogue import CATALOGUE, find_rows
    from digitlab.books.runner import STAGES, make_jobs, run_jobs, source_for
    from digitlab.cli.shared.console import say
    from digitlab.errors import DigitlabError, quoted

    rows = list(CATALOGUE.values()) if all_ else find_rows(names)
    scale = scale or "default"
    seeds = seeds or (1 if scale == "quick" else 3)
    made = make_jobs(rows, scale=scale, seeds=seeds, mode=mode, source=source_for(scale, say), keep_old=keep_old)
    failures = run_jobs(made, results, processes=jobs, stages=[part] if part else STAGES, say=say)
    if failures:
        for line in failures[:-1]:
            click.echo(line, err=True)
        raise DigitlabError(failures[-1])
    if part == "train":
        say(f"trained: {results}; --part query goes on to the figures")
        return
    quick = " --quick" if scale == "quick" else ""
    say(f"results: {results}; one page of them: digitlab reproduce report --results {quoted(results)}{quick}")


@command.command("report")
@click.option(
    "--results", type=click.Path(path_type=Path), default=RESULTS, show_default=True, help="Where the results are."
)
@click.option(
    "--out",
    type=OutputFile("a page in Markdown", ".md"),
    default=Path("reproduction.md"),
    show_default=True,
    help="The page in Markdown; its pictures go to pictures/reproduction beside it.",
)
@click.option("--html", type=PageFile(), help="The page as one HTML file, pictures included.")
@click.option("--json", "json_", type=OutputFile("figures as JSON", ".json"), help="The figures alone, as JSON.")
@click.option(
    "--accuracy",
    type=click.Path(path_type=Path, exists=True),
    help="A file that benchmarks/accuracy.py wrote, to go on top.",
)
@click.option("--note", default="", metavar="TEXT", help="A paragraph of your own for the top of the page.")
@click.option("--quick", is_flag=True, help="Report on quick runs (by default they are left out).")
def report(
    results: Path, out: Path, html: Path | None, json_: Path | None, accuracy: Path | None, note: str, quick: bool
) -> None:
    """Write what was run, beside what the books report, as one page."""
    import json

    from digitlab.books.pages import write_html, write_markdown
    from digitlab.books.report import make_report
    from digitlab.cli.shared.console import say
    from digitlab.errors import ModelFileError
    from digitlab.files import write_text

    if not (results / "rows").is_dir():
        raise ModelFileError(f"{results}: no results there; run something first: digitlab reproduce run chapter1-30")
    page = make_report(results, quick=quick, accuracy=accuracy, note=note)
    write_markdown(page, out)
    say(f"report: {out}, with {len(page.figures)} rows")
    if html is not None:
        write_html(page, html)
        say(f"report: {html}")
    if json_ is not None:
        write_text(json_, json.dumps(page.figures, ensure_ascii=False, indent=1) + "\n")
        say(f"figures: {json_}")
