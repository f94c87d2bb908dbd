"""One page of everything that was run: per row the book's figures beside ours, pictures, command, time, machine."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from digitlab.books.catalogue import CATALOGUE
from digitlab.books.compare import Compared, compared, mean_sd_text, number, unit_text, values_of
from digitlab.books.experiment import CORRECTED, Experiment, Variant
from digitlab.books.fingerprint import Fingerprint, of_row, told
from digitlab.books.finish import draw_row
from digitlab.books.measure import same_as_last, split_of, unit_of
from digitlab.books.package import of_table
from digitlab.books.results import ExperimentResult, read_row, row_path
from digitlab.books.texts import BOOKS, CODE, INTRO, RULE
from digitlab.errors import ModelFileError
from digitlab.statistics import summarize
from digitlab.train.callbacks import duration


@dataclass(frozen=True)
class Table:
    """A table: headings and rows of text."""

    headings: list[str]
    rows: list[list[str]]


@dataclass
class Section:
    """A heading with what stands under it; `pictures` are (title, file)."""

    title: str
    level: int = 2
    blocks: list[Any] = field(default_factory=list)  # paragraphs (str) and Tables
    pictures: list[tuple[str, Path]] = field(default_factory=list)


@dataclass
class Report:
    """The page, before it is Markdown or HTML, and its figures alone for a file."""

    sections: list[Section]
    figures: dict[str, Any]


def make_report(results: Path, *, quick: bool = False, accuracy: Path | None = None, note: str = "") -> Report:
    """Gather what lies in a results folder; its row files are enough. With `quick` the quick runs, else the others."""
    found = {name: results_of(row, results, quick) for name, row in CATALOGUE.items()}
    sections = [Section("Reproduction", 1, [*INTRO, note] if note else list(INTRO))]
    if quick:
        sections[0].blocks.append(
            "**Quick runs: a few hundred images and two epochs. They show that every row runs, "
            "and say nothing about the books' figures.**"
        )
    if accuracy is not None and accuracy.is_file():
        sections.append(everyday(accuracy))
    sections.append(summary(found))
    book = ""
    for name, row in CATALOGUE.items():
        if not found[name]:
            continue
        if row.book != book:
            book = row.book
            sections.append(Section(BOOKS.get(book, book)))
        sections.append(row_section(row, found[name], results))
    if waiting := [
        (row, mode)
        for name, row in CATALOGUE.items()
        for mode in row.modes
        if mode not in {r.mode for r in found[name]}
    ]:
        sections.append(not_run(waiting))
    figures = {name: {r.mode: figures_of(r) for r in some} for name, some in found.items() if some}
    return Report(sections, figures)


def results_of(row: Experiment, results: Path, quick: bool) -> list[ExperimentResult]:
    """What there is of a row: a result for each mode, the fullest scale of it."""
    found = []
    for mode in row.modes:
        paths = (row_path(results, row.name, mode, scale) for scale in (("quick",) if quick else ("full", "default")))
        if path := next((path for path in paths if path.is_file()), None):
            found.append(with_pictures(row, read_row(path), path))
    return found


def with_pictures(row: Experiment, result: ExperimentResult, path: Path) -> ExperimentResult:
    """The result with all of its pictures beside its file: those that were not brought along are drawn again."""
    if all((path.parent / picture).is_file() for picture in result.pictures):
        return result
    plan = Variant(result.scale, result.mode, source=result.source)
    return replace(result, pictures=draw_row(row, list(result.results.values()), plan, path))


def everyday(path: Path) -> Section:
    """What `digitlab train` reaches by itself: benchmarks/accuracy.py."""
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelFileError(f"{path}: not JSON: {error}; benchmarks/accuracy.py writes it") from None
    rows = []
    for entry in table.values():
        runs = entry["runs"]
        columns = {part: [run[part] for run in runs] for part in ("valid", "test", "seconds")}
        texts = [summarize(columns[part]).text() for part in ("valid", "test")]
        code = Fingerprint(**entry.get("code", {})).state(partial(of_table, entry.get("config")))
        seconds = f"{summarize(columns['seconds']).mean:.0f} s"
        rows.append([entry["setting"], *texts, str(len(runs)), seconds, told([code])])
    text = (
        "Networks of Nielsen's chapters 1 and 3 and two larger ones by the everyday command, 30, 6 and 8 epochs. "
        "The epoch is chosen on the 10,000 validation "
        "images; the test set is looked at once, with the network of that epoch. Written by `benchmarks/accuracy.py`. "
        "*Code* is explained below."
    )
    headings = ["setting", "validation (%)", "test (%)", "n", "training", "code"]
    return Section("What `digitlab train` reaches", 2, [text, Table(headings, rows)])


def summary(found: dict[str, list[ExperimentResult]]) -> Section:
    """One line a row: its foremost figure."""
    lines = []
    for name, row in CATALOGUE.items():
        for result in found[name]:
            first = next((c for c in main_figures(row, result) if c.ours is not None), None)
            mode = result.mode if len(row.modes) > 1 else ""
            if first is not None:
                lines.append(
                    [
                        f"`{name}`",
                        mode,
                        first.reported.text or first.reported.figure,
                        first.book_text,
                        first.ours_text,
                        marked_difference(first),
                        allowed_text(first),
                        code_text(row, result),
                    ]
                )
            elif not row.reported:
                lines.append([f"`{name}`", mode, row.shows, "–", "done", "", "", code_text(row, result)])
    headings = ["row", "mode", "figure", "book", "here", "difference", "allowed", "code"]
    return Section("At a glance", 2, [RULE, CODE, Table(headings, lines)] if lines else ["Nothing was run yet."])


def code_text(row: Experiment, result: ExperimentResult) -> str:
    """Whether a row's figures are those that the code of now gives."""
    plan = Variant(result.scale, result.mode, source=result.source)
    return told(list(result.states(partial(of_row, row, plan)).values()))


