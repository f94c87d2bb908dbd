"""The package's face: every name it promises is there, and importing it costs next to nothing."""

import ast
import importlib
import importlib.util
import re
import subprocess
import sys
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

import digitlab
from digitlab import errors

ROOT = Path(__file__).parents[1]
HEAVY = ("numpy", "scipy", "sklearn", "matplotlib", "rich", "numba", "torch", "safetensors", "PIL", "optuna")


@pytest.mark.parametrize("name", [name for name in dir(digitlab) if not name.startswith("_")])
def test_every_name_resolves(name):
    assert getattr(digitlab, name) is not None


def test_the_names_a_reader_needs():
    first_page = {"Net", "Trainer", "SGD", "Adam", "Dense", "Network", "load", "mlp", "load_network", "evaluate"}
    assert first_page <= set(dir(digitlab))


@pytest.mark.parametrize("home", ["nn", "optimizers", "train", "engine", "data", "pure", "nn.gradients"])
def test_what_a_subpackage_exports_is_there(home):
    module = importlib.import_module(f"digitlab.{home}")
    assert len(set(module.__all__)) == len(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is not None, name


def test_star_import_brings_what_dir_shows():
    namespace = {}
    exec("from digitlab.nn import *", namespace)
    assert namespace["Dense"] is digitlab.Dense


@pytest.mark.parametrize("name", ["Nets", "_private", "__wrapped__"])
def test_an_unknown_name(name):
    with pytest.raises(AttributeError, match=f"module 'digitlab' has no attribute '{name}'"):
        getattr(digitlab, name)
    assert not hasattr(digitlab, name)


def test_the_version():
    assert re.fullmatch(r"\d+\.\d+\.\d+", digitlab.__version__)
    assert version("digitlab") == digitlab.__version__


def test_the_command():
    (script,) = entry_points(group="console_scripts", name="digitlab")
    assert script.value == "digitlab.cli:main"


def test_typing_information_is_part_of_it():
    from importlib.resources import files

    assert (files("digitlab") / "py.typed").is_file()


def test_every_error_is_one_to_catch_and_an_ordinary_one_besides():
    found = [cls for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, Exception)]
    assert len(found) >= 7
    for cls in found:
        assert issubclass(cls, errors.DigitlabError)
        if cls is not errors.DigitlabError:
            assert issubclass(cls, ValueError | RuntimeError | ArithmeticError)
            assert cls.__doc__


def loaded_by(code):
    """Which heavy packages a fresh interpreter has loaded after this code."""
    check = f"{code}\nimport sys; print(*sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[-2].split()


def test_importing_it_loads_nothing_heavy():
    assert loaded_by("import digitlab; digitlab.__version__") == []
    code = "import sys; before = set(sys.modules); import digitlab; assert 'typing' not in set(sys.modules) - before"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_help_loads_nothing_heavy():
    lines = [["--help"], ["train", "--help"], ["--version"]]
    assert loaded_by(f"import digitlab.cli\nfor line in {lines}: digitlab.cli.run(line)") == []


def test_layers_load_no_plots_and_no_data():
    assert set(loaded_by("import digitlab; digitlab.mlp([4, 2])")) <= {"numpy", "safetensors"}


SCRIPTS = [path for folder in ("benchmarks", "examples") for path in sorted((ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize("script", SCRIPTS, ids=[str(path.relative_to(ROOT)) for path in SCRIPTS])
def test_what_scripts_import_is_there(script):
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "digitlab":
            module = importlib.import_module(node.module)
            for name in node.names:
                found = hasattr(module, name.name) or importlib.util.find_spec(f"{node.module}.{name.name}")
                assert found, f"{script.name}: {node.module} has no {name.name}"


def test_what_a_type_checker_sees_is_what_there_is():
    tree = ast.parse(Path(digitlab.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    starred = {imported.module for imported in block.body if imported.names[0].name == "*"}
    assert starred == set(digitlab._PACKAGES)
    seen = {alias.asname or alias.name for imported in block.body for alias in imported.names} - {"*", "Any"}
    names = seen.union(*(importlib.import_module(package).__all__ for package in starred))
    assert names == {name for name in dir(digitlab) if name != "__version__"}
    for package in starred:  # and there, the star imports
        modules = [name for name in sys.modules if name.startswith(f"{package}.")]
        read = {
            name for name in modules if name == sys.modules[name].__name__ and hasattr(sys.modules[name], "__all__")
        }
        text = Path(importlib.import_module(package).__file__).read_text(encoding="utf-8")
        assert read <= set(re.findall(r"^from (\S+) import \*", text, re.MULTILINE))


PAGES = [
    path for path in sorted((ROOT / "docs").glob("*.md")) if path.name not in ("extending.md", "performance-notes.md")
]
INNER = (
    "engine.fast",
    "data.formats",
    "data.synthetic.fonts",
    "books",
    "cli",
    "arrays",
)  # for those who work on digitlab


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda path: path.name)
def test_what_a_page_imports_can_be_had_from_the_package(page):
    text = page.read_text(encoding="utf-8")
    for home, imported in re.findall(r"^\s*from digitlab\.([\w.]+) import ([\w, ]+)$", text, re.MULTILINE):
        if not home.startswith(INNER):
            for name in imported.split(","):
                found = getattr(importlib.import_module(f"digitlab.{home}"), name.strip())
                assert getattr(digitlab, name.strip()) is found, name


def test_packages_need_no_import_of_their_own():
    assert loaded_by("import digitlab\nassert digitlab.search.search and digitlab.baselines.NearestMean")
