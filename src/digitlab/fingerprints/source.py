"""The fingerprint of a function's text: what it computes, whatever its layout.

It is a hash of the syntax tree, without what changes no number: comments and layout, docstrings, type annotations, and
what a `raise` says. It is the same for every version of Python that reads the text.
"""

import ast
import hashlib
from collections.abc import Iterator

# Of every node: where a name is read or written follows from its place; the rest is about types.
_LEFT_OUT = {"ctx", "kind", "annotation", "returns", "type_comment", "type_params"}


def functions(text: str) -> dict[str, ast.AST]:
    """The functions in a module's text, and the methods of its classes: {"sigmoid": ..., "Dense.forward": ...}."""
    return dict(_functions(ast.parse(text).body, ""))


def fingerprint(function: ast.AST) -> str:
    """16 hexadecimal digits that tell what a function computes."""
    return digest("".join(_written(function)))


def digest(text: str) -> str:
    """16 hexadecimal digits that tell texts apart."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def names(function: ast.AST) -> set[str]:
    """The names that a function mentions, except those that only a `raise` or an annotation mentions."""
    return {node.id for node in _nodes(function) if isinstance(node, ast.Name)}


def _functions(statements: list[ast.stmt], prefix: str) -> Iterator[tuple[str, ast.AST]]:
    for statement in statements:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + statement.name, statement
        elif isinstance(statement, ast.ClassDef):
            yield from _functions(statement.body, f"{prefix}{statement.name}.")


def _fields(node: ast.AST) -> Iterator[tuple[str, object]]:
    """A node's parts that count."""
    if isinstance(node, ast.Raise):  # that it raises counts, not what it says
        return
    for name in node._fields:
        value = getattr(node, name, None)
        if name not in _LEFT_OUT and value is not None and value != []:
            yield name, [item for item in value if not _says_nothing(item)] if isinstance(value, list) else value


def _says_nothing(item: object) -> bool:
    """Whether a statement is a docstring, or declares a type and no more."""
    if isinstance(item, ast.Expr):
        return isinstance(item.value, ast.Constant) and isinstance(item.value.value, str)
    return isinstance(item, ast.AnnAssign) and item.value is None


def _nodes(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for _, value in _fields(node):
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, ast.AST):
                yield from _nodes(item)


def _written(value: object) -> Iterator[str]:
    """A node as text, in pieces."""
    if isinstance(value, ast.AnnAssign) and value.value is not None:  # x: int = 1 computes what x = 1 does
        value = ast.Assign([value.target], value.value)
    if isinstance(value, ast.JoinedStr):
        value = ast.JoinedStr(list(_joined(value.values)))
    if isinstance(value, ast.AST):
        yield f"{type(value).__name__}("
        for name, part in _fields(value):
            yield f"{name}="
            yield from _written(part)
        yield ")"
    elif isinstance(value, list):
        for item in value:
            yield from _written(item)
            yield ","
    else:
        yield repr(value)


def _joined(values: list[ast.expr]) -> Iterator[ast.expr]:
    """The pieces of an f-string with neighbouring texts in one: versions of Python cut them differently."""
    text = ""
    for value in values:
        if isinstance(value, ast.Constant):
            text += str(value.value)
            continue
        if text:
            yield ast.Constant(text)
        yield value
        text = ""
    if text:
        yield ast.Constant(text)
