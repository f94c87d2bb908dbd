"""What ONNX graphs hold besides chains of plain layers: forks that join again, normalization, recurrent layers.

Each function reads from the graph for a reader (onnx_reader.py), which knows the shape and the layout at this place.
"""

from typing import Any

import numpy as np

from digitlab.nn.activations import SiLU
from digitlab.nn.containers import Branches, Residual
from digitlab.nn.network import Layer, Sigmoid
from digitlab.nn.normalization import BatchNorm
from digitlab.nn.recurrent import GRU, LSTM, SimpleRNN
from digitlab.nn.repeat import Repeat
from digitlab.nn.reshaping import Reshape

JOINS = ("Add", "Sum", "Mean", "Concat", "Mul")
RECURRENT: dict[str, type[Any]] = {"RNN": SimpleRNN, "LSTM": LSTM, "GRU": GRU}
# The gates of an ONNX layer by ours: ONNX has i o f c and z r h; here i f g o and r z n.
GATES = {"RNN": [0], "LSTM": [0, 2, 3, 1], "GRU": [1, 0, 2]}
ACTIVATIONS = {"RNN": ["Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"]}


def read_fork(reader: Any, value: str) -> str:
    """The branches from a value that several nodes read, up to the node that joins them; returns its output.

    Where a fork is in another, the inner branches read the same value: those that join first become one branch.
    """
    parts = [reader.branch() for _ in reader.readers[value]]
    joins = [part.follow(value, first=node) for part, node in zip(parts, reader.readers[value])]
    while any(join is not joins[0] for join in joins):
        places = [[i for i, other in enumerate(joins) if other is join] for join in joins if join is not None]
        inner = next((some for some in places if len(some) == len(joins[some[0]].input)), None)
        if inner is None:
            break
        join, whole = joins[inner[0]], reader.branch()
        merge(whole, join, [parts[i] for i in inner])
        outer = [i for i in range(len(parts)) if i not in inner]
        parts, joins = [parts[i] for i in outer], [joins[i] for i in outer]
        joins.append(whole.follow(str(join.output[0])))
        parts.append(whole)
    join = joins[0]
    if join is None or any(other is not join for other in joins):
        raise ValueError(f"the branches of {value} do not end in one node")
    merge(reader, join, parts)
    return str(join.output[0])


def merge(reader: Any, join: Any, parts: list[Any]) -> None:
    """Add the layer that these branches are, joined by this node, to the reader's layers."""
    layouts = {(part.channels_first, part.steps_first) for part in parts}
    fits = join.op_type in JOINS and sorted(part.value for part in parts) == sorted(join.input)
    if not fits or len(layouts) > 1 or any(part.order is not None or part.loss for part in parts):
        raise ValueError(f"{join.op_type} {join.name} joins values of other layouts, or from elsewhere")
    parts.sort(key=lambda part: list(join.input).index(part.value))
    layer, prefixes = joined(join, parts, reader)
    arrays = {f"{prefix}{name}": a for part, prefix in zip(parts, prefixes) for name, a in part.arrays.items()}
    reader.add(layer, **arrays)
    reader.channels_first, reader.steps_first = parts[0].channels_first, parts[0].steps_first


def joined(join: Any, parts: list[Any], reader: Any) -> tuple[Layer, list[str]]:
    """The layer of these branches, and for each the beginning of its arrays' names."""
    chains = [part.layers for part in parts]
    kind, lengths = join.op_type, sorted(map(len, chains))
    if kind == "Mul":
        if lengths == [0, 1] and isinstance(max(chains, key=len)[0], Sigmoid):
            return SiLU(), ["", ""]
        raise ValueError(f"Mul {join.name} of two branches is not read, but for x · sigmoid(x)")
    if kind == "Concat":
        axis = reader.attributes(join).get("axis")
        rank = len(parts[0].shape) + 1
        if axis not in ((1,) if parts[0].channels_first else (-1, rank - 1)):
            raise ValueError(f"Concat {join.name} along axis {axis}; expected the features")
    elif kind == "Add" and len(chains) == 2 and lengths[0] <= 1:
        shortcut = 0 if len(chains[0]) == lengths[0] else 1
        projection = chains[shortcut][0] if chains[shortcut] else None
        prefixes = ["", ""]
        if projection is not None:
            parts[shortcut].arrays = {name.partition(".")[2]: a for name, a in parts[shortcut].arrays.items()}
            prefixes[shortcut] = "projection."
        return Residual(chains[1 - shortcut], projection=projection), prefixes
    merge = {"Concat": "concatenate", "Mean": "mean"}.get(kind, "sum")
    layer = Branches(chains, merge=merge)
    return layer, [f"{name}." for name in layer.children()]


