"""The code of a lesson, block by block: what a notebook does with cells."""

import ast
from pathlib import Path
from typing import Any

from digitlab.viz.animation import Animation
from digitlab.viz.figures import save_figure


def run_block(code: str, names: dict[str, Any], place: str) -> Any:
    """Run a block; return the value of its last expression, None if it ends in none."""
    tree = ast.parse(code, place)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, place, "exec"), names)
    if not isinstance(last, ast.Expr):
        return None
    return eval(compile(ast.Expression(last.value), place, "eval"), names)


def save_picture(value: Any, stem: Path) -> Path | None:
    """Save a figure as stem.png or an animation as stem.gif, and return the path; None for any other value."""
    if isinstance(value, Animation):
        path = stem.with_name(f"{stem.name}.gif")
        path.parent.mkdir(parents=True, exist_ok=True)
        value.save(path)
    elif hasattr(value, "savefig"):
        path = stem.with_name(f"{stem.name}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        save_figure(value, path, dpi=80)
    else:
        return None
    return path
