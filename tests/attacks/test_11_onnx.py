"""A hostile ONNX file is refused; what is exported is computed alike elsewhere.

tests/exporting and tests/nn/test_onnx_cases.py compare exports with ONNX Runtime.
"""

import random
from collections import defaultdict

import pytest

from . import fuzz

pytestmark = pytest.mark.slow

pytest.importorskip("onnx", reason="pip install 'digitlab[onnx]'")


def test_damaged_onnx_files(tmp_path, attempts):
    sound = {name: {"network.onnx": some["network.onnx"]} for name, some in fuzz.corpus().items() if name == "networks"}
    outcomes = defaultdict(fuzz.Outcome)
    fuzz.attack("networks", sound, outcomes, random.Random(11), tmp_path, attempts.number(40, 3000))
    (outcome,) = outcomes.values()
    assert not outcome.faults and outcome.slowest < 1
    attempts.count(outcome.files)
