"""A bug of the zoo: a patch of network.py with its story, symptoms, the tool that finds it, and the fix."""

from dataclasses import dataclass
from pathlib import Path

HEALTHY = (Path(__file__).parent / "network.py").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Bug:
    """One bug.

    title     what is wrong, in a few words; `name` is made from it
    story     where such a bug was met, and `source` where to read about it
    patch     (text, replacement) pairs that put it into network.py
    symptoms  what one sees from outside
    hint      where to look
    tool      the tool that finds it: "gradcheck", "explain", "look" or "doctor" (tools.py)
    fix       how to repair it
    """

    title: str
    story: str
    source: str
    patch: tuple[tuple[str, str], ...]
    symptoms: str
    hint: str
    tool: str
    fix: str

    @property
    def name(self) -> str:
        """The title as one word of the command line: "Softmax over the wrong axis" is softmax-over-the-wrong-axis."""
        return "-".join("".join(c if c.isalnum() else " " for c in self.title.lower()).split())

    def program(self) -> str:
        """network.py with this bug. Raises ValueError if a text of the patch is not there once."""
        text = HEALTHY
        for old, new in self.patch:
            if text.count(old) != 1:
                raise ValueError(f"{self.title}: network.py has {old!r} {text.count(old)} times, expected once")
            text = text.replace(old, new)
        return text
