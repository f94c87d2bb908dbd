"""The test cases that the `onnx` package carries for its operators: inputs and the outputs any runtime must give.

    CASES = node_cases("conv", "maxpool")            modules of onnx.backend.test.case.node
    CASES += pytorch_cases("Conv", "MaxPool")        operators in the graphs that PyTorch exported

A test file names the cases it cannot run, with the reason, and runs all others, so that a case which a newer onnx
brings is never skipped silently:

    from .onnx_cases import node_cases, pytorch_cases, runnable

    @pytest.mark.parametrize("case", runnable(CASES, UNSUPPORTED), ids=str)
    def test_case(case): ...

The "expanded" cases are left out: they are the same inputs and outputs, for the operator written as a graph of others.
"""

import importlib
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    onnx = pytest.importorskip("onnx")
    import onnx.backend.test.case.node as onnx_nodes
    from onnx import numpy_helper
    from onnx.backend.test.loader import load_model_tests


@dataclass(frozen=True)
class Case:
    """One operator with its attributes as Python values, its inputs in order (None where left out), its outputs."""

    name: str
    op: str
    attributes: dict[str, Any]
    inputs: list[Any]
    outputs: list[Any]
    rtol: float = 1e-3
    atol: float = 1e-7

    def __str__(self) -> str:
        return self.name

    def check(self, *got: Any) -> None:
        """Fails unless the arrays are the expected outputs, the first of them if fewer are given."""
        for mine, expected in zip(got, self.outputs):
            assert mine.shape == expected.shape, f"got {mine.shape}, expected {expected.shape}"
            np.testing.assert_allclose(mine, expected, rtol=self.rtol, atol=self.atol)


def node_cases(*modules: str) -> list[Case]:
    """The cases of operators, by the name of the module of onnx.backend.test.case.node that defines them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module in modules:  # importing one runs its cases into a list that all modules share
            importlib.import_module(f"onnx.backend.test.case.node.{module}")
    ops = [module.replace("_", "") for module in modules]
    return [
        case_of(test, test.data_sets[0])
        for test in onnx_nodes._NodeTestCases
        if "_expanded" not in test.name and test.model.graph.node[0].op_type.lower() in ops
    ]


def pytorch_cases(*ops: str) -> list[Case]:
    """The cases of graphs that PyTorch exported and that have one node, of one of these operators."""
    cases = []
    for test in load_model_tests(kind="pytorch-converted"):
        folder = Path(test.model_dir) / "test_data_set_0"
        test.model = onnx.load(Path(test.model_dir) / "model.onnx")
        if len(test.model.graph.node) == 1 and test.model.graph.node[0].op_type in ops:
            data = [[loaded(path) for path in in_order(folder, kind)] for kind in ("input", "output")]
            cases.append(case_of(test, data))
    return sorted(cases, key=str)


def runnable(cases: Sequence[Case], unsupported: Mapping[str, str]) -> list[Case]:
    """All cases but those named in `unsupported`, a mapping from the case's name to the reason."""
    return [case for case in cases if case.name not in unsupported]


def case_of(test: Any, data: Sequence[Sequence[Any]]) -> Case:
    """A case from onnx's own record of it: the graph's inputs by name, then the weights stored in the graph."""
    graph, node = test.model.graph, test.model.graph.node[0]
    values = {"": None} | {tensor.name: as_array(tensor) for tensor in graph.initializer}
    given = [value.name for value in graph.input if value.name not in values]
    values |= dict(zip(given, map(as_array, data[0])))
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    return Case(
        name=test.name,
        op=node.op_type,
        attributes={key: v.decode() if isinstance(v, bytes) else v for key, v in attributes.items()},
        inputs=[values[name] for name in node.input],
        outputs=[as_array(output) for output in data[1]],
        rtol=test.rtol,
        atol=test.atol,
    )


def as_array(value: Any) -> Any:
    """A tensor as a NumPy array, whichever of the two onnx gave."""
    return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value


def loaded(path: Path) -> Any:
    """The array in a .pb file."""
    tensor = onnx.TensorProto()
    tensor.ParseFromString(path.read_bytes())
    return numpy_helper.to_array(tensor)


def in_order(folder: Path, kind: str) -> list[Path]:
    """input_0.pb, input_1.pb ..."""
    return sorted(folder.glob(f"{kind}_*.pb"), key=lambda path: int(path.stem.rpartition("_")[2]))
