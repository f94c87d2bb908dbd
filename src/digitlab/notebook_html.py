"""How objects show themselves in a notebook: a class with `_repr_html_ = notebook_html` is drawn by viz/notebook.

Jupyter, VS Code, Colab, marimo and others ask an object for its HTML by calling `_repr_html_`. The drawing needs viz,
which most classes are below, so viz is imported by its name when a notebook asks.
"""

import importlib


def notebook_html(shown: object) -> str | None:
    """An object as a fragment of HTML; None if viz/notebook has no view of its class, and then its text is shown."""
    html: str | None = importlib.import_module("digitlab.viz.notebook").html(shown)
    return html
