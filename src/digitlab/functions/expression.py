"""A function of x written as text: numbers, x, pi, e, the operators + - * / **, and the functions below."""

import ast
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from digitlab.arguments import checked
from digitlab.errors import ConfigError

Array = np.ndarray[Any, Any]
Function = Callable[[Array], Array]

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    name: getattr(np, name) for name in ("sin", "cos", "tan", "tanh", "exp", "log", "sqrt", "abs", "sign")
}
CONSTANTS = {"pi": np.pi, "e": np.e}
BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}


@checked
def parse_function(text: str) -> Function:
    """The function that `text` describes: `parse_function("sin(x) + x")(x)` for an array x, in float64.

    The text is taken apart into its syntax tree and only the forms named above are computed; nothing is executed.
    Raises ConfigError naming the part that is not one of them.
    """
    if len(text) > 500:
        raise ConfigError(f"got a function of {len(text)} characters, expected at most 500")
    try:
        tree = ast.parse(text.strip().replace("^", "**"), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        raise ConfigError(f"got {text!r}, expected a function of x such as 'sin(x) + x'") from None

    def function(x: Array) -> Array:
        with np.errstate(all="ignore"):  # a pole shows as infinity, which the caller looks for
            return np.asarray(_compute(tree, np.asarray(x, dtype=np.float64)) + 0 * x, dtype=np.float64)

    function.__name__ = text.strip()
    function(np.zeros(1))  # what cannot be computed is said now, not in the middle of a training
    return function


def _compute(node: ast.expr, x: Array) -> Any:
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            try:
                return float(value)
            except OverflowError:
                raise ConfigError("a function of x cannot contain a whole number of more than 308 digits") from None
        case ast.Name(id="x"):
            return x
        case ast.Name(id=name) if name in CONSTANTS:
            return CONSTANTS[name]
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _compute(operand, x)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_compute(operand, x)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in BINARY:
            return BINARY[type(op)](np.asarray(_compute(left, x)), np.asarray(_compute(right, x)))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
            return FUNCTIONS[name](_compute(argument, x))
    raise ConfigError(
        f"a function of x cannot contain {ast.unparse(node)!r}; it may contain x, numbers, {', '.join(CONSTANTS)}, "
        f"+ - * / **, and {', '.join(FUNCTIONS)}"
    )
