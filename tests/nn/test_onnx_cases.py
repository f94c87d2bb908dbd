"""The feed-forward operators of ONNX, on the cases that the onnx package carries for any runtime to pass.

ONNX puts channels first (N, C, H, W); we put them last, so pictures are turned on the way in and out.
A case that cannot run is named in UNSUPPORTED with its reason. Recurrent operators have a file of their own.
"""

import numpy as np
import pytest

from digitlab.errors import ShapeError
from digitlab.nn import (
    ELU,
    GELU,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dense,
    Given,
    GlobalAveragePool,
    HardSigmoid,
    LayerNorm,
    LeakyReLU,
    LogLikelihood,
    MaxPool2D,
    ReLU,
    Sigmoid,
    Softplus,
    Tanh,
)

from .onnx_cases import node_cases, pytorch_cases, runnable

CASES = node_cases(
    "conv",
    "maxpool",
    "averagepool",
    "globalaveragepool",
    "batch_normalization",
    "layernormalization",
    "gemm",
    "relu",
    "leakyrelu",
    "elu",
    "gelu",
    "softplus",
    "sigmoid",
    "tanh",
    "hardsigmoid",
    "softmax",
) + pytorch_cases(
    "Conv",
    "MaxPool",
    "AveragePool",
    "BatchNormalization",
    "Gemm",
    "Relu",
    "LeakyRelu",
    "Elu",
    "Softplus",
    "Sigmoid",
    "Tanh",
    "Softmax",
)

NOT_A_PICTURE = "signals (one axis) and volumes (three) have no layer here; pictures have"
GROUPS = "no groups; a `connections` mask cuts the same channels, and `test_groups_are_a_mask` shows it"
CEIL = "ceil_mode: left-over pixels are dropped, as the books do"
SAME_LOWER = 'padding="same" puts an odd pixel after, as SAME_UPPER does, not before'
DILATED_POOLING = "pooling has no dilation"
COUNTED_PADDING = "padding is never counted in a mean"
OVER_THE_BATCH = "axis 0 is the batch, which LayerNorm never looks across"
OTHER_HARD_SIGMOID = "HardSigmoid is the one of PyTorch and HardSwish, x/6 + 1/2; ONNX's default slope is 0.2"
EXACT_GELU = "GELU is the tanh form"
OTHER_AXIS = "the classes are the last axis"

UNSUPPORTED = {
    "test_Conv1d": NOT_A_PICTURE,
    "test_Conv1d_dilated": NOT_A_PICTURE,
    "test_Conv1d_groups": NOT_A_PICTURE,
    "test_Conv1d_pad1": NOT_A_PICTURE,
    "test_Conv1d_pad1size1": NOT_A_PICTURE,
    "test_Conv1d_pad2": NOT_A_PICTURE,
    "test_Conv1d_pad2size1": NOT_A_PICTURE,
    "test_Conv1d_stride": NOT_A_PICTURE,
    "test_Conv3d": NOT_A_PICTURE,
    "test_Conv3d_dilated": NOT_A_PICTURE,
    "test_Conv3d_dilated_strided": NOT_A_PICTURE,
    "test_Conv3d_groups": NOT_A_PICTURE,
    "test_Conv3d_no_bias": NOT_A_PICTURE,
    "test_Conv3d_stride": NOT_A_PICTURE,
    "test_Conv3d_stride_padding": NOT_A_PICTURE,
    "test_MaxPool1d": NOT_A_PICTURE,
    "test_MaxPool1d_stride": NOT_A_PICTURE,
    "test_MaxPool1d_stride_padding_dilation": NOT_A_PICTURE,
    "test_MaxPool3d": NOT_A_PICTURE,
    "test_MaxPool3d_stride": NOT_A_PICTURE,
    "test_MaxPool3d_stride_padding": NOT_A_PICTURE,
    "test_AvgPool3d": NOT_A_PICTURE,
    "test_AvgPool3d_stride": NOT_A_PICTURE,
    "test_AvgPool3d_stride1_pad0_gpu_input": NOT_A_PICTURE,
    "test_maxpool_1d_default": NOT_A_PICTURE,
    "test_maxpool_3d_default": NOT_A_PICTURE,
    "test_maxpool_3d_dilations": NOT_A_PICTURE,
    "test_maxpool_3d_dilations_use_ref_impl": NOT_A_PICTURE,
    "test_maxpool_3d_dilations_use_ref_impl_large": NOT_A_PICTURE,
    "test_averagepool_1d_default": NOT_A_PICTURE,
    "test_averagepool_3d_default": NOT_A_PICTURE,
    "test_averagepool_3d_dilations_small": NOT_A_PICTURE,
    "test_averagepool_3d_dilations_large_count_include_pad_is_0_ceil_mode_is_False": NOT_A_PICTURE,
    "test_averagepool_3d_dilations_large_count_include_pad_is_0_ceil_mode_is_True": NOT_A_PICTURE,
    "test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_False": NOT_A_PICTURE,
    "test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True": NOT_A_PICTURE,
    "test_Conv2d_depthwise": GROUPS,
    "test_Conv2d_depthwise_padded": GROUPS,
    "test_Conv2d_depthwise_strided": GROUPS,
    "test_Conv2d_depthwise_with_multiplier": GROUPS,
    "test_Conv2d_groups": GROUPS,
    "test_Conv2d_groups_thnn": GROUPS,
    "test_maxpool_2d_ceil": CEIL,
    "test_averagepool_2d_ceil": CEIL,
    "test_averagepool_2d_ceil_last_window_starts_on_pad": CEIL,
    "test_maxpool_2d_same_lower": SAME_LOWER,
    "test_averagepool_2d_same_lower": SAME_LOWER,
    "test_maxpool_2d_dilations": DILATED_POOLING,
    "test_MaxPool2d_stride_padding_dilation": DILATED_POOLING,
    "test_averagepool_2d_dilations": DILATED_POOLING,
    "test_averagepool_2d_pads_count_include_pad": COUNTED_PADDING,
    "test_averagepool_2d_precomputed_pads_count_include_pad": COUNTED_PADDING,
    "test_layer_normalization_2d_axis0": OVER_THE_BATCH,
    "test_layer_normalization_2d_axis_negative_2": OVER_THE_BATCH,
    "test_layer_normalization_3d_axis0_epsilon": OVER_THE_BATCH,
    "test_layer_normalization_3d_axis_negative_3_epsilon": OVER_THE_BATCH,
    "test_layer_normalization_4d_axis0": OVER_THE_BATCH,
    "test_layer_normalization_4d_axis_negative_4": OVER_THE_BATCH,
    "test_hardsigmoid": OTHER_HARD_SIGMOID,
    "test_hardsigmoid_default": OTHER_HARD_SIGMOID,
    "test_hardsigmoid_example": OTHER_HARD_SIGMOID,
    "test_gelu_default_1": EXACT_GELU,
    "test_gelu_default_2": EXACT_GELU,
    "test_softmax_axis_0": OTHER_AXIS,
    "test_softmax_axis_1": OTHER_AXIS,
}