def main_figures(row: Experiment, result: ExperimentResult) -> list[Compared]:
    """A row's figures, those at the end of training before those at its beginning."""
    lines = compared(row, result)
    return sorted(lines, key=lambda c: c.reported.figure.endswith(("_first", " first", "/start")))


def row_section(row: Experiment, found: Sequence[ExperimentResult], results: Path) -> Section:
    """Everything about one row."""
    section = Section(f"{row.name}: {row.shows}", 3)
    place = f"Chapter {row.chapter}" if row.chapter[0].isdigit() else row.chapter.capitalize()
    section.blocks.append(f"{place}. Setting: {row.setup}.")
    lines = []
    for result in found:
        mode = [result.mode] if len(found) > 1 or len(row.modes) > 1 else []
        for c in compared(row, result):
            text = c.reported.text or c.reported.figure
            chosen = " (chosen on test)" if c.reported.chosen_on_test else ""
            split = c.reported.split or "–"
            book = c.book_text.replace(f", {split}", "")
            lines.append([*mode, text + chosen, split, book, c.ours_text, marked_difference(c), allowed_text(c)])
        for key, split in further(row, result):
            values = values_of(result, key)
            ours = mean_sd_text(summarize(values), unit_of(key))
            lines.append([*mode, f"`{key}`", split, "", ours, "", ""])
    if lines:
        headings = ["mode", "figure", "split", "book", "here", "difference", "allowed"]
        section.blocks.append(Table(headings[-len(lines[0]) :], lines))
    section.blocks += sorted({note for r in found for result in r.results.values() for note in result.notes})
    section.blocks += explained(row, found)
    section.blocks.append(how(row, found))
    for result in found:
        folder = row_path(results, row.name, result.mode, result.scale).parent
        for picture in result.pictures:
            section.pictures.append((f"{row.name}, {picture.split('.')[-2]}", folder / picture))
    return section


def explained(row: Experiment, found: Sequence[ExperimentResult]) -> list[str]:
    """What did not come out, mode by mode, with the likely cause; where all did, what is to be said all the same."""
    told = []
    for result in found:
        off = [c for c in compared(row, result) if c.notable]
        if not off:
            continue
        names = "; ".join(dict.fromkeys(c.reported.text or c.reported.figure for c in off))
        mode = f" ({result.mode})" if len(row.modes) > 1 else ""
        cause = row.corrected if result.mode == CORRECTED and row.corrected else row.cause
        told.append(
            f"Further off{mode} than our spread explains: {names}. {sentence(cause) or 'The cause is not known.'}"
        )
    if not told and row.cause and row.reported:
        told.append(sentence(row.cause))
    return told


