"""Who imports whom: no circles, and the floors as docs/architecture.md draws them."""

import re
import tomllib
from functools import cache
from pathlib import Path

import grimp
import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

ROOT = Path(__file__).parents[1]

# Circles that are still there: delete an entry with its circle, and add none.
KNOWN_CIRCLES: list[set[str]] = []


def circles(graph):
    """The sets of modules that import each other, directly or by way of others."""
    modules = sorted(graph.modules)
    number = {module: i for i, module in enumerate(modules)}
    edges = [(number[m], number[n]) for m in modules for n in graph.find_modules_directly_imported_by(m)]
    rows, columns = np.array(edges).T
    links = coo_array((np.ones(len(edges)), (rows, columns)), shape=(len(modules), len(modules)))
    _, parts = connected_components(links, connection="strong")
    sizes = np.bincount(parts)
    return [{modules[i] for i in np.flatnonzero(parts == part)} for part in np.flatnonzero(sizes > 1)]


@cache
def imports():
    """Every import of the package, those in functions too, but for those that only a type checker sees."""
    return grimp.build_graph("digitlab", exclude_type_checking_imports=True, cache_dir=None)


def test_no_circle_of_imports():
    new = [sorted(circle) for circle in circles(imports()) if not any(circle <= known for known in KNOWN_CIRCLES)]
    assert new == [], "these modules import each other: move what both need into a third, or pass it as an argument"


@pytest.mark.parametrize("known", KNOWN_CIRCLES, ids=lambda known: min(known))
def test_a_known_circle_that_is_gone_leaves_the_list(known):
    assert any(circle <= known for circle in circles(imports())), f"gone: delete it from KNOWN_CIRCLES: {known}"


def test_the_search_finds_a_circle():
    graph = grimp.ImportGraph()
    for module in ("a", "b", "c", "d"):
        graph.add_module(module)
    for importer, imported in (("a", "b"), ("b", "c"), ("c", "a"), ("c", "d")):
        graph.add_import(importer=importer, imported=imported)
    assert circles(graph) == [{"a", "b", "c"}]


def drawn_floors():
    """The floors of docs/architecture.md from the top: "functions | viz"."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    block = text.split("## Packages\n")[1].split("\n##")[0]
    lines = [re.match(r" {4}(\w+(?:/|\.py)(?: [|:] \w+(?:/|\.py))*)", line) for line in block.splitlines()]
    return [re.sub(r"/|\.py", "", found[1]) for found in lines if found]


def test_the_floors_drawn_are_those_of_the_contract():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    (floors,) = [contract["layers"] for contract in settings["contracts"] if contract["type"] == "layers"]
    assert drawn_floors() == floors


def test_every_part_of_the_package_has_its_floor():
    source = ROOT / "src/digitlab"
    parts = {path.stem for path in source.glob("*.py")} | {path.parent.name for path in source.glob("*/__init__.py")}
    assert parts - {"__init__", "__main__"} == set(re.findall(r"\w+", " ".join(drawn_floors())))
