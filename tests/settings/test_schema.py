"""The settings schema: one declaration gives checks, options, files, searches, grids and comparisons."""

import inspect
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

import numpy as np
import pytest

import digitlab
from digitlab import RunConfig, Trainer, describe_network, load, mlp
from digitlab.cli.shared.options import SETTINGS, setting_called
from digitlab.errors import ConfigError
from digitlab.settings import DataSettings, NetworkSettings, Setting, ShortSettings, TrainingSettings, settings_of
from digitlab.settings.schema import check_settings


class Made(TypedDict, total=False):
    count: Annotated[int, Setting("Number of things.", ge=1, le=9)]
    share: Annotated[float | None, Setting("Share of things.", gt=0, lt=1)]
    kind: Annotated[Literal["red", "green"], Setting("Kind of thing.", default="red")]


@pytest.mark.parametrize(
    "name, value, words",
    [
        ("count", 0, "count: got 0, expected a whole number of at least 1 and at most 9"),
        ("count", 10, "count: got 10, expected a whole number"),
        ("count", True, "count: got True, expected a whole number"),
        ("count", 2.0, "count: got 2.0, expected a whole number"),
        ("share", 1, "share: got 1, expected a number above 0 and below 1"),
        ("share", float("nan"), "share: got nan, expected a number"),
        ("kind", "gren", "kind: got 'gren' (did you mean 'green'?), expected one of red, green"),
        ("sort", 1, "there is no setting 'sort'"),
    ],
)
def test_a_value_that_does_not_fit(name: str, value: Any, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        check_settings(Made, {name: value})
    assert str(raised.value).startswith(words)


def test_values_that_fit() -> None:
    check_settings(Made, {"count": np.int64(3), "share": np.float32(0.5), "kind": "green"})
    assert settings_of(Made)["count"].read("7") == 7
    assert settings_of(Made)["kind"].default == "red"
    with pytest.raises(ConfigError, match="count: got 'x', expected a whole number"):
        settings_of(Made)["count"].read("x")


@pytest.mark.parametrize("declaration", [DataSettings, NetworkSettings, ShortSettings, TrainingSettings])
def test_every_help_is_a_sentence(declaration: Any) -> None:
    for name, setting in settings_of(declaration).items():
        assert setting.help[0].isupper() and setting.help.endswith((".", "...")), name


def test_an_option_and_a_table_spell_a_setting_alike() -> None:
    assert setting_called("learning-rate") == setting_called("learning_rate") == "learning_rate"
    assert [setting_called(name) for name in ("data", "from", "--l2", "nothing")] == ["source", "start", "l2", None]
    assert set(settings_of(TrainingSettings)) - set(SETTINGS) == {"network", "data", "regularizers"}


def test_signatures_and_help_list_the_settings() -> None:
    signature = inspect.signature(load)
    assert {"part", *settings_of(DataSettings)} < set(signature.parameters)
    assert signature.parameters["split"].default == "50k/10k/10k"
    assert settings_of(DataSettings)["fraction"].help in str(load.__doc__)
    assert "batch_size: int = 10" in str(inspect.signature(Trainer))
    assert "epochs: int = 30" in str(inspect.signature(RunConfig)) and "Number of passes" in str(RunConfig.__doc__)
    defaults = {name: s.default for name, s in settings_of(TrainingSettings).items()}
    for name in ("batch_size", "shuffle", "engine", "device", "keep", "evaluate_train", "seed"):
        assert inspect.signature(Trainer).parameters[name].default == defaults[name], name


def test_what_the_trainer_does_not_take() -> None:
    with pytest.raises(ConfigError, match=r"Trainer has no argument 'batchsize' \(did you mean 'batch_size'\?\)"):
        Trainer(mlp([4, 2]), batchsize=3)
    with pytest.raises(ConfigError, match="Trainer has no argument 'epochs'"):
        Trainer(mlp([4, 2]), epochs=3)


NEW = """    gradient_clip: Annotated[
        float, Setting("Maximum length of the gradient of a step; 0: no limit.", ge=0, metavar="LENGTH")
    ] = 0.0
"""


@pytest.mark.slow
def test_a_new_setting_is_one_field_in_one_file(tmp_path: Path) -> None:
    """In a copy of the package one field is added to one file: every part of the house knows the setting."""
    package = tmp_path / "digitlab"
    shutil.copytree(Path(digitlab.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    home = package / "settings" / "training.py"
    text = home.read_text(encoding="utf-8")
    place = text.index("\n\nclass ShortSettings")
    home.write_text(text[:place] + NEW + text[place:], encoding="utf-8")

    def run(*line: str) -> subprocess.CompletedProcess[str]:
        path = {**os.environ, "PYTHONPATH": str(tmp_path)}
        return subprocess.run([sys.executable, *line], env=path, cwd=tmp_path, capture_output=True, text=True)

    def call(*words: str) -> str:
        done = run("-m", "digitlab", *words)
        assert done.returncode == 0, done.stderr
        return " ".join(done.stdout.split())

    common = ("--data", "digits", "--net", "64-5-10", "--epochs", "1")
    for command in ("train", "search", "ensemble", "compare", "lr-find"):
        assert "--gradient-clip LENGTH Maximum length of the gradient of a step" in call(command, "--help"), command
    told = call("train", *common, "--run", "group", "--workers", "1", "--grid", "gradient-clip=0.5,2")
    assert "gradient-clip=0.5" in told and "gradient-clip=2" in told
    folders = sorted(path.parent for path in tmp_path.glob("group/*/config.toml"))
    saved = [tomllib.loads((folder / "config.toml").read_text())["gradient_clip"] for folder in folders]
    assert sorted(saved) == [0.5, 2.0]
    compared = call("compare", *(str(folder.relative_to(tmp_path)) for folder in folders))
    assert "run gradient-clip best (%)" in compared
    told = call(
        "search", *common, "--space", "gradient-clip=0.5,2", "--strategy", "grid", "--workers", "1", "--no-test"
    )
    assert "best by validation: gradient-clip=" in told
    wrong = run("-m", "digitlab", "train", *common, "--gradient-clip", "-1").stderr.split()
    assert "'--gradient-clip': got -1.0, expected a number of at least 0" in " ".join(wrong)
    program = (
        "import digitlab as d; t = d.Trainer(d.mlp([4, 2]), gradient_clip=3); print(t.gradient_clip);"
        "c = d.RunConfig(d.describe_network(d.mlp([4, 2])), gradient_clip=5.0); print(c.trainer().gradient_clip)"
    )
    assert run("-c", program).stdout.split() == ["3", "5.0"]


def test_a_config_gives_every_training_a_network_of_its_own() -> None:
    config = RunConfig(describe_network(mlp([4, 3, 2])))
    first, second = config.trainer().network, config.trainer().network
    assert first is not second
    pairs = zip(first.parameters().values(), second.parameters().values(), strict=True)
    assert all((a.value == b.value).all() for a, b in pairs)
