"""Which engine trains a network, and why."""

import math
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from digitlab.arguments import checked
from digitlab.arrays import Array
from digitlab.engine.base import Engine
from digitlab.engine.pure_engine import PureEngine
from digitlab.engine.reference import ReferenceEngine
from digitlab.engine.torch_engine import TorchEngine
from digitlab.errors import ConfigError, EngineError, not_among
from digitlab.fingerprints import tell, what_changed
from digitlab.gradients import Backpropagation, Gradient
from digitlab.nn.network import Layer, Network
from digitlab.optim.base import Optimizer
from digitlab.optim.regularizers import Regularizer

if TYPE_CHECKING:
    from digitlab.engine.fast.plan import Plan

NAMES = {
    "auto": "the fastest engine that can train this network here",
    "fast": "the compiled engine",
    "reference": "the readable engine, in NumPy",
    "torch": "the readable engine, on PyTorch tensors",
    "torch-compiled": "the readable engine, translated by torch.compile for a GPU",
    "cupy": "the readable engine, on CuPy arrays",
    "pure": "the books' loops over lists of floats",
}

LIBRARIES = {"torch": "torch", "torch-compiled": "torch", "cupy": "cupy"}
CACHED = 400_000  # numbers in the largest output of a batch of the readable code; 1.6 MB
SWITCH = "DIGITLAB_FAST"  # the environment variable that switches the fast engine off


@checked
def select_engine(
    name: str,
    network: Network,
    optimizer: Optimizer,
    regularizers: Sequence[Regularizer] = (),
    *,
    examples: int = 1,
    gradient: Gradient | None = None,
    rng: np.random.Generator | None = None,
    device: str = "cpu",
    mixed_precision: bool = False,
) -> tuple[Engine, str]:
    """The engine for this training, and the reason in one sentence.

    For "torch" and "cupy" the network is moved to that library and `device`; `network.to("numpy")` brings it back.
    `mixed_precision` is for the torch engines.
    Raises ConfigError for an unknown name, EngineError if the requested engine cannot run here.
    """
    library = require_device(name, device, mixed_precision=mixed_precision)
    network.to(library, device)
    refusal = ""
    if name in ("auto", "fast"):
        try:
            engine, plan = _fast(name, network, optimizer, regularizers, examples, gradient)
            return engine, _reason(name, plan)
        except EngineError as error:
            if name == "fast":
                raise EngineError(f"the fast engine cannot train this: {error}; the reference engine can") from None
            refusal = str(error)
    if name == "pure":
        return PureEngine(network, optimizer, regularizers, gradient=gradient), f"{NAMES[name]}, as asked"
    settings: dict[str, Any] = {"examples": examples, "gradient": gradient, "rng": rng}
    if library == "torch" and isinstance(gradient, Backpropagation | None):
        settings |= {"compiled": name == "torch-compiled", "mixed_precision": mixed_precision}
        precision = ", mixed precision" if mixed_precision else ""
        reason = f"{NAMES[name]}, as asked, device {device}{precision}"
        return TorchEngine(network, optimizer, regularizers, **settings), reason
    engine = ReferenceEngine(network, optimizer, regularizers, **settings)
    if name == "auto":
        return engine, f"the reference engine: {refusal}"
    return engine, f"{NAMES[name]}, as asked" + (f", device {device}" if library != "numpy" else "")


def require_device(name: str, device: str, *, mixed_precision: bool = False) -> str:
    """The library of an engine. Raises ConfigError for an unknown engine, or what it cannot do."""
    if name not in NAMES:
        raise ConfigError(f"unknown engine {not_among(name, NAMES)}")
    library = LIBRARIES.get(name, "numpy")
    if library == "numpy" and device != "cpu":
        raise ConfigError(
            f"device {device!r}: engine {name!r} computes on the CPU; choose engine 'torch' or 'cupy' (--engine torch)"
        )
    if mixed_precision and library != "torch":
        raise ConfigError(
            f"mixed precision: engine {name!r} does not have it; choose engine 'torch' or 'torch-compiled' "
            "(--engine torch)"
        )
    return library


