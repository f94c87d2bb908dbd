"""Readable code that is changed in its file trains by itself; tried in a copy of the package."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import digitlab
from digitlab.fingerprints.module import file_name

PACKAGE = Path(digitlab.__file__).parent


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """A copy of the package's folder whose files a test may change; `run(code)` gives what a program prints."""
    place = tmp_path_factory.mktemp("package")
    shutil.copytree(PACKAGE, place / "digitlab", ignore=shutil.ignore_patterns("__pycache__", "*.safetensors"))
    return place


def run(place, code, *options):
    environment = {**os.environ, "PYTHONPATH": str(place)}
    done = subprocess.run(
        [sys.executable, *options, "-c", code], env=environment, capture_output=True, text=True, cwd=place.parent
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


CHECK = (
    "from digitlab.engine.fast.twins import every_part\nfrom digitlab.fingerprints import what_changed\n"
    "print(what_changed(every_part()))\n"
)
TRAIN = """
import numpy as np
from digitlab import Net
from digitlab.data import load
train, _, test = load("digits")
net = Net([64, 30, 10], loss="cross-entropy")
from digitlab.train import Trainer
from digitlab.optim import SGD
trainer = Trainer(net.network, SGD(0.5), keep="last")
trainer.fit(train, epochs=5)
print(round(100 * np.mean(net.predict(test) == test.labels), 2))
print(trainer.engine_reason)
"""


def edited(place, module, old, new):
    """The module's text with a change, and a function that takes it back."""
    path = place / file_name(module)
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, (module, old)
    path.write_text(text.replace(old, new), encoding="utf-8")
    return lambda: path.write_text(text, encoding="utf-8")


@pytest.mark.slow
def test_a_sign_in_a_file(package):
    accuracy, reason = run(package, TRAIN).splitlines()
    assert float(accuracy) > 80 and reason.startswith("the fast engine")
    restore = edited(package, "digitlab.nn.network", "self.connected(x.T @ grad_y)", "-self.connected(x.T @ grad_y)")
    try:
        accuracy, reason = run(package, TRAIN).splitlines()
    finally:
        restore()
    assert float(accuracy) < 30
    assert reason == "the reference engine: digitlab/nn/network.py was changed (Dense.backward_params)"


EDITS = {
    "Sigmoid.backward": ("digitlab.nn.network", "return grad_y * y * (1 - y)", "return grad_y * y"),
    "Quadratic.backward": ("digitlab.nn.network", "return error * a * (1 - a) / a", "return error * a / a"),
    "Network.gradient": (
        "digitlab.nn.network",
        "self.layers[0].backward_params(grad, caches[0])",
        "self.backward(grad, caches)",
    ),
    "Tanh.backward": ("digitlab.nn.activations", "return grad_y * (1 - y * y)", "return grad_y * (1 - y)"),
    "softplus": ("digitlab.nn.activations", "+ xp.log1p(xp.exp(", "- xp.log1p(xp.exp("),
    "log_softmax": ("digitlab.nn.losses", "z = z - xp.max(", "z = z + xp.max("),
    "Conv2D.backward_params": ("digitlab.nn.conv", ".T @ g for place", ".T @ -g for place"),
    "MaxPool2D.backward": ("digitlab.nn.pooling", "waiting = waiting & ~here", "waiting = waiting"),
    "SGD.update": (
        "digitlab.optim.sgd",
        "return value - learning_rate * grad, state",
        "return value + learning_rate * grad, state",
    ),
    "Adam.update": ("digitlab.optim.adaptive", "(1 - self.beta1) * grad", "(2 - self.beta1) * grad"),
    "L1.gradient": (
        "digitlab.optim.regularizers",
        "self.strength / examples * array_namespace(value).sign(value)",
        "self.strength * array_namespace(value).sign(value)",
    ),
    "RashidRule.compute": ("digitlab.gradients.rashid", "error @ layer", "-error @ layer"),
    "ReferenceEngine.update": ("digitlab.engine.reference", "grad + extra", "grad - extra"),
    "warp_numpy": ("digitlab.data.augment.warp", "np.float32(0.5)  # to", "np.float32(0.7)  # to"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "edit"), EDITS.items(), ids=EDITS)
def test_a_formula_in_a_file(name, edit, package):
    restore = edited(package, *edit)
    try:
        assert run(package, CHECK) == f"{file_name(edit[0])} was changed ({name})"
    finally:
        restore()


@pytest.mark.slow
def test_comments_and_layout_in_a_file(package):
    path = package / "digitlab/nn/network.py"
    text = path.read_text(encoding="utf-8")
    changed = re.sub(r"  # \(N, out\)$", "  # one row each\n", text, flags=re.M).replace("σ(x), elementwise", "Sigmoid")
    assert changed != text
    for other in (
        changed,
        text.replace("\n", "\r\n"),
        text.replace("def forward(self, x: Array,", "def forward(self, x,"),
    ):
        path.write_bytes(other.encode())
        try:
            assert run(package, CHECK) == "None"
        finally:
            path.write_text(text, encoding="utf-8")


def test_a_file_changed_after_it_was_read(package):
    """What the file says now does not train; that it was read before is reported."""
    code = (
        "import digitlab.nn.network as network\nfrom pathlib import Path\npath = Path(network.__file__)\n"
        "text = path.read_text(encoding='utf-8')\n"
        "path.write_text(text.replace('x.T @ grad_y', '-x.T @ grad_y'), encoding='utf-8')\n"
        "try:\n    exec(CHECK)\nfinally:\n    path.write_text(text, encoding='utf-8')\n"
    )
    found = run(package, f"CHECK = {CHECK!r}\n{code}")
    assert found == "digitlab/nn/network.py was changed (Dense.backward_params) after this program had read it"


@pytest.mark.slow
def test_a_package_in_an_archive(package, tmp_path):
    archive = tmp_path / "digitlab.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        for path in (package / "digitlab").rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                zipped.write(path, path.relative_to(package))
    assert run(archive, CHECK) == "None"
    assert run(archive, f"import digitlab.nn.network as n\nn.Sigmoid.backward = n.Dense.backward\n{CHECK}") == (
        "Sigmoid.backward was replaced"
    )


@pytest.mark.slow
def test_a_package_without_its_text(package, tmp_path):
    """A frozen program holds bytecode alone, which is trusted; what is assigned is noticed all the same."""
    place = tmp_path / "frozen"
    shutil.copytree(package / "digitlab", place / "digitlab")
    subprocess.run([sys.executable, "-m", "compileall", "-b", "-q", str(place)], check=True)
    for path in place.rglob("*.py"):
        path.unlink()
    assert run(place, CHECK) == "None"
    assert run(place, f"import digitlab.nn.network as n\nn.sigmoid = lambda x: x\n{CHECK}").startswith("sigmoid was")


@pytest.mark.slow
def test_python_without_docstrings(package):
    assert run(package, CHECK, "-OO") == "None"


def test_a_lost_table_is_no_reason_to_mistrust(package):
    path = package / "digitlab/fingerprints/table.json"
    text = path.read_text(encoding="utf-8")
    path.unlink()
    try:
        assert run(package, CHECK) == "None"
    finally:
        path.write_text(text, encoding="utf-8")
