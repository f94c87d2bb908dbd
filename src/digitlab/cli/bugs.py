"""`digitlab bugs`: a zoo of real bugs to look at, and a game to find and repair one."""

from pathlib import Path

import click

from digitlab.cli.shared.options import Group

file_argument = click.argument("file", type=click.Path(path_type=Path), default="network.py", required=False)


@click.group("bugs", cls=Group, invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """List real bugs of neural-network programs, or find and repair one.

    `digitlab bugs play` writes a program with one of them. Find it with the tools of `digitlab bugs check`, repair the
    file, and check again.
    """
    from digitlab.bugs import BUGS
    from digitlab.cli.shared.console import say, table

    if context.invoked_subcommand is None:
        rows = [[str(number), bug.title, bug.tool, bug.name] for number, bug in enumerate(BUGS, 1)]
        say(table(["", "bug", "found by", "name"], rows, left=4))
        say("\nshow one: digitlab bugs show 1\nfind one: digitlab bugs play")


@command.command("show")
@click.argument("bug")
def show(bug: str) -> None:
    """Show a bug: its story, symptoms, the tool that finds it, the patch and the fix.

    BUG is its number in the list, or its name.
    """
    import difflib
    import tempfile

    from digitlab.bugs import check_program
    from digitlab.bugs.bug import HEALTHY
    from digitlab.bugs.play import curves, find_bug
    from digitlab.cli.shared.console import say

    found = find_bug(bug)
    say(f"{found.title}\n\n{found.story}\nsource: {found.source}\n\nsymptoms: {found.symptoms}")
    with tempfile.TemporaryDirectory() as place:
        for name, values in curves(found, Path(place)).items():
            say(f"valid_accuracy {name:<12} {' '.join(f'{100 * value:3.0f}' for value in values)}  %, epoch by epoch")
        program = Path(place) / "network.py"
        program.write_text(found.program(), encoding="utf-8")
        say(f"\nhint: {found.hint}\n\n{check_program(program, [found.tool])}\n")
    lines = difflib.unified_diff(HEALTHY.splitlines(), found.program().splitlines(), lineterm="", n=1)
    say("\n".join(line for line in lines if not line.startswith(("---", "+++"))))
    say(f"\nfix: {found.fix}")


@command.command("play")
@click.option("--out", type=click.Path(path_type=Path), default="network.py", show_default=True, help="File to write.")
@click.option("--seed", type=click.IntRange(0), help="Seed that chooses the bug. [default: another one each time]")
def play(out: Path, seed: int | None) -> None:
    """Write a program with an unknown bug, to find and to repair."""
    from digitlab.bugs.play import hand_out
    from digitlab.cli.shared.console import say
    from digitlab.errors import quoted

    hand_out(out, seed=seed)
    say(f"{out}: a network that reads digits, with one bug; `python {quoted(out)}` trains it")
    say(f"find it: digitlab bugs check {quoted(out)} --tool look   (or gradcheck, explain, doctor)")
    say(f"a hint: digitlab bugs hint {quoted(out)}")
    say(f"repaired? digitlab bugs check {quoted(out)}")


@command.command("hint")
@file_argument
def hint(file: Path) -> None:
    """Say where to look for the bug in a file of `digitlab bugs play`."""
    from digitlab.bugs.play import handed_out
    from digitlab.cli.shared.console import say
    from digitlab.errors import ConfigError

    if (bug := handed_out(file)) is None:
        raise ConfigError(f"{file}: its last line does not say which bug it was given; `digitlab bugs play` writes it")
    say(bug.hint)
    say(f"a tool that finds it: {bug.tool}")


@command.command("check")
@file_argument
@click.option(
    "--tool",
    "tools",
    multiple=True,
    type=click.Choice(["gradcheck", "explain", "look", "doctor"]),
    help="Tool to run; several may be given. [default: all]",
)
def check(file: Path, tools: tuple[str, ...]) -> int:
    """Say what the tools find in a program, and whether it is repaired.

    The program is run: check files that you wrote or know. The exit code is 1 if a tool finds something.
    """
    from digitlab.bugs import check_program
    from digitlab.bugs.play import handed_out
    from digitlab.bugs.tools import TOOLS
    from digitlab.cli.shared.console import say

    report = check_program(file, tools or tuple(TOOLS))
    say(str(report))
    if not report:
        return 1
    if not tools:
        bug = handed_out(file)
        say("repaired" + (f"; it was: {bug.title}. Its story: digitlab bugs show {bug.name}" if bug else ""))
    return 0
