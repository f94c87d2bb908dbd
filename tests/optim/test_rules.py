"""Every update rule against figures worked by hand and against PyTorch; and that an update changes nothing in place."""

import copy
import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from digitlab.errors import ConfigError
from digitlab.nn.describe import build, describe
from digitlab.optim import SGD, Adam, AdamW, Momentum, Nesterov, Optimizer, RMSProp

RULES = [SGD(0.1), Momentum(0.1), Nesterov(0.1), RMSProp(0.1), Adam(0.1), AdamW(0.1)]
each_rule = pytest.mark.parametrize("rule", RULES, ids=[type(rule).__name__ for rule in RULES])


def steps(rule, value, grads, learning_rate=None):
    """The value after each of these gradients."""
    value, state, values = np.asarray(value, dtype=np.float64), None, []
    for grad in grads:
        state = rule.init_state(value) if state is None else state
        value, state = rule.update(value, np.asarray(grad, np.float64), state, learning_rate or rule.learning_rate)
        values.append(value)
    return values


def test_every_rule_is_tested():
    assert {type(rule).__name__ for rule in RULES} == {cls.__name__ for cls in Optimizer.registry.values()}


def test_sgd_by_hand():
    assert_allclose(steps(SGD(0.1), [1.0], [[2.0]])[0], [0.8], rtol=1e-15)


def test_momentum_by_hand():
    assert_allclose(np.ravel(steps(Momentum(0.1), [1.0], [[2.0], [2.0]])), [0.8, 0.42], rtol=1e-14)
    rule = Momentum(0.1)
    value, state = rule.update(np.ones(1), np.full(1, 2.0), rule.init_state(np.ones(1)), 0.1)
    assert_allclose(state["velocity"], [-0.2])
    assert_allclose(rule.update(value, np.full(1, 2.0), state, 0.1)[1]["velocity"], [-0.38])


def test_momentum_of_zero_is_plain_sgd():
    grads = np.random.default_rng(0).normal(size=(5, 3))
    assert_array_equal(steps(Momentum(0.1, momentum=0.0), np.ones(3), grads), steps(SGD(0.1), np.ones(3), grads))


def test_nesterov_by_hand():
    assert_allclose(steps(Nesterov(0.1), [1.0], [[2.0]])[0], [0.62], rtol=1e-14)


def test_rmsprop_by_hand():
    # s = .01 · 4 = .04, √s = .2, so the step is .1 · 2/.2 = 1.
    assert_allclose(steps(RMSProp(0.1, decay=0.99), [1.0], [[2.0]])[0], [0.0], atol=1e-7)


@pytest.mark.parametrize("size", [1e-3, 1.0, 1e4])
def test_the_first_step_of_adam_is_the_learning_rate_whatever_the_gradient(size):
    assert_allclose(steps(Adam(0.1), [1.0, 1.0], [[size, -size]])[0], [0.9, 1.1], rtol=1e-5)


def test_adam_by_hand_for_two_steps():
    # m = .1·2 = .2, .9·.2 − .1·4 = −.22; v = .001·4 = .004, .999·.004 + .001·16 = .019996.
    second = 0.9 - 0.1 * (-0.22 / (1 - 0.81)) / math.sqrt(0.019996 / (1 - 0.999**2))
    assert_allclose(np.ravel(steps(Adam(0.1), [1.0], [[2.0], [-4.0]])), [0.9, second], rtol=1e-7)


def test_adamw_shrinks_by_the_rate_times_the_decay_where_there_is_no_gradient():
    assert_allclose(steps(AdamW(0.1, weight_decay=0.5), [2.0], [[0.0]])[0], [2 * (1 - 0.1 * 0.5)], rtol=1e-14)


@each_rule
def test_an_update_leaves_its_inputs_alone(rule):
    rng = np.random.default_rng(1)
    value, grad = rng.normal(size=(3, 2)), rng.normal(size=(3, 2))
    _, state = rule.update(value, grad, rule.init_state(value), 0.1)  # a state that is not only zeros
    kept = copy.deepcopy((value, grad, state))
    new_value, new_state = rule.update(value, grad, state, 0.1)
    assert_array_equal(value, kept[0])
    assert_array_equal(grad, kept[1])
    for key, part in state.items():
        assert_array_equal(part, kept[2][key])
    assert not np.shares_memory(new_value, value)
    for key, part in new_state.items():
        assert np.shape(part) in ((), value.shape)
        assert key in kept[2]


