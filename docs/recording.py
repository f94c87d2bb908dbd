"""Records ten commands in a terminal of 80×24 as docs/pictures/terminal.svg: python docs/recording.py

Each command runs in a pseudo-terminal, and pyte says what the screen shows. The picture shows a screen after the other;
a longer output takes several. MNIST must be on this machine. Fails if a line is longer than 80 characters: the terminal
would break it.
"""

import fcntl
import os
import pty
import shlex
import struct
import subprocess
import sys
import tempfile
import termios
from html import escape
from itertools import groupby
from pathlib import Path

import pyte

COLUMNS, ROWS = 80, 24
SECONDS = 4  # that a screen is shown
CELL, LINE = 8.4, 18  # pixels
OUT = Path(__file__).parent / "pictures" / "terminal.svg"
COMMANDS = (
    "digitlab train --epochs 3 --run first",
    "digitlab test first",
    "digitlab train --loss cross-entropy --epochs 3 --run second",
    "digitlab compare first second",
    "digitlab info second",
    "digitlab failures second --out failures.png",
    "digitlab gradcheck 784-30-10",
    "digitlab lr-find --net 784-30-10",
    "digitlab reproduce run average-darkness",
    "digitlab train --lambda 5",
)
COLOURS = {
    "default": "#d4d4d4",
    "red": "#f48771",
    "green": "#89d185",
    "brown": "#dcdcaa",
    "blue": "#79b8ff",
    "magenta": "#c586c0",
    "cyan": "#4ec9b0",
    "black": "#808080",
    "white": "#ffffff",
}


def screen_of(command: str, folder: Path) -> list[list[pyte.screens.Char]]:
    """The lines that a terminal shows after a command, its prompt included."""
    # Wider and higher than the terminal that the command sees: a line that the terminal would break shows its length.
    screen = pyte.Screen(4 * COLUMNS, 40 * ROWS)
    stream = pyte.ByteStream(screen)
    stream.feed(f"$ {command}\r\n".encode())
    main, side = pty.openpty()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    program = f"{shlex.quote(sys.executable)} -m digitlab"
    line = f"stty -F /dev/stdout -echo 2>/dev/null; {command.replace('digitlab', program, 1)}"
    environment = {**os.environ, "TERM": "xterm-256color"}
    environment.pop("COLUMNS", None)
    process = subprocess.Popen(line, shell=True, cwd=folder, stdin=side, stdout=side, stderr=side, env=environment)
    os.close(side)
    while True:
        try:
            piece = os.read(main, 65536)
        except OSError:  # the other end is closed: the command has ended
            break
        if not piece:
            break
        stream.feed(piece)
    process.wait()
    lines = [[screen.buffer[y][x] for x in range(4 * COLUMNS)] for y in range(screen.cursor.y + 1)]
    texts = ["".join(cell.data for cell in line).rstrip() for line in lines]
    if too_long := [text for text in texts if len(text) > COLUMNS]:
        raise SystemExit(f"{command}: a line of {len(too_long[0])} characters, more than {COLUMNS}: {too_long[0]}")
    while texts and not texts[-1]:
        texts.pop()
    return [line[:COLUMNS] for line in lines[: len(texts)]]


def drawn(line: list[pyte.screens.Char], row: int) -> str:
    """One line as SVG: a text for each stretch of one colour."""
    texts, x = [], 0
    for (colour, bold), cells in groupby(line, key=lambda cell: (cell.fg, cell.bold)):
        text = "".join(cell.data for cell in cells)
        if text.strip():
            start = len(text) - len(text.lstrip())
            shown = text.strip()
            place = f'x="{(x + start) * CELL:.1f}" y="{(row + 1) * LINE}" textLength="{len(shown) * CELL:.1f}"'
            fill = COLOURS.get(colour, COLOURS["default"])
            weight = ' font-weight="bold"' if bold else ""
            texts.append(f'<text {place} fill="{fill}"{weight}>{escape(shown)}</text>')
        x += len(text)
    return "".join(texts)


def picture(screens: list[list[list[pyte.screens.Char]]]) -> str:
    """The screens one after the other, again and again; the first alone where motion is not wanted."""
    width, height, whole = COLUMNS * CELL + 24, ROWS * LINE + 24, SECONDS * len(screens)
    share = 100 / len(screens)
    style = (
        "text{font:14px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;white-space:pre}"
        f".s{{visibility:hidden;animation:s {whole}s step-end infinite}}"
        f"@keyframes s{{0%{{visibility:visible}}{share:.3f}%{{visibility:hidden}}}}"
        "@media (prefers-reduced-motion:reduce){.s{animation:none}.s:first-of-type{visibility:visible}}"
    )
    groups = [
        f'<g class="s" style="animation-delay:{i * SECONDS}s">'
        + "\n".join(filter(None, (drawn(line, row) for row, line in enumerate(lines))))
        + "</g>"
        for i, lines in enumerate(screens)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img" '
        f'aria-label="ten digitlab commands in a terminal of 80 columns"><style>{style}</style>'
        f'<rect width="{width:.0f}" height="{height:.0f}" rx="6" fill="#1e1e1e"/><g transform="translate(12 8)">\n'
        + "\n".join(groups)
        + "\n</g></svg>\n"
    )


def main() -> None:
    screens = []
    with tempfile.TemporaryDirectory() as folder:
        for command in COMMANDS:
            lines = screen_of(command, Path(folder))
            screens += [lines[i : i + ROWS] for i in range(0, len(lines), ROWS)]
    OUT.write_text(picture(screens), encoding="utf-8")
    print(f"{OUT}: {len(COMMANDS)} commands, {len(screens)} screens, {OUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