def sentence(text: str) -> str:
    """Text with a capital at its beginning and a full stop at its end."""
    return text and text[0].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def further(row: Experiment, result: ExperimentResult) -> list[tuple[str, str]]:
    """Figures of ours that the book does not state, where there are few: above all honest test accuracies."""
    shown = {c.reported.figure for c in compared(row, result)}
    first = next(iter(result.results.values()))
    keys = [k for k in first.figures if k not in shown]
    honest = [k for k in keys if k.endswith("/test")]
    lengths = [k for k in keys if k.endswith("/epochs")]
    if len({first.figures[k] for k in lengths}) < 2:  # else how long each training went on is a result, too
        keys = [k for k in keys if k not in lengths]
    keys = [k for k in keys if not same_as_last(k, first.figures)]
    honest = [k for k in honest if k in keys]
    if not row.reported:
        plain = [k for k in keys if not k.endswith(("/seconds", "_epoch", "_first"))]
        keys = plain if len(plain) <= 16 else honest
    elif honest and len(honest) <= 6:
        keys = honest
    else:
        keys = [] if len(keys) > 8 else [k for k in keys if not k.endswith("/seconds")]
    return [(key, split_of(key)) for key in keys]


def difference_text(c: Compared) -> str:
    """Ours minus the book's, with a sign."""
    if c.difference is None:
        return ""
    unit = c.reported.unit
    size = number(abs(c.difference), unit)
    sign = "" if not float(size.replace(",", "")) else "−" if c.difference < 0 else "+"
    return f"{sign}{size}{'' if unit == '%' else unit_text(unit)}"


def marked_difference(c: Compared) -> str:
    """The difference, bold where it is more than chance and rounding allow."""
    text = difference_text(c)
    return f"**{text}**" if c.notable else text


def allowed_text(c: Compared) -> str:
    """How far ours may be from the book's by chance and rounding."""
    return f"± {number(c.allowed, c.reported.unit)}" if c.difference is not None else ""


def how(row: Experiment, found: Sequence[ExperimentResult]) -> str:
    """The command, how long it took, and where."""
    seconds = sum(s for result in found for s in result.seconds.values())
    seeds = max(len(result.results) for result in found)
    scale = "" if found[0].scale == "default" else f" --{found[0].scale}"
    seeds_text = f" --seeds {seeds}" if row.chance else ""
    took = duration(seconds) if seconds >= 1 else f"{seconds:.2f} s"
    total = (
        f"{took} in all" + (f" for {seeds} seeds" if seeds > 1 else "") + (" and both modes" if len(found) > 1 else "")
    )
    source = "" if found[0].source == "mnist" else " Images: scikit-learn's digits, enlarged."
    mode = f" --mode {found[0].mode}" if len(found) < len(row.modes) else ""
    command = f"`digitlab reproduce run {row.name}{mode}{scale}{seeds_text}`"
    return f"{command}: {total} (one process). {found[0].finished}, {found[0].machine}.{source}"


def not_run(rows: Sequence[tuple[Experiment, str]]) -> Section:
    """The rows without a result in a mode, and what they would take."""
    lines = [
        [f"`{row.name}`", mode, row.shows, shortened(reported_text(row)), cost_text(row, modes=len(row.modes))]
        for row, mode in rows
    ]
    text = "`digitlab reproduce run NAME …` runs them; what is done is kept, so that they may be stopped at any time."
    headings = ["row", "mode", "what it shows", "book", "estimate (3 seeds, one core)"]
    return Section("Not run yet", 2, [text, Table(headings, lines)])


def reported_text(row: Experiment) -> list[str]:
    """The book's figures in short."""
    return [c.book_text for c in compared(row, None)]


def shortened(texts: Sequence[str]) -> str:
    """The first of several, and how many more there are."""
    more = f" (+{len(texts) - 1})" if len(texts) > 1 else ""
    return texts[0] + more if texts else "–"


def cost_text(row: Experiment, seeds: int = 3, modes: int = 1) -> str:
    """What a row takes with so many seeds, on one core; one of so many modes."""
    return duration(60 * row.minutes * (seeds if row.chance else 1) / modes)


def figures_of(result: ExperimentResult) -> dict[str, Any]:
    """A row's figures over its seeds, for a file beside the report."""
    names = list(dict.fromkeys(key for r in result.results.values() for key in r.figures))
    values = {name: values_of(result, name) for name in names}
    return {
        "scale": result.scale,
        "seeds": len(result.results),
        "seconds": sum(result.seconds.values()),
        "machine": result.machine,
        "version": result.version,
        "finished": result.finished,
        "source": result.source,
        "code": [asdict(code) for code in dict.fromkeys(result.code.values())],
        "figures": {name: {"mean": (s := summarize(v)).mean, "sd": s.sd, "values": v} for name, v in values.items()},
    }