def _fast(
    name: str,
    network: Network,
    optimizer: Optimizer,
    regularizers: Sequence[Regularizer],
    examples: int,
    gradient: Gradient | None,
) -> "tuple[Engine, Plan]":
    """The fast engine and its plan.

    Raises EngineError with the reason if it cannot train this network, or if the readable code was changed since its
    kernels were compared with it.
    """
    if switched_off():
        raise EngineError(f"the fast engine is switched off by {SWITCH}")
    from digitlab.engine.fast import FastEngine, edited, make_plan, parts_of

    clauses: list[str] = []

    def noted(layer: Layer) -> str | None:
        if clause := edited(layer):
            clauses.append(clause)
        return clause

    settings: dict[str, Any] = {"examples": examples, "gradient": gradient}
    plan = make_plan(network, optimizer, regularizers, **settings, edited=noted)
    if not isinstance(plan, str) and (clause := what_changed(parts_of(network, optimizer, regularizers, gradient))):
        plan = clause
        clauses = [clause]
    whole = isinstance(plan, str)
    for clause in clauses if name == "auto" or not whole else ():
        tell(f"{clause}; the {'reference engine' if whole else 'layer'} trains by the code as it is now")
    if isinstance(plan, str):
        raise EngineError(plan)
    return FastEngine(network, optimizer, regularizers, **settings, edited=edited), plan


def _reason(name: str, plan: "Plan") -> str:
    if plan.readable:
        layers = ", ".join(f"{one.name} ({one.reason.partition(', layer')[0]})" for one in plan.readable)
        kind = "layer" if len(plan.readable) == 1 else "layers"
        engine = "the fast engine" if name == "auto" else f"{NAMES[name]}, as asked"
        return f"{engine}, with readable code for {kind} {layers}"
    return "the fast engine: every part of this training has a kernel" if name == "auto" else f"{NAMES[name]}, as asked"


def make_predictor(network: Network, *, logits: bool = False, examples: float = math.inf) -> Callable[[Array], Array]:
    """The fastest function from examples (N, ...) to outputs (N, out) for this network on this machine.

    Compiled where there are kernels, else `network.predict`. It notices when the network's parameters are replaced. Two
    threads must not call it at the same time.

    logits     outputs before the loss's activation
    examples   how many it will be called with; for few, kernels are used only if they are compiled already
    """
    try:
        if switched_off() or any(not isinstance(p.value, np.ndarray) for p in network.parameters().values()):
            raise EngineError("not for the fast engine")
        from digitlab.engine.fast import Predictor, edited, parts_of

        if clause := what_changed(parts_of(network)):
            raise EngineError(clause)
        return Predictor(network, logits=logits, examples=examples, edited=edited)
    except EngineError:
        return _readable_predictor(network, logits)


def _readable_predictor(network: Network, logits: bool) -> Callable[[Array], Array]:
    """The readable code; on the CPU in batches that fit the second-level cache: convolutions are then twice as fast."""
    outputs: Callable[[Array], Array] = (lambda x: network.forward(x)[0]) if logits else network.predict
    if any(not isinstance(value, np.ndarray) for value in network.state().values()):
        return outputs
    batch = max(1, CACHED // max(map(math.prod, network.shapes)))

    def predictor(x: Array) -> Array:
        parts = [outputs(x[at : at + batch]) for at in range(0, max(1, len(x)), batch)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    return predictor


def predict(network: Network, x: Array) -> Array:
    """`network.predict(x)` for examples (N, ...): by kernels, which are compiled where that takes less time."""
    return make_predictor(network, examples=len(x))(x)


def switched_off() -> bool:
    """Whether the environment says that the fast engine is not to be used."""
    return os.environ.get(SWITCH, "").lower() in ("0", "off", "no", "false")
