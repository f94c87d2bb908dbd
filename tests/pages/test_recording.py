"""The recording of docs/recording.py: ten commands on screens of 80×24, without a line that a terminal would break."""

import html
import re
import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
CELL, LINE = 8.4, 18


def screens(svg: str) -> list[dict[int, str]]:
    """The text of each screen by row."""
    found = []
    for group in svg.split('<g class="s"')[1:]:
        rows: dict[int, str] = {}
        for x, y, text in re.findall(r'<text x="([\d.]+)" y="(\d+)"[^>]*>(.*?)</text>', group):
            row, column = int(y) // LINE - 1, round(float(x) / CELL)
            rows[row] = rows.get(row, "").ljust(column) + html.unescape(text)
        found.append(rows)
    return found


def test_the_recording_shows_every_command_on_screens_of_80_by_24():
    path = DOCS / "pictures" / "terminal.svg"
    assert path.stat().st_size < 300_000
    svg = path.read_text(encoding="utf-8")
    assert re.findall(r"https?://[^\"]+", svg) == ["http://www.w3.org/2000/svg"]
    shown = screens(svg)
    assert all(0 <= row < 24 and len(text) <= 80 for rows in shown for row, text in rows.items())
    prompts = [text[2:] for rows in shown for text in rows.values() if text.startswith("$ digitlab ")]
    commands = runpy.run_path(str(DOCS / "recording.py"))["COMMANDS"]
    assert prompts == list(commands) and len(prompts) == 10
    assert not any("Traceback" in text or "✂" in text for rows in shown for text in rows.values())