@each_rule
def test_the_rate_that_counts_is_the_one_handed_over(rule):
    """A schedule hands over another rate than the rule's own."""
    slow, fast = (steps(rule, np.ones(3), [[1.0, -2.0, 3.0]], rate)[0] for rate in (1e-4, 1e-2))
    assert_allclose((fast - 1) / (slow - 1), 100, rtol=1e-6)


@each_rule
def test_single_precision_stays_single(rule):
    value = np.ones((2, 2), dtype=np.float32)
    state = rule.init_state(value)
    for _ in range(2):
        value, state = rule.update(value, value * np.float32(0.5), state, 0.1)
    assert value.dtype == np.float32
    assert all(part.dtype == np.float32 for part in state.values() if isinstance(part, np.ndarray))


TWINS = {
    "SGD": lambda torch, w: (torch.optim.SGD([w], lr=0.05), SGD(0.05)),
    # PyTorch keeps v/−η instead of v; at a constant learning rate that is the same path.
    "Momentum": lambda torch, w: (torch.optim.SGD([w], lr=0.05, momentum=0.8), Momentum(0.05, momentum=0.8)),
    "Nesterov": lambda torch, w: (
        torch.optim.SGD([w], lr=0.05, momentum=0.8, nesterov=True),
        Nesterov(0.05, momentum=0.8),
    ),
    "RMSProp": lambda torch, w: (torch.optim.RMSprop([w], lr=0.05, alpha=0.9), RMSProp(0.05, decay=0.9)),
    "Adam": lambda torch, w: (torch.optim.Adam([w], lr=0.05, betas=(0.8, 0.95)), Adam(0.05, beta1=0.8, beta2=0.95)),
    "AdamW": lambda torch, w: (torch.optim.AdamW([w], lr=0.05, weight_decay=0.2), AdamW(0.05, weight_decay=0.2)),
}


@pytest.mark.parametrize("name", TWINS)
def test_twenty_steps_are_those_of_pytorch(name):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(2)
    start, pull = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    w = torch.tensor(start, requires_grad=True)
    theirs, ours = TWINS[name](torch, w)
    value, state = start, ours.init_state(start)
    for i in range(20):
        theirs.zero_grad()
        (((w - torch.tensor(pull)) ** 2).sum() * (1 + i % 3)).backward()
        theirs.step()
        value, state = ours.update(value, 2 * (value - pull) * (1 + i % 3), state, ours.learning_rate)
        assert_allclose(value, w.detach().numpy(), rtol=0, atol=1e-10, err_msg=f"step {i}")
    assert np.abs(value - start).max() > 0.1, "the comparison means nothing if nothing moved"


@each_rule
def test_a_rate_that_is_not_above_0_is_refused(rule):
    for rate in (0.0, -1.0, math.nan):
        with pytest.raises(ConfigError, match=r"learning rate .* above 0"):
            type(rule)(rate)


@each_rule
def test_there_and_back_through_its_description(rule):
    assert build(Optimizer, describe(rule)) == rule
    assert type(build(Optimizer, type(rule).__name__.lower())) is type(rule)


@pytest.mark.parametrize(
    "name, rule",
    {"sgd": SGD, "Momentum": Momentum, "nesterov": Nesterov, "rmsprop": RMSProp, "adam": Adam, "adam-w": AdamW}.items(),
)
def test_names_on_the_command_line(name, rule):
    assert type(build(Optimizer, name)) is rule


def test_an_unknown_name_gets_a_suggestion():
    with pytest.raises(ConfigError, match=r"unknown optimizer 'nestrov' \(did you mean 'nesterov'\?\); .*sgd"):
        build(Optimizer, "nestrov")
    with pytest.raises(ConfigError, match=r"Adam has no setting 'beta' \(did you mean 'beta1'\?\)"):
        build(Optimizer, {"type": "adam", "beta": 0.5})
    with pytest.raises(ConfigError, match="SGD: got learning_rate 'fast', expected a number"):
        build(Optimizer, {"type": "sgd", "learning_rate": "fast"})
