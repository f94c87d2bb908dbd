"""`digitlab lesson`: a course in the terminal, with exercises that are checked."""

from pathlib import Path
from typing import Any

import click

from digitlab.cli.shared.options import Group, OutputFile, PageFile


class Lessons(Group):
    """`digitlab lesson 5` is `digitlab lesson show 5`."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        return super().resolve_command(ctx, ["show", *args] if args[0].isdecimal() else args)


@click.group("lesson", cls=Lessons, invoke_without_command=True, subcommand_metavar="[N] | COMMAND [ARGS]...")
@click.pass_context
def command(context: click.Context) -> None:
    """List the lessons of the course, or go through one.

    `digitlab lesson 1` shows the first lesson page by page and runs its code. It works without a network connection.
    """
    if context.invoked_subcommand is not None:
        return

    from digitlab.cli.shared.console import say, table
    from digitlab.lessons import lessons
    from digitlab.lessons.progress import Progress, load_progress

    progress = load_progress()
    rows = []
    for lesson in lessons():
        done = progress.get(lesson.number, Progress())
        solved = sum(exercise.title in done.solved for exercise in lesson.exercises)
        exercises = f"{solved}/{len(lesson.exercises)}"
        rows.append([str(lesson.number), lesson.title, "yes" if done.read else "", exercises, str(lesson.minutes)])
    say(table(["", "lesson", "read", "exercises", "minutes"], rows, left=3))
    following = next((each for each in lessons() if not progress.get(each.number, Progress()).read), lessons()[0])
    say(f"\nnext: digitlab lesson {following.number}")


@command.command("show")
@click.argument("number", type=int)
@click.option("--run/--no-run", default=True, show_default=True, help="Run the code of the lesson.")
@click.option("--solutions", is_flag=True, help="Show the solutions of the exercises, and nothing else.")
def show(number: int, run: bool, solutions: bool) -> None:
    """Go through lesson NUMBER: its text page by page, and run its code as you go."""
    import sys

    from rich.console import Console
    from rich.markdown import Markdown

    from digitlab.cli.shared.console import LINE, columns, say
    from digitlab.errors import quoted
    from digitlab.files import write_text
    from digitlab.lessons import one_lesson
    from digitlab.lessons.progress import keep_progress

    lesson = one_lesson(number)
    console = Console(width=min(columns(sys.stdout) or LINE, 100), highlight=False)
    asks = sys.stdin.isatty() and sys.stdout.isatty()

    def write(text: str) -> None:
        console.print(Markdown(text, code_theme="ansi_dark", hyperlinks=False))
        console.print()

    if solutions:
        for exercise in lesson.exercises:
            write(f"## {exercise.title}\n\n```python\n{exercise.solution}```")
        return
    write(f"# Lesson {number}: {lesson.title}\n\n{lesson.minutes} minutes · {lesson.books}")
    write(f"**Predict first.** {lesson.prediction}")
    prediction = click.prompt("Your prediction", default="", show_default=False) if asks else ""
    _go_through(lesson, write, run=run, asks=asks)
    if prediction:
        write(f"You predicted: {prediction}\n\nWere you right? Say why, in one sentence, before you go on.")
    keep_progress(lesson, read=True, prediction=prediction)
    for exercise in lesson.exercises:
        write(f"## Exercise: {exercise.title}\n\n{exercise.task}")
    if not Path(lesson.file).exists():
        write_text(lesson.file, lesson.answers)
    say(f"answer the exercises in {quoted(lesson.file)}, then: digitlab lesson check {number}")
    say(f"solutions: digitlab lesson {number} --solutions")


def _go_through(lesson: Any, write: Any, *, run: bool, asks: bool) -> None:
    """The text and code of a lesson; with `asks`, a key continues at each heading."""
    from digitlab.cli.shared.console import say
    from digitlab.lessons.progress import folder
    from digitlab.lessons.running import run_block, save_picture

    names: dict[str, Any] = {"__name__": "lesson"}
    blocks = 0
    for i, part in enumerate(lesson.parts):
        if part.kind == "text":
            if asks and i and part.text.startswith("## "):
                click.pause("Press a key to continue, Ctrl-C to stop.")
            write(part.text)
        elif part.kind == "code":
            blocks += 1
            write(f"```python\n{part.text}```")
            if run:
                value = run_block(part.text, names, f"lesson {lesson.number}, block {blocks}")
                if (saved := save_picture(value, folder() / "pictures" / f"{lesson.slug}-{blocks}")) is not None:
                    say(f"picture: {saved}\n")
                elif value is not None:
                    say(f"{value!r}\n")
                else:
                    say("")
        elif part.kind == "output" and not run:
            write(f"```text\n{part.text}```")


@command.command("check")
@click.argument("number", type=int)
@click.argument("file", type=click.Path(path_type=Path), required=False)
def check(number: int, file: Path | None) -> int:
    """Run the tests of the exercises of lesson NUMBER on your answers.

    FILE is lesson-NN.py in this folder by default; it is run. The exit code is 1 if an exercise is not solved yet.
    """
    from digitlab.cli.shared.console import say
    from digitlab.lessons import lessons, one_lesson
    from digitlab.lessons.checking import check_file
    from digitlab.lessons.progress import keep_progress

    lesson = one_lesson(number)
    verdicts = check_file(lesson, file or lesson.file)
    for verdict in verdicts:
        say(f"{verdict.title}: {verdict.problem or 'solved'}")
    solved = [verdict.title for verdict in verdicts if not verdict.problem]
    keep_progress(lesson, solved=solved)
    if len(solved) < len(verdicts):
        return 1
    if number < len(lessons()):
        say(f"next: digitlab lesson {number + 1}")
    return 0


@command.command("worksheet")
@click.argument("number", type=int)
@click.option(
    "--out", type=OutputFile("a worksheet", ".pdf", ".html"), help="File to write. [default: worksheet-NN.pdf]"
)
def worksheet(number: int, out: Path | None) -> None:
    """Write the worksheet of lesson NUMBER as PDF, or as a page for the browser."""
    from digitlab.cli.shared.console import say
    from digitlab.lessons import one_lesson
    from digitlab.lessons.worksheet import write_worksheet

    path = out or Path(f"worksheet-{number:02}.pdf")
    write_worksheet(one_lesson(number), path)
    say(f"saved: {path}")


@command.command("bundle")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--packages/--no-packages",
    default=True,
    show_default=True,
    help="Fetch wheels of digitlab and what it needs, for this Python and system.",
)
def bundle(folder: Path, packages: bool) -> None:
    """Write the course into FOLDER, for use without a network connection.

    It has notebooks, worksheets, exercises, photos, MNIST if it is on this computer, and packages to install.
    """
    from digitlab.cli.shared.console import say
    from digitlab.errors import quoted
    from digitlab.lessons.bundle import write_bundle

    if packages:
        say("fetching packages; this may take minutes …")
    written, no_packages = write_bundle(folder, packages=packages)
    if packages and no_packages:
        say(f"warning: no packages to install: {no_packages}")
    size = sum(path.stat().st_size for path in written) / 1e6
    say(f"saved: {folder}, {len(written)} files, {size:.0f} MB; begin with {quoted(folder / 'README.txt')}")


@command.command("class")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--out", type=PageFile(), default="class.html", show_default=True, help="File to write.")
def class_(runs: tuple[Path, ...], out: Path) -> None:
    """Write a page with the results of many runs, the best first: one row and one curve each.

    RUNS are the folders of runs, or folders that contain some, such as runs.
    """
    from digitlab.cli.shared.console import say, tell
    from digitlab.files import write_text
    from digitlab.lessons.class_report import class_report
    from digitlab.train.run_list import read_runs

    found, left_out = read_runs(runs)
    for line in left_out:
        tell(f"left out: {line}")
    write_text(out, class_report(found))
    say(f"saved: {out}, {len(found)} runs")