def read_batch_norm(reader: Any, node: Any, given: dict[str, Any]) -> None:
    """BatchNormalization, which has the running mean and variance as constants."""
    gamma, beta, mean, variance = (reader.constants[name] for name in node.input[1:5])
    layer = BatchNorm(epsilon=float(given.get("epsilon", 1e-5)))
    reader.add(layer, gamma=gamma, beta=beta, running_mean=mean, running_var=variance)
    in_order(reader, "gamma", "beta", "running_mean", "running_var")


def read_factor(reader: Any, factor: Any) -> None:
    """A factor for each feature: a BatchNorm whose running mean is 0 and whose σ is 1."""
    layer, count = BatchNorm(), reader.shape[-1]
    one = np.full(count, 1 - layer.epsilon)
    reader.add(layer, gamma=factor.reshape(-1), beta=np.zeros(count), running_mean=np.zeros(count), running_var=one)
    in_order(reader, "gamma", "beta", "running_mean", "running_var")


def in_order(reader: Any, *keys: str) -> None:
    """Bring the last layer's numbers, one for each feature, into our order of pictures that ONNX flattened."""
    if reader.order is not None:
        place = len(reader.layers) - 1
        for key in keys:
            reader.arrays[f"{place}.{key}"] = reader.arrays[f"{place}.{key}"][reader.order]


def read_tile(reader: Any, node: Any) -> None:
    """Tile of one step, which a Reshape made: the input again at every step."""
    times = [int(n) for n in reader.constants[node.input[1]].reshape(-1)]
    last = reader.layers[-1] if reader.layers else None
    if not isinstance(last, Reshape) or len(times) != 3 or times[::2] != [1, 1] or last.shape[0] != 1:
        raise ValueError(f"Tile {node.name} by {times}: expected a sequence of one step, repeated")
    reader.layers.pop()
    reader.shape = last.shape[1:]
    reader.add(Repeat(times[1]))


def read_recurrent(reader: Any, node: Any, given: dict[str, Any]) -> str:
    """RNN, LSTM or GRU in one direction with usual activations; returns the output that is read, all states or last."""
    kind, units = node.op_type, int(given["hidden_size"])
    direction = given.get("direction", b"forward").decode()
    usual = [name.decode() for name in given.get("activations", [])] in ([], ACTIVATIONS[kind])
    if not reader.steps_first or direction not in ("forward", "reverse") or not usual or any(node.input[4:]):
        raise ValueError(f"{kind} {node.name}: expected steps first, one direction, usual activations, no first state")
    if {"clip", "input_forget", "layout"} & {name for name, value in given.items() if value}:
        raise ValueError(f"{kind} {node.name}: clip, input_forget and layout are not read")
    used = [name for name in node.output[:2] if name and (reader.readers.get(name) or name == reader.end)]
    if len(used) != 1:
        raise ValueError(f"{kind} {node.name}: expected one output to be read, all states or the last")
    returns = "all" if used[0] == node.output[0] else "last"

    def gates(array: Any) -> list[Any]:  # (gates·H, ...)
        return [array[g * units : (g + 1) * units] for g in GATES[kind]]

    W, U = (
        np.concatenate(gates(reader.constants[name][0])).T for name in node.input[1:3]
    )  # (F, gates·H), (H, gates·H)
    biases = reader.constants[node.input[3]][0] if len(node.input) > 3 and node.input[3] else np.zeros(2 * W.shape[1])
    outer, inner = gates(biases[: W.shape[1]]), gates(biases[W.shape[1] :])
    more: dict[str, Any] = {}
    arrays: dict[str, Any] = {"W": W, "U": U}
    if kind == "GRU":
        more["reset"] = "after" if given.get("linear_before_reset", 0) else "before"
        if more["reset"] == "after":
            arrays["v"], inner[-1] = inner[-1], np.zeros(units)
    arrays["b"] = np.concatenate([a + b for a, b in zip(outer, inner)])
    reader.add(RECURRENT[kind](units, returns=returns, reverse=direction == "reverse", **more), **arrays)
    reader.steps_first = returns == "all"
    return str(used[0])
