"""Reads a finished network, optimizer and regularizers, and makes a plan for the kernels, or says why there is none."""

from collections.abc import Callable, Sequence

import numpy as np

from digitlab.engine.fast import layout as at
from digitlab.engine.fast.operations import CODES, LAYERS, PLANNED, UNCHANGED
from digitlab.engine.fast.ops import loss as losses
from digitlab.engine.fast.ops import optimizer as optimizers
from digitlab.engine.fast.ops import readable
from digitlab.engine.fast.ops.windows import CHANNELS
from digitlab.engine.fast.plan import Plan, Row, padded
from digitlab.engine.fast.plan_builder import Edited, NoKernel, PlanBuilder, settings
from digitlab.gradients import Backpropagation, Gradient
from digitlab.gradients.rashid import RashidRule
from digitlab.nn.losses import LogLikelihood
from digitlab.nn.network import Layer, Network
from digitlab.optim.base import Optimizer
from digitlab.optim.regularizers import L1, L2, MaxNorm, Regularizer

REGULARIZED = ("W", "U")  # the parameters to which kernels apply regularizers
RULES: dict[type[Gradient], int] = {Backpropagation: at.BACKPROPAGATION, RashidRule: at.RASHID}


def make_plan(
    network: Network,
    optimizer: Optimizer,
    regularizers: Sequence[Regularizer] = (),
    *,
    examples: int = 1,
    gradient: Gradient | None = None,
    learning: bool = True,
    edited: Callable[[Layer], str | None] = lambda layer: None,
) -> Plan | str:
    """The plan, or one sentence that names what has no kernel.

    learning   False: for predictions only
    edited     says what was changed in a layer's code (twins.py); such a layer runs as readable code
    """
    try:
        check(network, optimizer, regularizers, gradient)
        hyper = hyper_parameters(network, optimizer, regularizers, examples)
        builder = PlanBuilder(
            network,
            learning,
            CODES,
            plan_layer,
            lambda layer: edited(layer) or (set_by_hand(layer) if regularizers else None),
        )
        named = zip(map(str, range(len(network.layers))), network.layers)
        builder.plan_chain(named, network.input_shape, trains=True)
        if builder.gradient_at < 0:
            builder.gradient_at = builder.room(builder.stride)  # for δ
        if builder.readable and (not builder.work or isinstance(gradient, RashidRule)):
            raise NoKernel(builder.readable[0].reason)  # what is left to the kernels would not repay the calls
        if not builder.slots:
            raise NoKernel("there is nothing to train")
    except NoKernel as reason:
        return str(reason)
    state = optimizer.init_state(np.zeros(1))
    return Plan(
        builder.operations,
        builder.slots,
        builder.buffers,
        builder.params_size,
        builder.per_example,
        output=builder.place,
        widest=max([builder.stride, *map(zeros_read, builder.operations)]),
        scratch=builder.scratch,
        input_size=int(np.prod(network.input_shape)),
        loss=losses.CODES[type(network.loss)],
        optimizer=optimizers.CODES[type(optimizer)],
        state_keys=tuple(key for key in state if key != "step"),
        counts_steps="step" in state,
        hyper=hyper,
        rule=RULES[type(gradient or Backpropagation())],
        work=builder.work,
        dropouts=builder.dropouts,
        batch_checks=builder.batch_checks,
        readable=builder.readable,
        learning=learning,
    )


def zeros_read(row: Row) -> int:
    """How many zeros an operation reads in place of biases: a row of W, and on the way back of W turned."""
    turned = padded(row[CHANNELS]) if row[at.KIND] == CODES["conv"] else 0
    return max(int(row[at.W_STRIDE]), turned)


def plan_layer(builder: PlanBuilder, i: int) -> None:
    """Add layer i's operation, and take those layers that it is fused with; or its readable code. Raises NoKernel."""
    layer, saved = builder.layers[i], builder.saved()
    kind, reason = type(layer), f"no kernel for {type(layer).__name__}, layer {builder.names[i]}"
    if kind in UNCHANGED:
        return
    if isinstance(layer, Edited):
        readable.plan_readable(builder, i, *layer)
        return
    try:
        if plan_kernels(builder, i):
            return
    except NoKernel as error:
        reason = str(error)
    builder.restore(saved)
    if builder.learning and not layer.differentiable:
        raise NoKernel(reason)
    readable.plan_readable(builder, i, layer, reason)


def plan_kernels(builder: PlanBuilder, i: int) -> bool:
    """Add layer i's operation, if there is one that takes it."""
    kind = type(builder.layers[i])
    return any(kind in operation.LAYERS and operation.plan(builder, i) for operation in PLANNED)


def set_by_hand(layer: Layer) -> str | None:
    """Why the kernels of regularizers do not fit a layer that has kernels."""
    inner = [layer, *layer.children().values()] if type(layer) in LAYERS else []
    if any(p.regularized != (key in REGULARIZED) for one in inner for key, p in one.params.items()):
        return "regularizers have kernels for weights and none for biases; here `regularized` says otherwise"
    return None


def check(
    network: Network, optimizer: Optimizer, regularizers: Sequence[Regularizer], gradient: Gradient | None
) -> None:
    """Raise NoKernel for anything besides layers that has no kernel."""
    if gradient is not None and type(gradient) not in RULES:
        raise NoKernel(f"gradient {type(gradient).__name__} needs the reference engine")
    if gradient is not None and (refusal := gradient.unsupported_reason(network)):
        raise NoKernel(refusal)
    if network.dtype != "float32":
        raise NoKernel(f"{network.dtype} networks are for checking mathematics; the kernels are float32")
    if type(network.loss) not in losses.CODES:
        raise NoKernel(f"no kernel for the loss {type(network.loss).__name__}")
    if isinstance(network.loss, LogLikelihood) and len(network.shapes[-1]) > 1:
        raise NoKernel("no kernel for a softmax at each place of a picture")
    if type(optimizer) not in optimizers.CODES:
        raise NoKernel(f"no kernel for the optimizer {type(optimizer).__name__}")
    for regularizer in regularizers:
        if type(regularizer) not in optimizers.REGULARIZERS:
            raise NoKernel(f"no kernel for the regularizer {type(regularizer).__name__}")
    if not all(isinstance(p.value, np.ndarray) for p in network.parameters().values()):
        raise NoKernel("the parameters are not NumPy arrays; their own library computes")


def hyper_parameters(
    network: Network, optimizer: Optimizer, regularizers: Sequence[Regularizer], examples: int
) -> list[float]:
    """The numbers of optimizer, regularizers, loss and scaling at their places (layout.py)."""
    loss, hyper = network.loss, [0.0] * at.HYPER_SIZE
    for name, value in settings(optimizer, ("learning_rate", *optimizers.SETTINGS)).items():
        if name != "learning_rate":  # each step is given its rate
            hyper[optimizers.SETTINGS[name]] = float(value)
    settings(loss, losses.SETTINGS)
    hyper[at.L1_SHARE] = sum(r.strength for r in regularizers if isinstance(r, L1)) / examples
    hyper[at.L2_SHARE] = sum(r.strength for r in regularizers if isinstance(r, L2)) / examples
    hyper[at.MAX_NORM] = min((r.limit for r in regularizers if isinstance(r, MaxNorm)), default=0.0)
    share, common = 1 - loss.label_smoothing, loss.label_smoothing / network.shapes[-1][-1]
    hyper[at.LOW], hyper[at.HIGH] = share * loss.low + common, share * loss.high + common
    hyper[at.FACTOR], hyper[at.OFFSET] = network.scaling.factor, network.scaling.offset
    return hyper
