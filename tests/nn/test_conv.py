"""Convolution, the windows it slides, and the book's bias after the pooling."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from digitlab.errors import ConfigError, ShapeError
from digitlab.gradients import check_gradients
from digitlab.nn import (
    Bias,
    Conv2D,
    Dense,
    FanOutNormal,
    Flatten,
    Given,
    LogLikelihood,
    MaxPool2D,
    Network,
    Normal,
    Sigmoid,
    Zeros,
    build_network,
    describe_network,
    load_network,
)


def built(layer, input_shape, dtype="float64", seed=1):
    """The layer with its parameters."""
    layer.output_shape(input_shape)
    layer.init(input_shape, np.random.default_rng(seed), dtype=dtype)
    return layer


def picture(*rows):
    """Rows of one grey picture as a batch (1, H, W, 1)."""
    return np.array(rows, dtype=np.float64)[None, :, :, None]


def test_by_hand():
    W = np.array([[1.0, 2], [3, 4]])[:, :, None, None]
    layer = built(Conv2D(1, 2, weights=Given(W)), (3, 3, 1))
    y, cache = layer.forward(picture([1, 2, 3], [4, 5, 6], [7, 8, 9]))
    # upper left window: 1·1 + 2·2 + 4·3 + 5·4 = 37
    assert_array_equal(y, picture([37, 47], [67, 77]))
    grad_x = layer.backward(np.ones_like(y), cache)
    # W[0, 0] meets 1, 2, 4, 5; pixel (1, 1) meets all four weights
    assert_array_equal(layer.params["W"].grad[:, :, 0, 0], [[12, 16], [24, 28]])
    assert_array_equal(layer.params["b"].grad, [4])
    assert_array_equal(grad_x, picture([1, 3, 2], [4, 10, 6], [3, 7, 4]))


def test_colour_by_hand():
    W = np.array([[1.0, 10], [2, 20], [3, 30]])[None, None]  # 1×1, three channels to two maps
    layer = built(Conv2D(2, 1, weights=Given(W), biases=Given([0.5, 0])), (1, 1, 3))
    y, _ = layer.forward(np.array([1.0, 1, 2]).reshape(1, 1, 1, 3))
    assert_array_equal(y.ravel(), [9.5, 90])


def test_a_kernel_as_large_as_the_picture_is_a_dense_layer():
    layer = built(Conv2D(3, (4, 5)), (4, 5, 2))
    dense = built(Dense(3, weights=Given(layer.params["W"].value.reshape(40, 3))), (40,))
    x = np.random.default_rng(0).normal(size=(2, 4, 5, 2))
    assert_allclose(layer.forward(x)[0].reshape(2, 3), dense.forward(x.reshape(2, 40))[0], rtol=1e-13)


@st.composite
def convolutions(draw):
    """A layer, its input's shape, the batch size; every window fits at least once."""
    two = lambda least, most: draw(st.tuples(st.integers(least, most), st.integers(least, most)))  # noqa: E731
    kernel, stride, padding, dilation = two(1, 4), two(1, 3), two(0, 3), two(1, 2)
    reach = [d * (k - 1) + 1 for d, k in zip(dilation, kernel)]
    sizes = tuple(max(r - 2 * p, 1) + draw(st.integers(0, 5)) for r, p in zip(reach, padding))
    biases = draw(st.sampled_from([Normal(), None]))
    layer = Conv2D(draw(st.integers(1, 4)), kernel, stride, padding, dilation, biases=biases)
    return layer, (*sizes, draw(st.integers(1, 3))), draw(st.integers(1, 3))


@settings(max_examples=60, deadline=None)
@given(convolutions(), st.sampled_from(["float32", "float64"]), st.integers(0, 99))
def test_agrees_with_pytorch(drawn_layer, dtype, seed):
    torch = pytest.importorskip("torch")
    from .torch_twins import assert_agree, drawn, leaf, nchw, nhwc

    layer, shape, n = drawn_layer
    built(layer, shape, dtype)
    x = drawn(seed, n, *shape, dtype=dtype)
    y, cache = layer.forward(x)
    assert y.shape == (n, *layer.output_shape(shape))
    g = drawn(seed + 1, *y.shape, dtype=dtype)
    grad_x = layer.backward(g, cache)

    x_, W = leaf(x), leaf(np.ascontiguousarray(layer.params["W"].value.transpose(3, 2, 0, 1)))  # (filters, C, kh, kw)
    b = leaf(layer.params["b"].value) if "b" in layer.params else None
    y_ = nhwc(torch.nn.functional.conv2d(nchw(x_), W, b, layer.stride, layer.padding, layer.dilation))
    y_.backward(torch.tensor(g))
    assert_agree(y, y_, dtype)
    assert_agree(grad_x, x_.grad, dtype)
    assert_agree(layer.params["W"].grad, W.grad.permute(2, 3, 1, 0), dtype)
    if b is not None:
        assert_agree(layer.params["b"].grad, b.grad, dtype)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@settings(max_examples=20, deadline=None)