def built(layer, input_shape):
    """The layer with its parameters."""
    layer.output_shape(input_shape)
    layer.init(input_shape, np.random.default_rng(0), dtype="float32")
    return layer


def last(x):
    """Channels first → last."""
    return np.moveaxis(x, 1, -1)


def first(x):
    """Channels last → first."""
    return np.moveaxis(x, -1, 1)


def padding_of(case):
    """`auto_pad` or `pads` = [top, left, bottom, right] as our `padding`."""
    if case.attributes.get("auto_pad", "NOTSET") in ("SAME_UPPER", "SAME_LOWER"):
        return "same"
    top, left, bottom, right = case.attributes.get("pads", [0, 0, 0, 0])
    assert (top, left) == (bottom, right), "our padding is the same on both sides"
    return top, left


def conv(case):
    x, W, *b = case.inputs
    assert case.attributes.get("group", 1) == 1
    assert case.attributes.get("auto_pad", "NOTSET") != "SAME_LOWER" or padding_is_even(case)
    layer = Conv2D(
        W.shape[0],
        W.shape[2:],
        tuple(case.attributes.get("strides", (1, 1))),
        padding_of(case),
        tuple(case.attributes.get("dilations", (1, 1))),
        weights=Given(W.transpose(2, 3, 1, 0)),
        biases=Given(b[0]) if b else None,
    )
    x = last(x)
    return [first(built(layer, x.shape[1:]).forward(x)[0])]


