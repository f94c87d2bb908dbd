"""What a layer or loss computes, as text: `Dense.formulas.forward` is "y = x W + b"."""

import inspect
from typing import NamedTuple


class Formulas(NamedTuple):
    """The formula of the forward pass and that of the gradient; "" where there is none."""

    forward: str = ""
    backward: str = ""

    def added_to(self, docstring: str | None) -> str | None:
        """A docstring with the formulas under its first paragraph, as `help` shows them."""
        if docstring is None:  # python -OO
            return None
        about, *rest = inspect.cleandoc(docstring).split("\n\n", 1)
        named = zip(("Forward", "Backward"), self)
        lines = [f"{name:<11}{text}".replace("\n", "\n" + 11 * " ") for name, text in named if text]
        return "\n\n".join([about, "\n".join(lines) + "".join(f"\n{text}" for text in rest)])