@given(st.integers(1, 8), st.integers(1, 8), st.integers(1, 5), st.integers(1, 2))
def test_same_padding_agrees_with_pytorch(height, width, kernel, dilation):
    torch = pytest.importorskip("torch")
    from .torch_twins import assert_agree, drawn, nchw, nhwc

    layer = built(Conv2D(2, kernel, padding="same", dilation=dilation), (height, width, 2))
    x = drawn(3, 2, height, width, 2)
    W, b = (torch.tensor(layer.params[key].value) for key in "Wb")
    theirs = torch.nn.functional.conv2d(
        nchw(torch.tensor(x)), W.permute(3, 2, 0, 1), b, padding="same", dilation=dilation
    )
    assert_agree(layer.forward(x)[0], nhwc(theirs), "float64")


@pytest.mark.parametrize("size, stride, windows", [(28, 1, 28), (28, 2, 14), (5, 2, 3), (7, 3, 3), (4, 5, 1)])
def test_same_padding_gives_as_many_windows_as_strides(size, stride, windows):
    assert Conv2D(4, 3, stride, "same").output_shape((size, size, 1)) == (windows, windows, 4)


def test_the_books_shapes():
    net = Network(
        [Conv2D(20, 5), MaxPool2D(2), Sigmoid(), Conv2D(40, 5), MaxPool2D(2), Sigmoid(), Flatten(), Dense(10)],
        (28, 28, 1),
        LogLikelihood(),
    )
    assert net.shapes[1:] == [
        (24, 24, 20),
        (12, 12, 20),
        (12, 12, 20),
        (8, 8, 40),
        (4, 4, 40),
        (4, 4, 40),
        (640,),
        (10,),
    ]
    assert net.layers[0].params["W"].value.size == 500 and net.layers[3].params["W"].value.size == 20_000
    assert net.predict(np.zeros((3, 28, 28), np.uint8)).shape == (3, 10)


def test_fans():
    seen = []

    class _Spy(Normal):
        def __call__(self, shape, fan_in, fan_out, rng, dtype):
            seen.append((shape, fan_in, fan_out))
            return super().__call__(shape, fan_in, fan_out, rng, dtype)

    built(Conv2D(7, (2, 3), weights=_Spy(), biases=_Spy()), (5, 5, 4))
    assert seen == [((2, 3, 4, 7), 2 * 3 * 4, 2 * 3 * 7), ((7,), 2 * 3 * 4, 2 * 3 * 7)]


# Which channel reaches which map


MASK = [[1, 0, 1], [1, 1, 0]]


def test_connections_by_hand():
    W = np.array([[[[1.0, 2, 3], [4, 5, 6]]]])  # 1×1, two channels to three maps
    layer = built(Conv2D(3, 1, weights=Given(W), connections=MASK), (1, 1, 2))
    y, cache = layer.forward(np.array([10.0, 100]).reshape(1, 1, 1, 2))
    assert_array_equal(y.ravel(), [10 + 400, 500, 30])
    grad_x = layer.backward(np.ones_like(y), cache)
    assert_array_equal(layer.params["W"].grad[0, 0], [[10, 0, 10], [100, 100, 0]])
    assert_array_equal(grad_x.ravel(), [1 + 3, 4 + 5])


def masked_network(seed=0):
    layers = [Conv2D(2, 2), Conv2D(3, 2, connections=MASK), Sigmoid(), Flatten(), Dense(4)]
    return Network(layers, (5, 5, 1), LogLikelihood(), seed=seed)


