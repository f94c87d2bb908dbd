"""Every error a user can cause, each saying what it got, what it expected and how to mend it.

They are all `DigitlabError`s, so the command line can turn any of them into one line and exit code 1,
and each is also the built-in error that fits (`ShapeError` is a `ValueError`), so ordinary `except` works.
"""

import os
from collections.abc import Iterable
from typing import Any


class DigitlabError(Exception):
    """Base of all errors below: a fault in what was asked, not in the code. The message is one line.

    An array that it quotes has several lines as `repr` writes it; they are joined.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*(" ".join(a.split()) if isinstance(a, str) and "\n" in a else a for a in args))


class ShapeError(DigitlabError, ValueError):
    """An array, or a layer's input, has another shape than the layer can take."""


class DataError(DigitlabError, ValueError):
    """A data file, a label or an image is not what it should be."""


class ModelFileError(DigitlabError, ValueError):
    """A saved network, checkpoint or description cannot be read, or does not fit."""


class ConfigError(DigitlabError, ValueError):
    """A setting is unknown, of the wrong type, or out of range."""


class GradientError(DigitlabError, ValueError):
    """A way of taking the gradient cannot serve a layer, or there is no gradient to take."""


class EngineError(DigitlabError, RuntimeError):
    """The requested engine cannot run this network here."""


class DivergenceError(DigitlabError, ArithmeticError):
    """The loss became NaN or infinite, and training stopped.

    `held` says which weights the network object holds now; a traceback shows it as a note. What is in a file, if
    anything, is for whoever saves to say.
    """

    def __init__(self, message: str, held: str = "") -> None:
        super().__init__(message)
        self.held = held
        if held:
            self.add_note(f"The network holds {held}.")


def in_brief(error: object, most: int = 200) -> str:
    """What the error of another library says, or a text, as part of a message: one line of `most` characters at most.

    Such an error may quote a damaged file: control characters are escaped, and an error without words is named.
    """
    text = " ".join(str(error)[: 10 * most].split()) or type(error).__name__
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def quoted(path: Any) -> str:
    """A path as one word of a command that a message shows, to be copied into a shell: 'my runs/001'."""
    text = str(path)
    if os.name == "nt":
        return f'"{text}"' if " " in text else text
    import shlex  # messages alone need it

    return shlex.quote(text)


def did_you_mean(name: Any, known: Iterable[str]) -> str:
    """What a message about an unknown name may add: " (did you mean 'adam'?)", or nothing if no name is near.

    Names that other programs use (synonyms.py) come before names that are merely spelled alike.
    """
    known = list(known)
    if not isinstance(name, str):
        return ""
    if (nearest := nearest_name(name, known)) is not None:
        return f" (did you mean {nearest!r}?)"
    from digitlab.synonyms import instead

    return f" ({hint})" if (hint := instead(name)) else ""


def not_among(name: Any, known: Iterable[str]) -> str:
    """An unknown name and what there is, for a message: "'adm' (did you mean 'adam'?); there are: sgd, adam"."""
    known = list(known)
    return f"{name!r}{did_you_mean(name, known)}; there are: {', '.join(known)}"


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` most likely stands for; None if there is none, or something else to say."""
    import difflib
    import re

    from digitlab.synonyms import folded, instead, meant

    known = list(known)
    if (found := meant(name, known)) or instead(name):
        return found
    if not re.search("[^0-9]", folded(name)):
        return None  # numbers are not misspelled
    spelled = {folded(text): text for text in known}
    near = difflib.get_close_matches(folded(name), spelled, n=1, cutoff=0.65)
    return spelled[near[0]] if near else None
