"""Tools that find bugs in a program in the form of network.py, which may be edited.

gradcheck   `backward` against differences of `loss`, by `check_gradients`
explain     one step of training, and a second one, against the same steps of digitlab's own network
look        outputs and inputs: what must be true of them whatever the network has learned
doctor      a training, examined as `digitlab doctor` does

Each returns what it complains about, in sentences; [] if nothing.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from digitlab.data import Digits, Splits, load
from digitlab.doctor import Case, examine
from digitlab.gradients import CentralDifferences, Gradient, check_gradients
from digitlab.gradients.batch import Batch
from digitlab.nn import LogLikelihood, Network, mlp
from digitlab.nn.io.description import describe_network
from digitlab.train.config import RunConfig

Program = Any  # a module in the form of network.py
Array = np.ndarray[Any, Any]
FEW = 8  # examples of a small batch


@dataclasses.dataclass(frozen=True, repr=False)
class OfProgram(Gradient, abstract=True):
    """The gradient that a program's `backward` computes, put to the test as a method of its own."""

    program: Any = None

    def compute(self, network: Network, batch: Batch) -> Any:
        p = arrays_of(network)
        a1, a2, y = self.program.forward(p, batch.x)
        for name, grad in self.program.backward(p, batch.x, batch.targets, a1, a2, y).items():
            network.parameters()[key_of(name)].grad = grad
        return self.program.loss(y, batch.targets)


def twin_of(p: dict[str, Array]) -> Network:
    """digitlab's network with the weights of a program, in float64: Dense, Sigmoid, Dense, Sigmoid, Dense, softmax."""
    sizes = [p["W1"].shape[0], *(p[f"W{i}"].shape[1] for i in (1, 2, 3))]
    network = mlp(sizes, loss=LogLikelihood(), dtype="float64")
    network.load_state({key_of(name): array for name, array in p.items()})
    return network


def key_of(name: str) -> str:
    """The name in digitlab's network of a program's array: W2 is 2.W."""
    return f"{2 * (int(name[1]) - 1)}.{name[0]}"


def named(key: str) -> str:
    """The name in the program: 2.W is W2."""
    layer, _, kind = key.partition(".")
    return f"{kind}{int(layer) // 2 + 1}"


def arrays_of(network: Network) -> dict[str, Array]:
    """The arrays of such a network by their names in the program, not copied."""
    return {f"{kind}{i}": network.layers[2 * i - 2].params[kind].value for i in (1, 2, 3) for kind in "Wb"}


def gradcheck(program: Program) -> list[str]:
    """Every array whose gradient is not the slope of the loss."""
    (x, labels), *_ = program.load_data()
    network = twin_of(program.first_weights(np.random.default_rng(1)))
    rng = np.random.default_rng(0)
    tested = OfProgram(program)
    report = check_gradients(
        network, x[:FEW], labels[:FEW], method=CentralDifferences(), tested=tested, samples=12, rng=rng
    )
    return [
        f"∂L/∂{named(row.name)}[{','.join(map(str, row.worst))}] is {row.backprop:+.6f} by backward and "
        f"{row.other:+.6f} by differences"
        for row in report.rows
        if not row.passed
    ]


def explain(program: Program) -> list[str]:
    """Every array that is not what it should be after one step, or after a second one."""
    (x, labels), *_ = program.load_data()
    x, labels = x[:FEW], labels[:FEW]
    p = {name: np.array(array) for name, array in program.first_weights(np.random.default_rng(1)).items()}
    network, rng = twin_of(p), np.random.default_rng(0)
    before = program.DROPOUT
    program.DROPOUT = 0.0
    try:
        for step in ("one step", "two steps"):
            program.train_step(p, x, labels, rng)
            network.gradient(x, labels)
            for parameter in network.parameters().values():
                parameter.value = parameter.value - program.RATE * parameter.grad
            wanted = arrays_of(network)
            if wrong := [name for name in p if not np.allclose(p[name], wanted[name], rtol=1e-6, atol=1e-9)]:
                return [
                    f"after {step}, {name} differs from w − η ∂L/∂w by up to {np.abs(p[name] - wanted[name]).max():.2g}"
                    for name in wrong
                ]
    finally:
        program.DROPOUT = before
    return []


def look(program: Program) -> list[str]:
    """What must be true of inputs, outputs and batches."""
    return [*look_at_data(program), *look_at_outputs(program), *look_at_epochs(program)]


def look_at_data(program: Program) -> list[str]:
    """Inputs that are not the images, scaled to 0 to 1."""
    found, sets = [], program.load_data()
    images = {image.tobytes() for image in load("digits", part="all").images}
    for name, (x, _) in zip(("training", "validation", "test"), sets):
        low, high = float(x.min()), float(x.max())
        if low < 0 or high > 1:
            found.append(f"the {name} inputs are from {low:g} to {high:g}, not from 0 to 1")
        elif len(np.unique(x)) < 3:
            found.append(f"the {name} inputs have the values {', '.join(f'{v:g}' for v in np.unique(x))} alone")
        elif not images >= {row.tobytes() for row in np.round(255 * x[:FEW]).astype(np.uint8)}:
            found.append(f"the first {name} inputs are none of the images, pixel by pixel")
    return found