def test_connections_stay_cut_through_training_and_files(tmp_path):
    net = masked_network()
    rng = np.random.default_rng(0)
    cut = np.array(MASK) == 0
    before = net.layers[1].params["W"].value.copy()
    velocity = {}
    for step in range(5):
        net.gradient(rng.normal(size=(6, 5, 5, 1)), rng.integers(0, 4, 6), training=True)
        for name, p in net.parameters().items():  # gradient descent with momentum and weight decay
            velocity[name] = 0.9 * velocity.get(name, 0) + p.grad + 0.1 * p.value
            p.value = p.value - 0.5 * velocity[name]
        W = net.layers[1].params["W"].value
        assert (W[:, :, cut] == 0).all(), f"step {step}"
        assert (W[:, :, ~cut] != before[:, :, ~cut]).all()
        if step == 2:
            net.save(tmp_path / "net.safetensors")
            net = load_network(tmp_path / "net.safetensors")
            assert net.layers[1].connections == MASK
            assert_array_equal(net.layers[1].buffers["connections"], MASK)


def test_connections_are_part_of_the_description():
    description = json.loads(json.dumps(describe_network(masked_network())))
    assert description["layers"][1] == {"type": "Conv2D", "filters": 3, "kernel_size": 2, "connections": MASK}
    assert build_network(description).layers[1].connections == MASK
    array = Conv2D(3, 2, connections=np.array(MASK, bool))
    assert array.connections == MASK
    assert repr(array) == "Conv2D(3, 2, connections=<4 of 6>)"


def test_lenet_5_c3():
    # table I of LeCun et al. 1998: map j of C3 takes these maps of S2
    table = [
        "012",
        "123",
        "234",
        "345",
        "045",
        "015",
        "0123",
        "1234",
        "2345",
        "0345",
        "0145",
        "0125",
        "0134",
        "1245",
        "0235",
        "012345",
    ]
    mask = [[int(str(i) in row) for row in table] for i in range(6)]
    layer = built(Conv2D(16, 5, connections=mask), (14, 14, 6))
    assert layer.output_shape((14, 14, 6)) == (10, 10, 16)
    learned = np.count_nonzero(layer.params["W"].value) + 16
    assert learned == 1516  # the paper's number


# Bias, and the order of the book's network3


def test_bias_by_hand():
    layer = built(Bias(Given([10, 20])), (2,))
    y, cache = layer.forward(np.array([[1.0, 2]]))
    assert_array_equal(y, [[11, 22]])
    grad_y = np.array([[3.0, 4]])
    assert_array_equal(layer.backward(grad_y, cache), grad_y)
    assert_array_equal(layer.params["b"].grad, [3, 4])
    assert not layer.params["b"].regularized


def test_book_mode_computes_what_a_convolution_with_biases_does():
    rng = np.random.default_rng(0)
    x, targets = rng.normal(size=(4, 6, 6, 1)), np.array([0, 1, 2, 0])
    ending = lambda: [Sigmoid(), Flatten(), Dense(3)]  # noqa: E731
    book = Network(
        [Conv2D(4, 3, weights=FanOutNormal(pool=2), biases=None), MaxPool2D(2), Bias(Normal()), *ending()],
        (6, 6, 1),
        LogLikelihood(),
        dtype="float64",
    )
    usual = Network([Conv2D(4, 3), MaxPool2D(2), *ending()], (6, 6, 1), LogLikelihood(), dtype="float64")
    theirs = usual.parameters()
    for mine, name in (("0.W", "0.W"), ("2.b", "0.b"), ("5.W", "4.W"), ("5.b", "4.b")):
        theirs[name].value = book.parameters()[mine].value.copy()
    assert book.gradient(x, targets) == pytest.approx(usual.gradient(x, targets), rel=1e-13)
    for mine, name in (("0.W", "0.W"), ("2.b", "0.b"), ("5.W", "4.W")):
        assert_allclose(book.parameters()[mine].grad, theirs[name].grad, rtol=1e-10, atol=1e-13)


def test_the_books_first_kernels():
    layer = built(Conv2D(20, 5, weights=FanOutNormal(pool=2), biases=Normal()), (28, 28, 60))
    W = layer.params["W"].value
    assert W.var() == pytest.approx(1 / (20 * 25 / 4), rel=0.03)  # of 30,000 numbers
    assert abs(W.mean()) < 0.002


# What does not fit


