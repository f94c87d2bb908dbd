"""What a class computes, as data: its first sentence and its formulas, which its docstring has under fixed heads."""

import inspect
import re
from typing import NamedTuple

HEADS = ("Forward", "Backward", "Shapes", "Cache", "By hand", "Raises", "See")


class Formulas(NamedTuple):
    """What a layer or loss is, and its formulas forward and backward; "" where there is none."""

    about: str
    forward: str = ""
    backward: str = ""


def formulas_of(cls: type) -> Formulas:
    """Those of a class. Without a line Forward the first sentence is the formula, as f(x) = tanh x is."""
    text = inspect.cleandoc(cls.__doc__ or "")
    about = re.sub(r";? `[^`]*`\.?$", "", text.partition("\n")[0]).rstrip(".") or cls.__name__
    return Formulas(about, _after(text, "Forward") or about, _after(text, "Backward"))


def _after(text: str, head: str) -> str:
    """The lines that follow `head`, up to the next head or empty line."""
    found = re.search(rf"^{head} ((?:.*\n?)(?:(?!{'|'.join(HEADS)}|\s*$).*\n?)*)", text, re.MULTILINE)
    return "\n".join(line.strip() for line in found[1].splitlines()) if found else ""


class DocstringFormulas:
    """The formulas of the class that asks, read from its docstring when they are asked for: imports do not wait."""

    def __get__(self, instance: object, owner: type) -> Formulas:
        return formulas_of(owner)
