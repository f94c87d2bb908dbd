"""The ONNX standard's own cases for RNN, LSTM and GRU, run through our layers.

ONNX has time first, X (T, N, F), unless layout is 1; W (directions, gates·H, F) and R are our Wᵀ and Uᵀ with other
gate orders, LSTM i o f c and GRU z r h; B holds the input's biases and then the state's, which we add up, except
for GRU's candidate with linear_before_reset=1, where the second one is our v.
"""

import numpy as np
import pytest

from digitlab.nn import GRU, LSTM, Bidirectional, SimpleRNN

from .onnx_cases import node_cases, runnable

CASES = node_cases("rnn", "lstm", "gru")
UNSUPPORTED = {"test_lstm_with_peepholes": "our LSTM has no peepholes: Gers et al. 2000, not Gers & Schmidhuber 2000"}
ORDER = {"RNN": [0], "LSTM": [0, 2, 3, 1], "GRU": [1, 0, 2]}  # where our gates stand among ONNX's


def ours(op, rows):
    """Rows of ONNX's gates in our order."""
    gates = np.split(rows, len(ORDER[op]))
    return np.concatenate([gates[i] for i in ORDER[op]])


def layer_for(case):
    options = {"units": case.attributes["hidden_size"], "returns": "all"}
    options["reverse"] = case.attributes.get("direction") == "reverse"
    if case.op == "GRU":
        options["reset"] = "after" if case.attributes.get("linear_before_reset", 0) else "before"
    layer = {"RNN": SimpleRNN, "LSTM": LSTM, "GRU": GRU}[case.op](**options)
    return Bidirectional(layer) if case.attributes.get("direction") == "bidirectional" else layer


def fill(layer, op, W, R, B):
    layer.params["W"].value, layer.params["U"].value = ours(op, W).T, ours(op, R).T
    if B is not None:
        first, second = (ours(op, part) for part in np.split(B, 2))
        if "v" in layer.params:
            layer.params["v"].value = second[2 * layer.units :].copy()
            second[2 * layer.units :] = 0
        layer.params["b"].value = first + second


def test_every_case_is_known():
    names = [case.name for case in CASES]
    assert len(names) >= 16
    assert set(UNSUPPORTED) <= set(names)


@pytest.mark.parametrize("case", runnable(CASES, UNSUPPORTED), ids=str)
def test_onnx(case):
    known = {"hidden_size", "layout", "direction", "linear_before_reset"}
    assert set(case.attributes) <= known, "an attribute that this test does not carry over"
    X, W, R, B = [*case.inputs, None][:4]
    assert all(extra is None for extra in case.inputs[4:]), "sequence lengths and first states are not carried over"
    batch_first = case.attributes.get("layout", 0) == 1
    x = X if batch_first else X.swapaxes(0, 1)  # (N, T, F)
    layer = layer_for(case)
    layer.init(x.shape[1:], np.random.default_rng(0))
    directions = list(layer.children().values()) or [layer]
    for i, one in enumerate(directions):
        fill(one, case.op, W[i], R[i], None if B is None else B[i])
        if B is None:
            one.params["b"].value = np.zeros_like(one.params["b"].value)  # the forget gate's 1 is ours, not ONNX's
    y, _ = layer.forward(x)  # (N, T, D·H)
    Y = y.reshape(*y.shape[:2], len(directions), -1)  # (N, T, D, H)
    last = np.stack([Y[:, 0 if one.reverse else -1, i] for i, one in enumerate(directions)], axis=1)  # (N, D, H)
    got = [last if batch_first else last.swapaxes(0, 1)]  # Y_h
    if case.outputs[0].ndim == 4:  # Y stands before it, where it is asked for
        got.insert(0, Y if batch_first else Y.transpose(1, 2, 0, 3))
    case.check(*got)  # the LSTM cases have Y_c after it; our cells stay inside