def padding_is_even(case):
    """Whether "same" padding puts as much before as after, so that upper and lower are one."""
    for size, kernel, stride in zip(case.inputs[0].shape[2:], case.inputs[1].shape[2:], case.attributes["strides"]):
        if ((-(-size // stride) - 1) * stride + kernel - size) % 2:
            return False
    return True


def pool(kind):
    def run(case):
        assert not case.attributes.get("count_include_pad")
        x = last(case.inputs[0]).astype(np.float32)
        strides = tuple(case.attributes.get("strides", (1, 1)))
        layer = kind(tuple(case.attributes["kernel_shape"]), strides, padding_of(case))
        return [first(layer.forward(x)[0])]  # not the places of the maxima, the second output of two cases

    return run


def global_average_pool(case):
    return [GlobalAveragePool().forward(last(case.inputs[0]))[0][:, :, None, None]]


def batch_norm(case):
    x, gamma, beta, mean, var = case.inputs
    x, training = last(x), bool(case.attributes.get("training_mode", 0))
    momentum = 1 - case.attributes.get("momentum", 0.9)  # ONNX says how much stays, PyTorch and we how much is new
    layer = built(BatchNorm(momentum, case.attributes.get("epsilon", 1e-5)), x.shape[1:])
    layer.params["gamma"].value, layer.params["beta"].value = gamma, beta
    layer.buffers.update(running_mean=mean, running_var=var)
    y, _ = layer.forward(x, training=training)
    if not training:
        return [first(y)]
    n = x.size // x.shape[-1]
    stays = (1 - momentum) * var  # ONNX's running variance takes the batch's as divided by n, ours by n − 1
    running_var = stays + (layer.buffers["running_var"] - stays) * (n - 1) / n
    return [first(y), layer.buffers["running_mean"], running_var]


def layer_norm(case):
    x, gamma, beta = case.inputs
    axis = case.attributes.get("axis", -1) % x.ndim
    layer = built(LayerNorm(case.attributes.get("epsilon", 1e-5), x.ndim - axis), x.shape[1:])
    layer.params["gamma"].value, layer.params["beta"].value = gamma, beta
    y, (_, inverse) = layer.forward(x)
    return [y, np.mean(x, axis=tuple(range(axis, x.ndim)), keepdims=True), inverse]


def gemm(case):
    a, b, *c = case.inputs
    a = a.T if case.attributes.get("transA") else a
    b = b.T if case.attributes.get("transB") else b
    alpha, beta = case.attributes.get("alpha", 1.0), case.attributes.get("beta", 1.0)
    biases = {} if c else {"biases": None}
    layer = built(Dense(b.shape[1], weights=Given(alpha * b), **biases), a.shape[1:])
    if c:  # of any shape that broadcasts: a number, a row, even a row for each example
        layer.params["b"].value = beta * c[0]
    return [layer.forward(a)[0]]


def activation(layer_of):
    def run(case):
        return [layer_of(case.attributes).forward(case.inputs[0])[0]]

    return run


def softmax(case):
    x = case.inputs[0]
    assert case.attributes.get("axis", -1) % x.ndim == x.ndim - 1
    return [LogLikelihood().activation(x)]


RUN = {
    "Conv": conv,
    "MaxPool": pool(MaxPool2D),
    "AveragePool": pool(AveragePool2D),
    "GlobalAveragePool": global_average_pool,
    "BatchNormalization": batch_norm,
    "LayerNormalization": layer_norm,
    "Gemm": gemm,
    "Relu": activation(lambda _: ReLU()),
    "LeakyRelu": activation(lambda attributes: LeakyReLU(attributes.get("alpha", 0.01))),
    "Elu": activation(lambda attributes: ELU(attributes.get("alpha", 1.0))),
    "Gelu": activation(lambda _: GELU()),
    "Softplus": activation(lambda _: Softplus()),
    "Sigmoid": activation(lambda _: Sigmoid()),
    "Tanh": activation(lambda _: Tanh()),
    "Softmax": softmax,
}


@pytest.mark.parametrize("case", runnable(CASES, UNSUPPORTED), ids=str)
def test_case(case):
    case.check(*RUN[case.op](case))


def test_there_are_as_many_cases_as_there_were():
    assert len(runnable(CASES, UNSUPPORTED)) >= 70, "onnx has moved its cases, and this file no longer finds them"


@pytest.mark.parametrize("case", [case for case in CASES if UNSUPPORTED.get(case.name) == GROUPS], ids=str)
def test_groups_are_a_mask(case):
    x, W, b = case.inputs
    groups, (filters, seen, *kernel) = case.attributes["group"], W.shape
    full, mask = np.zeros((filters, seen * groups, *kernel)), np.zeros((seen * groups, filters))
    for f in range(filters):  # each run of filters sees its own run of channels
        start = f // (filters // groups) * seen
        full[f, start : start + seen], mask[start : start + seen, f] = W[f], 1
    layer = Conv2D(
        filters,
        tuple(kernel),
        tuple(case.attributes["strides"]),
        padding_of(case),
        weights=Given(full.transpose(2, 3, 1, 0)),
        biases=Given(b),
        connections=mask,
    )
    case.check(first(built(layer, last(x).shape[1:]).forward(last(x))[0]))


@pytest.mark.parametrize("case", [case for case in CASES if UNSUPPORTED.get(case.name) == NOT_A_PICTURE], ids=str)
def test_what_is_no_picture_is_refused(case):
    shape = last(case.inputs[0]).shape[1:]
    with pytest.raises(ShapeError, match=r"expected \(height, width, channels\)"):
        {"Conv": Conv2D(1, 1), "MaxPool": MaxPool2D(1), "AveragePool": AveragePool2D(1)}[case.op].output_shape(shape)


@pytest.mark.parametrize("case", [case for case in CASES if UNSUPPORTED.get(case.name) == OTHER_HARD_SIGMOID], ids=str)
def test_other_hard_sigmoids_are_ours_of_a_scaled_input(case):
    slope, middle = case.attributes.get("alpha", 0.2), case.attributes.get("beta", 0.5)
    x = 6 * (slope * case.inputs[0] + middle - 0.5)
    case.check(HardSigmoid().forward(x)[0].astype(np.float32))