@pytest.mark.parametrize(
    "layer, shape, message",
    [
        (
            Conv2D(20, 5),
            (28, 28),
            "Conv2D(20, 5): got input of shape (28, 28), expected (height, width, channels); "
            "a grey picture has one channel: (28, 28, 1)",
        ),
        (
            Conv2D(20, 5),
            (784,),
            "Conv2D(20, 5): got input of shape (784,), expected (height, width, channels); "
            "give the network input_shape=(28, 28, 1), or put a Reshape((28, 28, 1)) before it",
        ),
        (
            Conv2D(4, 5),
            (4, 9, 1),
            "Conv2D(4, 5): got a picture of 4×9, expected at least 5×5; a smaller kernel or more padding fits",
        ),
        (
            Conv2D(4, (3, 5), padding=1, dilation=2),
            (2, 6, 1),
            "Conv2D(4, (3, 5)): got a picture of 2×6, expected at least 3×7; a smaller kernel or more padding fits",
        ),
        (
            Conv2D(3, 2, connections=MASK),
            (5, 5, 4),
            "Conv2D(3, 2): got connections of shape (2, 3), expected (channels, filters) = (4, 3)",
        ),
        (
            Conv2D(5, 2, connections=MASK),
            (5, 5, 2),
            "Conv2D(5, 2): got connections of shape (2, 3), expected (channels, filters) = (2, 5)",
        ),
    ],
)
def test_shapes_that_do_not_fit(layer, shape, message):
    with pytest.raises(ShapeError) as error:
        Network([Sigmoid(), layer], shape)
    assert str(error.value) == f"layer 1, {message}"


@pytest.mark.parametrize(
    "choices, words",
    [
        ({"filters": 0, "kernel_size": 3}, "filters"),
        ({"filters": 2.5, "kernel_size": 3}, "filters"),
        ({"filters": 2, "kernel_size": 0}, "kernel_size"),
        ({"filters": 2, "kernel_size": (3, 3, 3)}, "kernel_size"),
        ({"filters": 2, "kernel_size": 3, "stride": 0}, "stride"),
        ({"filters": 2, "kernel_size": 3, "dilation": (1, 0)}, "dilation"),
        ({"filters": 2, "kernel_size": 3, "padding": -1}, "padding"),
        ({"filters": 2, "kernel_size": 3, "padding": "valid"}, "padding"),
        ({"filters": 2, "kernel_size": 3, "connections": [[1, 2]]}, "0 and 1"),
    ],
)
def test_impossible_settings(choices, words):
    with pytest.raises(ConfigError, match=words) as error:
        Conv2D(**choices)
    assert str(error.value).startswith(("Conv2D(", "Conv2D: ")) and "\n" not in str(error.value)


def test_lists_from_a_file_do_as_pairs():
    description = {"type": "Conv2D", "filters": 2, "kernel_size": [3, 2], "stride": [2, 1], "padding": [1, 0]}
    net = build_network({"input_shape": [6, 6, 1], "layers": [description]})
    assert net.shapes[-1] == Conv2D(2, (3, 2), (2, 1), (1, 0)).output_shape((6, 6, 1))


def test_gradient_of_a_whole_network():
    layers = [
        Conv2D(3, 3, stride=(2, 1), padding="same", weights=Normal(0.3)),
        MaxPool2D(2),
        Bias(Normal()),
        Sigmoid(),
        Conv2D(2, (1, 2), dilation=2, biases=None, connections=[[1, 0], [1, 1], [0, 1]]),
        Flatten(),
        Dense(3),
    ]
    net = Network(layers, (8, 7, 2), LogLikelihood(), dtype="float64")
    x = np.random.default_rng(1).normal(size=(3, 8, 7, 2))
    report = check_gradients(net, x, np.array([0, 2, 1]))
    assert report.passed, f"\n{report}"


def test_it_learns_where_a_stroke_is():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 60, (64, 8, 8), dtype=np.uint8)
    labels = rng.integers(0, 2, 64)
    for image, label in zip(images, labels):  # a bright stroke, lying or standing, anywhere
        row, column = rng.integers(1, 7, 2)
        if label:
            image[row, :] = 255
        else:
            image[:, column] = 255
    net = Network([Conv2D(4, 3), Sigmoid(), MaxPool2D(6), Flatten(), Dense(2)], (8, 8, 1), LogLikelihood())
    for _ in range(150):
        net.gradient(images, labels, training=True)
        for p in net.parameters().values():
            p.value = p.value - 2.0 * p.grad
    assert (net.predict(images).argmax(1) == labels).mean() > 0.95


def test_zeros_as_weights_are_zeros_as_output():
    layer = built(Conv2D(2, 3, weights=Zeros()), (4, 4, 1))
    assert not layer.forward(np.ones((2, 4, 4, 1)))[0].any()
