"""Reads a finished network, optimizer and regularizers, and makes a plan for the kernels, or says why there is none."""

from collections.abc import Sequence

import numpy as np

from digitlab.engine.fast import layout as at
from digitlab.engine.fast.operations import CODES, LAYERS, OPERATIONS, PLANNED, UNCHANGED
from digitlab.engine.fast.ops import loss as losses
from digitlab.engine.fast.ops import optimizer as optimizers
from digitlab.engine.fast.plan import Plan
from digitlab.engine.fast.plan_builder import NoKernel, PlanBuilder, settings
from digitlab.gradients import Backpropagation, Gradient
from digitlab.gradients.rashid import RashidRule
from digitlab.nn.losses import LogLikelihood
from digitlab.nn.network import Network
from digitlab.optim.base import Optimizer
from digitlab.optim.regularizers import L1, L2, MaxNorm, Regularizer

RULES: dict[type[Gradient], int] = {Backpropagation: at.BACKPROPAGATION, RashidRule: at.RASHID}


def make_plan(
    network: Network,
    optimizer: Optimizer,
    regularizers: Sequence[Regularizer] = (),
    *,
    examples: int = 1,
    gradient: Gradient | None = None,
    learning: bool = True,
) -> Plan | str:
    """The plan, or one sentence that names what has no kernel. `learning` False: for predictions only."""
    try:
        check(network, optimizer, regularizers, gradient)
        hyper = hyper_parameters(network, optimizer, regularizers, examples)
        builder = PlanBuilder(network, learning, CODES, plan_layer)
        named = zip(map(str, range(len(network.layers))), network.layers)
        builder.plan_chain(named, network.input_shape, trains=True)
        if builder.gradient_at < 0:
            builder.gradient_at = builder.room(builder.stride)  # for δ
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
        widest=max([builder.stride, *(int(row[at.W_STRIDE]) for row in builder.operations)]),
        scratch=builder.scratch,
        input_size=int(np.prod(network.input_shape)),
        loss=losses.CODES[type(network.loss)],
        optimizer=optimizers.CODES[type(optimizer)],
        state_keys=tuple(key for key in state if key != "step"),
        counts_steps="step" in state,
        hyper=hyper,
        rule=RULES[type(gradient or Backpropagation())],
        work=builder.work,
        kernel_sets=frozenset(builder.kernel_sets),
        dropouts=builder.dropouts,
        batch_checks=builder.batch_checks,
    )


def plan_layer(builder: PlanBuilder, i: int) -> None:
    """Add layer i's operation, and take those layers that it is fused with. Raises NoKernel."""
    kind = type(builder.layers[i])
    if kind in UNCHANGED:
        return
    for operation in PLANNED:
        before = len(builder.operations)
        if kind in operation.LAYERS and operation.plan(builder, i):
            for row in builder.operations[before:]:
                builder.needs_kernel_set(OPERATIONS[int(row[at.KIND])].KERNEL_SET)
            return
    by_itself = " by itself" if kind in LAYERS else ""
    raise NoKernel(f"no kernel for {kind.__name__}{by_itself}, layer {builder.names[i]}")


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
    if regularizers and any(p.regularized != name.endswith((".W", ".U")) for name, p in network.parameters().items()):
        raise NoKernel("regularizers have kernels for weights and none for biases; here `regularized` says otherwise")
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
