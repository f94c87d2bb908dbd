"""The code in a Markdown page: blocks in fences and indented ones, what kind they are, and what a page says of them.

A block is not run where the page's source says why, in a comment before it:

    <!-- not run: it takes an hour -->

and a page that goes on with the runs of another one says so anywhere:

    <!-- after: see-imagine.md -->
"""

import re
import shlex
from dataclasses import dataclass, field

PROGRAMS = ("digitlab", "python", "python3", "pip", "cp", "dask", "pytest", ".venv/bin/digitlab")
NOT_RUN = re.compile(r"<!-- not run: (.+?) -->", re.DOTALL)
AFTER = re.compile(r"<!-- after: (\S+\.md) -->")


@dataclass
class Block:
    """A block of a page: its language ("" if none is given), first line's number, lines, and why it is not run."""

    language: str
    line: int
    lines: list[str] = field(default_factory=list)
    why_not: str = ""

    @property
    def text(self) -> str:
        return "\n".join(self.lines) + "\n"

    @property
    def commands(self) -> list[str]:
        """The commands of a block for the shell, each on one line; [] for a block of output, or of another language."""
        if self.language not in ("", "sh"):
            return []
        found, open_ = [], False
        for text in self.lines:
            if open_:
                found[-1] += " " + text.strip().removesuffix("\\")
            elif text.removeprefix("$ ").split(" ")[0] in (*PROGRAMS, "for"):
                found.append(text.removeprefix("$ ").removesuffix("\\"))
            else:
                continue
            loop = found[-1].startswith("for ") and not found[-1].endswith("done")
            open_ = text.endswith("\\") or loop
        return [command for text in found for command in unrolled(text)]

    @property
    def error(self) -> str:
        """The error that the block shows as the output of its last command; "" where that succeeds."""
        return next((text for text in self.lines if text.startswith("error: ")), "")


def blocks(page: str) -> list[Block]:
    """All blocks of a page, in their order."""
    found: list[Block] = []
    fence, why, previous = "", "", ""
    current: Block | None = None
    for number, text in enumerate(page.splitlines(), 1):
        if fence:
            if text.strip() == fence:
                fence, current = "", None
            else:
                assert current is not None
                current.lines.append(text)
        elif text.startswith("```"):
            fence = "```"
            current = Block(text[3:].strip(), number + 1, why_not=why)
            found.append(current)
            why = ""
        elif text.startswith("    ") and (current is not None or not previous.strip()):
            if current is None:
                current = Block("", number, why_not=why)
                found.append(current)
                why = ""
            current.lines.append(text[4:])
        elif not text.strip():
            if current is not None:
                current.lines.append("")
        else:
            current = None
            if match := NOT_RUN.fullmatch(text.strip()):
                why = match[1]
            else:
                why = ""
        previous = text
    return found


def unrolled(command: str) -> list[str]:
    """The commands of `for NAME in WORDS; do COMMAND done`, or the command itself."""
    loop = re.fullmatch(r"for (\w+) in (.+?); do (.+?);? done", re.sub(r"\s+", " ", command))
    if loop is None:
        return [command]
    name, words, body = loop.groups()
    return [body.replace(f"${name}", word) for word in words.split()]


def arguments(command: str) -> list[str]:
    """A command's words as the shell would take them, but for patterns of file names."""
    return shlex.split(command, comments=True)
