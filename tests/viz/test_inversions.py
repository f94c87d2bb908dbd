"""Three ways to a picture: each against a hand calculation, differences, or what it promises."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from digitlab.errors import ConfigError, ShapeError
from digitlab.nn import (
    GELU,
    Conv2D,
    CrossEntropy,
    Dense,
    Flatten,
    Given,
    LogLikelihood,
    MaxPool2D,
    MeanSquaredError,
    Network,
    ReLU,
    Sigmoid,
    SimpleRNN,
    Tanh,
    mlp,
)
from digitlab.shipped import shipped_network
from digitlab.viz.ascent import ascend, logit_lead_gradient, logit_leads, variation_gradient
from digitlab.viz.figures import save_figure
from digitlab.viz.imagine import Imagined, imagine, pixel_range
from digitlab.viz.inverse_query import inverse_query, logit, stretched
from digitlab.viz.inversions import imagine_all, inversions_figure, margin_text, reading

LN99 = np.log(99.0)


def small_conv(seed=0):
    layers = [Conv2D(4, 3), ReLU(), MaxPool2D(2), Flatten(), Dense(3)]
    return Network(layers, (8, 8, 1), LogLikelihood(), seed=seed)


# The inverse query


def test_the_inverse_query_by_hand():
    # 2-2-2, no biases. Answer for class 0: (.99, .01), logits ±ln 99 = ±L.
    # W₂ = [1 0; 0 1]ᵀ hands (L, −L) on; stretched: (.99, .01); logits (L, −L) again.
    # W₁ = [2 0; 1 1]: (L, −L) W₁ᵀ = (2L − 0, L − L) = (2L, 0); stretched: (.99, .01).
    first, second = [[2.0, 0.0], [1.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]
    net = Network([Dense(2, Given(first), None), Sigmoid(), Dense(2, Given(second), None)], 2)
    assert_allclose(inverse_query(net, 0), [[0.99, 0.01]], atol=1e-7)
    # Class 1: (−L, L) → (.01, .99) → (−L, L) → (−2L, 0) → (.01, .99).
    assert_allclose(inverse_query(net, 1), [[0.01, 0.99]], atol=1e-7)


def test_biases_are_taken_off_first():
    # One layer: (z − b) Wᵀ with z = (L, −L), b = (L, 0): (0, −L) Wᵀ for W = [1 2; 3 4; 5 7] is −L (2, 4, 7).
    net = Network([Dense(2, Given([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]]), Given([LN99, 0.0]))], 3)
    assert_allclose(inverse_query(net, 0), [[0.99, 0.01 + 0.98 * 3 / 5, 0.01]], rtol=1e-6)


def test_the_output_activation_decides_the_logits():
    W, answers = Given([[1.0, 0.0], [0.0, 1.0], [0.3, 0.2]]), {}
    for loss in (CrossEntropy(), LogLikelihood(), MeanSquaredError()):
        answers[type(loss)] = inverse_query(Network([Dense(2, W, None)], 3, loss), 0)[0]
    by_hand = {
        CrossEntropy: [LN99, -LN99, 0.1 * LN99],
        LogLikelihood: [np.log(0.99), np.log(0.01), 0.3 * np.log(0.99) + 0.2 * np.log(0.01)],
        MeanSquaredError: [0.99, 0.01, 0.299],
    }
    for kind, values in by_hand.items():
        assert_allclose(answers[kind], stretched(np.array(values)), rtol=1e-6, err_msg=kind.__name__)


def test_other_activations_have_their_own_inverse():
    W = Given([[1.0, 0.0], [0.0, 1.0]])

    def back(layer):
        return inverse_query(Network([Dense(2, Given([[1.0, 2.0], [2.0, 1.0]]), None), layer, Dense(2, W, None)], 2), 0)

    assert_allclose(back(Tanh()), [[0.01, 0.99]], atol=1e-6)  # arctanh(±.99) = ±2.65: (−2.65, 2.65)
    assert_allclose(back(ReLU()), [[0.01, 0.99]], atol=1e-6)  # (.99, .01) W₁ᵀ = (1.01, 1.99)
    with pytest.raises(ShapeError, match="needs activations with an inverse; this network has GELU"):
        back(GELU())
    with pytest.raises(ShapeError, match="inverse query needs a chain of dense layers; this network has Conv2D"):
        inverse_query(small_conv(), 0)


def test_logit_and_stretching():
    assert_allclose(1 / (1 + np.exp(-logit(np.array([0.01, 0.3, 0.99])))), [0.01, 0.3, 0.99])
    assert_allclose(stretched(np.array([-2.0, 0.0, 2.0])), [0.01, 0.5, 0.99])
    assert_allclose(stretched(np.full(3, 7.0)), [0.5, 0.5, 0.5])


# Gradient ascent


@pytest.mark.parametrize("net", [mlp([16, 5, 3], dtype="float64"), None], ids=["dense", "conv"])
def test_the_gradient_of_the_lead_is_the_central_difference(net):
    net = net or Network([Conv2D(2, 3), Tanh(), Flatten(), Dense(3)], (4, 4, 1), LogLikelihood(), dtype="float64")
    rng = np.random.default_rng(1)
    pictures, wanted = rng.random((2, 4, 4)), np.eye(3)[[2, 0]]

    def lead(x):
        logits = net.forward(x.reshape(2, *net.input_shape))[0]
        return sum(
            z[d] - np.log(sum(np.exp(z[k]) for k in range(3) if k != d)) for z, d in zip(logits, wanted.argmax(1))
        )

    gradient, step = logit_lead_gradient(net, pictures, wanted), 1e-5
    for place in [(0, 0, 0), (0, 2, 3), (1, 1, 1), (1, 3, 0)]:
        shift = np.zeros_like(pictures)
        shift[place] = step
        difference = (lead(pictures + shift) - lead(pictures - shift)) / (2 * step)
        assert gradient[place] == pytest.approx(difference, rel=1e-6, abs=1e-9)


def test_the_gradient_of_the_total_variation():
    picture = np.array([[[1.0, 3.0], [0.0, 0.0]]])
    # |3−1| + |0−0| across, |0−1| + |0−3| down.
    assert_allclose(variation_gradient(picture), [[[-1 + 1, 1 + 1], [-1 + 0, -1 + 0]]])


@pytest.mark.slow
@pytest.mark.parametrize(
    "net",
    [
        mlp([64, 10, 3], seed=3),
        small_conv(seed=3),
        Network([SimpleRNN(8), Dense(3)], (8, 8), LogLikelihood(), seed=1),
        mlp([64, 10, 3], seed=3, scaling="0.01-1"),
        mlp([64, 10, 3], seed=3, scaling="none"),
    ],
    ids=["dense", "conv", "recurrent", "rashid", "bytes"],
)
def test_the_climb_raises_the_digits_logit_and_stays_in_range(net):
    pictures = ascend(net, [0, 1, 2], steps=40)
    low, high = pixel_range(net)
    assert pictures.shape == (3, 8, 8)
    assert pictures.min() >= low - 1e-6
    assert pictures.max() <= high + 1e-6
    grey = low + 0.1 * (high - low)
    empty = net.forward(np.full((1, *net.input_shape), grey, np.float32))[0][0]
    logits = net.forward(pictures.reshape(3, *net.input_shape).astype(np.float32))[0]
    for digit in range(3):
        others = [k for k in range(3) if k != digit]
        assert logits[digit, digit] - logits[digit, others].max() > empty[digit] - empty[others].max()


def test_a_climb_that_can_reach_the_top_does():
    # Output k sees two rows of pixels of its own: the picture of class k must have its ink there.
    W = np.repeat(np.eye(3), 8, axis=0)  # (24, 3)
    net = Network([Dense(3, Given(W.tolist()), None)], (24,), LogLikelihood())
    pictures = ascend(net, [0, 1, 2], steps=60, blur=0).reshape(3, 24)
    assert (net.predict(pictures.astype(np.float32)).argmax(axis=1) == np.arange(3)).all()
    assert pictures[1, 8:16].min() > 0.9
    assert pictures[1, :8].max() < 0.1


def test_a_stronger_prior_leaves_less_ink_and_colour_is_kept():
    net = mlp([64, 10, 3], seed=3)
    assert ascend(net, [0], steps=30, l2=2.0).sum() < ascend(net, [0], steps=30, l2=0.0).sum()
    colour = Network([Flatten(), Dense(3)], (6, 6, 3), LogLikelihood())
    assert ascend(colour, [1], steps=5).shape == (1, 6, 6, 3)
    with pytest.raises(ConfigError, match="got 7; this network has outputs for 0 to 2"):
        ascend(net, [7])
    with pytest.raises(ConfigError, match="got steps 0 and starts 4, expected at least 1"):
        ascend(net, [0], steps=0)


def test_a_network_that_is_dead_on_a_flat_sheet_is_climbed_from_blots():
    # The first layer answers to edges alone: on any flat picture every ReLU is silent and no gradient comes back.
    edges = np.array([[1.0, -1.0], [-1.0, 1.0]]).reshape(1, 2, 1, 2).tolist()
    layers = [Conv2D(2, (1, 2), weights=Given(edges), biases=Given([-0.05, -0.05])), ReLU(), Flatten(), Dense(3)]
    net = Network(layers, (8, 8, 1), LogLikelihood(), seed=1)
    flat = np.full((1, 8, 8), 0.1)
    assert not logit_lead_gradient(net, flat, np.eye(3)[:1]).any()
    pictures = ascend(net, [0, 1, 2], steps=40)
    assert (net.predict(pictures.astype(np.float32)).argmax(axis=1) == np.arange(3)).all()


@pytest.mark.slow
def test_of_several_starts_the_best_is_kept_and_a_seed_fixes_it():
    net, wanted = mlp([64, 10, 3], seed=3), np.eye(3)
    one = logit_leads(net, ascend(net, [0, 1, 2], steps=10, starts=1, rng=np.random.default_rng(5)), wanted)
    many = ascend(net, [0, 1, 2], steps=10, starts=6, rng=np.random.default_rng(5))
    assert logit_leads(net, many, wanted).sum() > one.sum()
    assert_allclose(many, ascend(net, [0, 1, 2], steps=10, starts=6, rng=np.random.default_rng(5)))
    logits = net.forward(many.reshape(3, 64).astype(np.float32))[0].astype(float)
    by_hand = [z[d] - np.log(sum(np.exp(z[k]) for k in range(3) if k != d)) for d, z in enumerate(logits)]
    assert_allclose(logit_leads(net, many, wanted), by_hand)


# Side by side


def test_the_picture_is_shown_in_the_range_of_the_networks_pixels():
    net = Network([Dense(2, Given([[1.0, 0.0], [0.0, 1.0]]), None)], 2, MeanSquaredError(), scaling="none")
    seen = imagine(net, 0, np.array([[3.0, 1.0]]))  # stretched: bytes 255 and 0
    assert (seen.first, seen.second) == (0, 1)
    assert seen.margin == pytest.approx(100 * 255 / 1e-38)
    as_it_is = imagine(net, 0, np.array([[3.0, 1.0]]), stretch=False)
    assert as_it_is.margin == pytest.approx(200)


def test_every_way_that_can_serve_does_and_the_others_say_why():
    answers = imagine_all(mlp([16, 5, 3]), [0, 2])
    assert [len(found) for found in answers.values()] == [2, 2, 2]
    assert [seen.digit for seen in answers["ascent"]] == [0, 2]
    refused = imagine_all(small_conv(), [1])
    assert "needs a chain of dense layers" in refused["linear"]
    assert "gradient ascent works" in refused["inverse"]
    assert [seen.digit for seen in refused["ascent"]] == [1]


def test_the_figure_holds_every_picture_with_its_reading(tmp_path):
    answers = imagine_all(mlp([16, 5, 3]), [0, 1, 2])
    figure = inversions_figure(answers, title="net")
    assert len(figure.axes) == 9
    assert figure.axes[0].get_title().startswith("0 by linear\nread as ")
    assert_allclose(figure.axes[3].get_images()[0].get_array(), answers["inverse"][0].picture)
    save_figure(figure, tmp_path / "x.png")
    one = inversions_figure(imagine_all(small_conv(), [1]))
    assert [axes.get_title().split("\n")[0] for axes in one.axes if axes.get_title()] == ["gradient ascent to a 1"]
    assert one.get_suptitle().count("needs a chain of dense layers") == 2


def test_readings_in_words():
    assert reading(Imagined(3, np.zeros((1, 1)), 3, 8, 120.4)) == "read as 3, then 8 (+120 %)"
    assert margin_text(4.2e9) == "over +10,000 %"


@pytest.mark.slow
def test_a_digit_that_is_not_ahead_is_climbed_for_again():
    """The shipped network is sure that a grey sheet is no digit: a few steps do not lead to each."""
    shipped = shipped_network()
    for digit in range(10):
        picture = ascend(shipped, [digit])
        assert shipped.predict(picture.reshape(1, *shipped.input_shape).astype(np.float32)).argmax() == digit