def look_at_outputs(program: Program) -> list[str]:
    """Outputs that are no probabilities, or that depend on more than the image."""
    (x, _), *_ = program.load_data()
    p, found = program.first_weights(np.random.default_rng(1)), []
    y = program.forward(p, x[:FEW])[-1]
    sums = y.sum(axis=1)
    if not np.allclose(sums, 1):
        found.append(f"the outputs of an image add up to {sums.min():.2f} to {sums.max():.2f}, not to 1")
    alone = np.concatenate([program.forward(p, x[i : i + 1])[-1] for i in range(FEW)])
    if not np.allclose(program.forward(p, x[:FEW])[-1], y):
        found.append("the same images get other outputs when they are asked for again")
    elif not np.allclose(alone, y):
        found.append("an image gets other outputs alone than among others")
    with np.errstate(all="ignore"):
        large = program.forward({**p, "W3": 1e4 * p["W3"]}, x[:FEW])[-1]
        if not np.isfinite(large).all():
            found.append("outputs are NaN where the weighted sums of the last layer are in the thousands")
    return found


def look_at_epochs(program: Program) -> list[str]:
    """Epochs that leave examples out or repeat the order of the one before, and a best network that is not kept."""
    (x, labels), valid, _ = program.load_data()
    x, labels, found = x[:60], labels[:60], []
    seen: list[list[bytes]] = []
    step, epochs = program.train_step, program.EPOCHS

    def watched(p: Any, batch: Array, labels: Any, rng: Any) -> float:
        seen[-1] += [row.tobytes() for row in batch]
        return float(step(p, batch, labels, rng))

    def counted(p: Any, *_: Any) -> float:
        seen.append([])  # an evaluation ends an epoch
        return 1 / len(seen)  # the first one is the best

    p = program.first_weights(np.random.default_rng(1))
    seen.append([])
    accuracy = program.accuracy
    program.train_step, program.EPOCHS, program.accuracy = watched, 2, counted
    try:
        best, _ = program.train(p, (x, labels), valid, np.random.default_rng(0))
    finally:
        program.train_step, program.EPOCHS, program.accuracy = step, epochs, accuracy
    first, second = seen[0], seen[1]
    for name, examples in (("first", first), ("second", second)):
        if sorted(examples) != sorted(row.tobytes() for row in x):
            found.append(f"the {name} epoch has {len(examples)} of {len(x)} training examples")
    if first and first == second and first != [row.tobytes() for row in x]:
        found.append("two epochs have the examples in the same order")
    if any(np.shares_memory(best[name], p[name]) for name in p):
        found.append("the best network is the one that is trained on, not a copy")
    return found


def doctor(program: Program) -> list[str]:
    """What `digitlab doctor` finds in a training of the program."""
    sets = program.load_data()
    rng = np.random.default_rng(0)
    p = {name: np.array(array) for name, array in program.first_weights(rng).items()}
    first = {name: array.copy() for name, array in p.items()}
    with np.errstate(all="ignore"):
        best, history = program.train(p, sets[0], sets[1], rng)
        rows = [{"epoch": i, "train_loss": loss, "valid_accuracy": right} for i, (loss, right) in enumerate(history, 1)]
        if not all(np.isfinite(row["train_loss"]) for row in rows):
            return ["the loss is no longer finite"]
    order = np.concatenate([labels for _, labels in program.batches(*sets[0], np.random.default_rng(0))])
    config = RunConfig(
        network=describe_network(twin_of(first)),
        data={"source": "digits"},
        optimizer={"type": "SGD", "learning_rate": program.RATE},  # type: ignore[arg-type]
        batch_size=program.BATCH,
        epochs=program.EPOCHS,
        shuffle=bool(len(order) != len(sets[0][1]) or (order != sets[0][1]).any()),
    )
    splits = Splits(*(as_digits(x, labels) for x, labels in sets))
    case = Case(config, rows, twin_of(best), first=twin_of(first), last=lambda: twin_of(p), splits=splits)
    return [f"{finding.title}: {finding.seen}" for finding in examine(case)]


def as_digits(x: Array, labels: Array) -> Digits:
    """A program's set as images."""
    side = int(np.sqrt(x.shape[1]))
    return Digits(np.clip(np.round(255 * x), 0, 255).astype(np.uint8).reshape(-1, side, side), labels)


TOOLS: dict[str, Callable[[Program], list[str]]] = {
    "gradcheck": gradcheck,
    "explain": explain,
    "look": look,
    "doctor": doctor,
}
