"""The results as pages: for each experiment the book's figures and ours, pictures, command, time, machine."""

import json
import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from digitlab.books.catalogue import BOOKS, CATALOGUE
from digitlab.books.compare import compare, mean_sd_text, values_of
from digitlab.books.experiment import CORRECTED, Experiment, Variant
from digitlab.books.fingerprint import Fingerprint, states_text
from digitlab.books.finish import draw_pictures
from digitlab.books.measure import same_as_last, split_of, unit_of
from digitlab.books.probe import of_experiment, of_table
from digitlab.books.results import ExperimentResult, read_result, result_path
from digitlab.errors import DataError, ModelFileError, in_brief
from digitlab.files import read_text
from digitlab.statistics import summarize
from digitlab.train.callbacks import duration

HEADINGS = ["figure", "split", "book", "here", "difference", "allowed"]  # of a table of figures
EARLY = ("_first", " first", "/start")  # the ends of names of figures at the beginning of training
TEXTS: dict[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Table:
    """A table: headings and rows of text."""

    headings: list[str]
    rows: list[list[str]]


@dataclass
class Section:
    """A heading and what follows it; `pictures` are (description, file). `name`: of the experiment that it is about."""

    title: str
    level: int = 2
    name: str = ""
    blocks: list[str | Table] = field(default_factory=list)
    pictures: list[tuple[str, Path]] = field(default_factory=list)


@dataclass
class Report:
    """The sections of the pages, and their figures as a table for JSON."""

    sections: list[Section]
    figures: dict[str, Any]


def make_report(
    results: Path,
    *,
    quick: bool = False,
    accuracy: Path | None = None,
    note: str = "",
    experiments: Sequence[Experiment] = tuple(CATALOGUE.values()),
) -> Report:
    """Gather a results folder; its result files are enough. With `quick` the quick runs, else the others."""
    found = {experiment.name: results_of(experiment, results, quick) for experiment in experiments}
    title, texts = ("Your own experiments", TEXTS["own"]) if are_own(experiments) else ("Reproduction", TEXTS)
    intro = [texts["intro"], *([texts["quick"]] if quick else [])]
    sections = [Section(title, 1, blocks=intro), summary(experiments, found)]
    reading = [text.replace("{written}", date.today().isoformat()) for text in texts["reading"]]
    sections.append(Section("How to read the figures", blocks=[*reading, *([note] if note else [])]))
    if accuracy is not None and accuracy.is_file():
        sections.append(everyday(accuracy))
    book = ""
    for experiment in experiments:
        if not found[experiment.name]:
            continue
        if experiment.book != book:
            book = experiment.book
            sections.append(Section(BOOKS.get(book, book)))
        sections.append(experiment_section(experiment, found[experiment.name], results))
    waiting = [(e, mode) for e in experiments for mode in e.modes if mode not in {r.mode for r in found[e.name]}]
    if waiting:
        sections.append(not_run(waiting))
    figures = {name: {r.mode: figures_of(r) for r in some} for name, some in found.items() if some}
    return Report(sections, figures)


def are_own(experiments: Sequence[Experiment]) -> bool:
    """Whether all of these are the reader's own, from files."""
    return all(experiment.file for experiment in experiments)


def headings_of(experiments: Sequence[Experiment]) -> list[str]:
    """HEADINGS; what an experiment of the reader's own is compared with is no book."""
    return [name if name != "book" or not are_own(experiments) else "expected" for name in HEADINGS]


def results_of(experiment: Experiment, results: Path, quick: bool) -> list[ExperimentResult]:
    """The stored results of an experiment: for each mode that of the fullest scale."""
    found = []
    for mode in experiment.modes:
        scales = ("quick",) if quick else ("full", "default")
        paths = (result_path(results, experiment.name, mode, scale) for scale in scales)
        if path := next((path for path in paths if path.is_file()), None):
            result = read_result(path)
            if not all((path.parent / picture).is_file() for picture in result.pictures):  # a result file on its own
                drawn = draw_pictures(experiment, list(result.results.values()), variant_of(result), path)
                result = replace(result, pictures=drawn)
            found.append(result)
    return found


def variant_of(result: ExperimentResult) -> Variant:
    """The variant of a stored result."""
    return Variant(result.scale, result.mode, source=result.source)


def everyday(path: Path) -> Section:
    """The accuracy of `digitlab train`, from the file of benchmarks/accuracy.py. Raises ModelFileError for another."""
    try:
        rows = [_everyday_row(entry) for entry in json.loads(read_text(path)).values()]
    except DataError:
        raise
    except json.JSONDecodeError as error:
        raise ModelFileError(f"{path}: not JSON: {in_brief(error)}; benchmarks/accuracy.py writes it") from None
    except (ValueError, LookupError, TypeError, AttributeError):
        raise ModelFileError(f"{path}: holds no accuracies; expected a file of benchmarks/accuracy.py") from None
    headings = ["setting", "validation (%)", "test (%)", "n", "training", "code"]
    return Section("What `digitlab train` reaches", blocks=[TEXTS["everyday"], Table(headings, rows)])


def _everyday_row(entry: Any) -> list[str]:
    runs = entry["runs"]
    columns = {part: [run[part] for run in runs] for part in ("valid", "test", "seconds")}
    texts = [summarize(columns[part]).text() for part in ("valid", "test")]
    code = Fingerprint(**entry.get("code", {})).state(partial(of_table, entry.get("config")))
    seconds = f"{summarize(columns['seconds']).mean:.0f} s"
    return [entry["setting"], *texts, str(len(runs)), seconds, states_text([code])]


def summary(experiments: Sequence[Experiment], found: dict[str, list[ExperimentResult]]) -> Section:
    """One line for each experiment: its main figure."""
    rows = []
    for experiment in experiments:
        for result in found[experiment.name]:
            # Figures at the beginning of training come last.
            lines = sorted(compare(experiment, result), key=lambda c: c.reported.figure.endswith(EARLY))
            first = next((c for c in lines if c.ours is not None), None)
            if first is not None:
                cells = [first.reported.name, first.book_text, first.ours_text, first.difference_text]
                cells.append(first.allowed_text)
            elif not experiment.reported:
                cells = [experiment.title, "–", "done", "", ""]
            else:
                continue
            mode = result.mode if len(experiment.modes) > 1 else ""
            code = states_text(list(result.states(partial(of_experiment, experiment, variant_of(result))).values()))
            rows.append([f"[`{experiment.name}`](experiments/{experiment.name}.md)", mode, *cells, code])
    figure, _, *compared = headings_of(experiments)
    headings = ["experiment", "mode", figure, *compared, "code"]
    blocks: list[str | Table] = [Table(headings, rows)] if rows else ["Nothing was run yet."]
    return Section("At a glance", blocks=blocks)


def experiment_section(experiment: Experiment, found: Sequence[ExperimentResult], results: Path) -> Section:
    """Everything about one experiment."""
    section = Section(f"{experiment.name}: {experiment.title}", 3, experiment.name)
    if experiment.teaches:
        section.blocks.append(f"**What it shows.** {experiment.teaches}")
    section.blocks.append(f"**Setting.** {place_text(experiment)}: {experiment.setup}.")
    rows = []
    for result in found:
        mode = [result.mode] if len(found) > 1 or len(experiment.modes) > 1 else []
        rows += [[*mode, *row] for row in figure_rows(experiment, result)]
    if rows:
        mode = ["mode"] if len(rows[0]) > len(HEADINGS) else []
        section.blocks.append(Table([*mode, *headings_of([experiment])], rows))
    section.blocks += sorted({note for r in found for result in r.results.values() for note in result.notes})
    section.blocks += [f"**Why they differ.** {text}" for text in explained(experiment, found)]
    section.blocks.append(f"**Command.** {how(experiment, found)}")
    for result in found:
        folder = result_path(results, experiment.name, result.mode, result.scale).parent
        for picture in result.pictures:
            of_mode = f", {result.mode}" if len(found) > 1 else ""
            section.pictures.append((f"{experiment.title}{of_mode}: {picture.split('.')[-2]}", folder / picture))
    return section


def place_text(experiment: Experiment) -> str:
    """Where the experiment is from: the chapter, with its page where the book is on the web, or the file."""
    if experiment.file:
        return f"File `{experiment.file}`"
    chapter = experiment.chapter
    if not chapter[0].isdigit():
        return chapter.capitalize()
    page = TEXTS["chapter_pages"].get(experiment.book, "").format(chapter[0])
    return f"[Chapter {chapter}]({page})" if page else f"Chapter {chapter}"


def figure_rows(experiment: Experiment, result: ExperimentResult) -> list[list[str]]:
    """Each figure of an experiment in one mode, as a row under HEADINGS: the book's figures, then others of ours."""
    rows = []
    for c in compare(experiment, result):
        text = c.reported.name + (" (chosen on test)" if c.reported.chosen_on_test else "")
        split = c.reported.split or "–"
        book = c.book_text.replace(f", {split}", "")
        rows.append([text, split, book, c.ours_text, c.difference_text, c.allowed_text])
    for key in other_figures(experiment, result):
        ours = mean_sd_text(summarize(values_of(result, key)), unit_of(key))
        rows.append([f"`{key}`", split_of(key), "", ours, "", ""])
    return rows


def explained(experiment: Experiment, found: Sequence[ExperimentResult]) -> list[str]:
    """For each mode the figures that differ from the book's, with the likely cause; without any, the remark alone."""
    texts = []
    for result in found:
        names = dict.fromkeys(c.reported.name for c in compare(experiment, result) if c.notable)
        if not names:
            continue
        mode = f" ({result.mode})" if len(experiment.modes) > 1 else ""
        cause = experiment.corrected if result.mode == CORRECTED and experiment.corrected else experiment.cause
        cause = sentence(cause) or "The cause is not known."
        texts.append(f"Differs{mode} by more than chance explains: {'; '.join(names)}. {cause}")
    if not texts and experiment.cause and experiment.reported:
        texts.append(sentence(experiment.cause))
    return texts


def sentence(text: str) -> str:
    """Text with a capital at its beginning and a full stop at its end."""
    return text and text[0].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")


def other_figures(experiment: Experiment, result: ExperimentResult) -> list[str]:
    """Our figures that the book does not state, if there are few: above all honest test accuracies."""
    shown = {reported.figure for reported in experiment.reported}
    figures = next(iter(result.results.values())).figures
    keys = [k for k in figures if k not in shown and not same_as_last(k, figures)]
    lengths = [k for k in keys if k.endswith("/epochs")]
    if len({figures[k] for k in lengths}) < 2:  # else the length of each training is a result, too
        keys = [k for k in keys if k not in lengths]
    honest = [k for k in keys if k.endswith("/test")]
    if not experiment.reported:
        plain = [k for k in keys if not k.endswith(("/seconds", "_epoch", "_first"))]
        return plain if len(plain) <= 16 else honest
    if honest and len(honest) <= 6:
        return honest
    return [] if len(keys) > 8 else [k for k in keys if not k.endswith("/seconds")]


def how(experiment: Experiment, found: Sequence[ExperimentResult]) -> str:
    """The command, how long it took, and where."""
    first = found[0]
    seconds = sum(s for result in found for s in result.seconds.values())
    seeds = max(len(result.results) for result in found)
    scale = "" if first.scale == "default" else f" --{first.scale}"
    seeds_option = f" --seeds {seeds}" if experiment.seeded else ""
    mode = f" --mode {first.mode}" if len(found) < len(experiment.modes) else ""
    took = duration(seconds) if seconds >= 1 else f"{seconds:.1f} s" if seconds >= 0.1 else "less than 0.1 s"
    total = f"{took} in all{f' for {seeds} seeds' if seeds > 1 else ''}{' and both modes' if len(found) > 1 else ''}"
    source = "" if first.source == "mnist" else " Images: scikit-learn's digits, enlarged."
    command = f"`digitlab reproduce run {experiment.file or experiment.name}{mode}{scale}{seeds_option}`"
    return f"{command}: {total} (one process). {first.finished}, {first.machine}.{source}"


def not_run(waiting: Sequence[tuple[Experiment, str]]) -> Section:
    """The experiments without a result in a mode, and their estimated time."""
    rows = [[f"`{e.name}`", mode, e.title, reported_text(e), cost_text(e, modes=len(e.modes))] for e, mode in waiting]
    headings = ["experiment", "mode", "what it shows", "book", "estimate (3 seeds, one core)"]
    return Section("Not run yet", blocks=[TEXTS["waiting"], Table(headings, rows)])


def reported_text(experiment: Experiment) -> str:
    """The first figure of the book, and how many more there are."""
    texts = [c.book_text for c in compare(experiment, None)]
    more = f" (+{len(texts) - 1})" if len(texts) > 1 else ""
    return texts[0] + more if texts else "–"


def cost_text(experiment: Experiment, seeds: int = 3, modes: int = 1) -> str:
    """The estimated time for so many seeds, on one core; for one of so many modes."""
    return duration(60 * experiment.minutes * (seeds if experiment.seeded else 1) / modes)


def figures_of(result: ExperimentResult) -> dict[str, Any]:
    """An experiment's figures over its seeds, for a file with the report's figures."""
    names = list(dict.fromkeys(key for r in result.results.values() for key in r.figures))
    values = {name: values_of(result, name) for name in names}
    return {
        **{name: getattr(result, name) for name in ("scale", "machine", "version", "finished", "source")},
        "seeds": len(result.results),
        "seconds": sum(result.seconds.values()),
        "code": [asdict(code) for code in dict.fromkeys(result.code.values())],
        "figures": {name: {"mean": (s := summarize(v)).mean, "sd": s.sd, "values": v} for name, v in values.items()},
    }
