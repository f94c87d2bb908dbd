"""Schedules by hand, against PyTorch's, and what holds for any of them."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from digitlab.errors import ConfigError
from digitlab.nn.describe import build, describe
from digitlab.optim import (
    ConstantRate,
    Cosine,
    Cyclic,
    Exponential,
    HalveOnPlateau,
    OneCycle,
    Position,
    Schedule,
    StepDecay,
)

SCHEDULES = [ConstantRate(), StepDecay(), Exponential(), Cosine(), Cyclic(), OneCycle(), HalveOnPlateau()]
each_schedule = pytest.mark.parametrize("schedule", SCHEDULES, ids=[type(s).__name__ for s in SCHEDULES])


def factors(schedule, steps_per_epoch, epochs, scores=()):
    """The factors of a whole training."""
    position = Position(steps_per_epoch, epochs, scores)
    return schedule.factors(np.arange(position.total_steps), position)


def test_every_schedule_is_tested():
    assert {type(s).__name__ for s in SCHEDULES} == {cls.__name__ for cls in Schedule.registry.values()}


def test_constant():
    assert_array_equal(factors(ConstantRate(), 3, 2), np.ones(6))


def test_step_decay_by_hand():
    expected = [1, 1, 1, 1, 0.1, 0.1, 0.1, 0.1, 0.01, 0.01]
    assert_allclose(factors(StepDecay(every=2, factor=0.1), 2, 5), expected, rtol=1e-14)


def test_exponential_by_hand():
    assert_allclose(factors(Exponential(0.25), 2, 2), [1, 0.5, 0.25, 0.125], rtol=1e-14)


def test_cosine_by_hand():
    half = (1 + np.cos(np.pi / 4)) / 2
    assert_allclose(factors(Cosine(), 2, 2), [1, half, 0.5, 1 - half], rtol=1e-14)
    assert_allclose(factors(Cosine(final=0.2), 2, 2)[2], 0.6, rtol=1e-14)
    assert_allclose(Cosine(final=0.2).factors(np.array([4, 99]), Position(2, 2)), 0.2)  # past the end it stays


def test_cyclic_by_hand():
    half = (1 + np.cos(np.pi / 4)) / 2
    one = [1, half, 0.5, 1 - half]  # a cycle of two epochs of two steps: t = 0, ¼, ½, ¾
    assert_allclose(factors(Cyclic(2), 2, 4), one * 2, rtol=1e-14)
    assert Cyclic(3).cycle_epochs(10) == 4, "cycles of whole epochs; the last one may be shorter"
    with pytest.raises(ConfigError, match="Cyclic: got 0 cycles"):
        Cyclic(0)


def test_one_cycle_by_hand():
    f = factors(OneCycle(warmup=0.5, start=10, end=100), 1, 5)  # t = 0, ¼, ½, ¾, 1
    assert_allclose(f, [0.1, 0.55, 1, (1 + 0.01) / 2, 0.01], rtol=1e-14)


def test_one_cycle_of_a_single_step_is_defined():
    assert np.isfinite(factors(OneCycle(), 1, 1)).all()


def torch_rates(make, n):
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule, rates = make(torch.optim.lr_scheduler, optimizer), []
    for _ in range(n):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step() if len(rates) < n else None  # OneCycleLR refuses a step past its end
    return rates


def test_cosine_is_pytorchs():
    expected = torch_rates(lambda lrs, o: lrs.CosineAnnealingLR(o, T_max=40, eta_min=0.1), 40)
    assert_allclose(factors(Cosine(final=0.1), 8, 5), expected, rtol=1e-10)


def test_step_decay_is_pytorchs():
    expected = torch_rates(lambda lrs, o: lrs.StepLR(o, step_size=16, gamma=0.3), 40)
    assert_allclose(factors(StepDecay(every=2, factor=0.3), 8, 5), expected, rtol=1e-10)


def test_exponential_is_pytorchs():
    expected = torch_rates(lambda lrs, o: lrs.ExponentialLR(o, gamma=0.9 ** (1 / 8)), 40)
    assert_allclose(factors(Exponential(0.9), 8, 5), expected, rtol=1e-10)


def test_one_cycle_is_pytorchs():
    # PyTorch turns at step pct_start·total − 1 and counts its last factor from the first one, not from the peak.
    total, warmup, start, end = 40, 0.3, 25.0, 1e4
    pct = (warmup * (total - 1) + 1) / total

    def make(lrs, optimizer):
        return lrs.OneCycleLR(
            optimizer,
            max_lr=1.0,
            total_steps=total,
            pct_start=pct,
            div_factor=start,
            final_div_factor=end / start,
            cycle_momentum=False,
        )

    assert_allclose(factors(OneCycle(warmup, start, end), 8, 5), torch_rates(make, total), rtol=1e-9)


def test_halving_by_hand():
    schedule = HalveOnPlateau(patience=2)
    #         best  best  wait  halve wait best  wait halve
    scores = [0.50, 0.60, 0.60, 0.55, 0.4, 0.61, 0.6, 0.61]
    halvings = [schedule.halvings(scores[:n]) for n in range(len(scores) + 1)]
    assert halvings == [0, 0, 0, 0, 1, 1, 1, 1, 2]
    assert_allclose(schedule.factors(np.arange(3), Position(3, 9, scores)), 0.25)


def test_patience_restarts_after_each_halving():
    assert [HalveOnPlateau(patience=3).halvings([1.0] * n) for n in range(1, 11)] == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]


def test_halving_ends_at_one_part_in_128():
    schedule = HalveOnPlateau(patience=1)
    flat = [0.5] * 8  # the first one is a best, then seven halvings: 2⁷ = 128
    assert schedule.finished(flat[:-1]) is None
    assert schedule.finished(flat) == "the learning rate was halved to 1/128 without improvement"
    assert HalveOnPlateau(patience=1, stop_at=4).finished([0.5] * 3)
    assert HalveOnPlateau(patience=1, stop_at=4).finished([0.5, 0.5, 0.6]) is None


def test_only_halving_ends_a_training():
    flat = [0.5] * 1000
    assert [s.finished(flat) is None for s in SCHEDULES] == [type(s) is not HalveOnPlateau for s in SCHEDULES]


@st.composite
def schedules(draw):
    share = st.floats(0.01, 0.99)
    return draw(
        st.one_of(
            st.just(ConstantRate()),
            st.builds(StepDecay, every=st.integers(1, 9), factor=share),
            st.builds(Exponential, factor=share),
            st.builds(Cosine, final=st.floats(0, 1)),
            st.builds(OneCycle, warmup=share, start=st.floats(1, 1e3), end=st.floats(1, 1e5)),
            st.builds(HalveOnPlateau, patience=st.integers(1, 5)),
        )
    )


@given(schedules(), st.integers(1, 30), st.integers(1, 30), st.lists(st.floats(0, 1), max_size=30))
def test_factors_are_a_share_of_the_rate_one_for_each_step(schedule, steps_per_epoch, epochs, scores):
    f = factors(schedule, steps_per_epoch, epochs, scores)
    assert f.shape == (steps_per_epoch * epochs,)
    assert f.dtype == np.float64
    assert (f >= 0).all()
    assert (f <= 1 + 1e-12).all()
    if not isinstance(schedule, Cosine):
        assert (f > 0).all()


@given(schedules(), st.integers(1, 10), st.integers(1, 10), st.data())
def test_an_epoch_asked_for_alone_gets_the_same_rates(schedule, steps_per_epoch, epochs, data):
    """What lets a resumed training, and an engine that is fed in chunks, take up the same rates."""
    epoch = data.draw(st.integers(0, epochs - 1))
    here = np.arange(epoch * steps_per_epoch, (epoch + 1) * steps_per_epoch)
    whole = factors(schedule, steps_per_epoch, epochs)
    assert_array_equal(schedule.factors(here, Position(steps_per_epoch, epochs)), whole[here])


@given(st.lists(st.floats(0, 1), max_size=40), st.integers(1, 5))
def test_halvings_never_go_back(scores, patience):
    counts = [HalveOnPlateau(patience).halvings(scores[:n]) for n in range(len(scores) + 1)]
    assert all(0 <= later - earlier <= 1 for earlier, later in pairwise(counts))


@given(schedules())
def test_there_and_back_through_its_description(schedule):
    assert build(Schedule, describe(schedule)) == schedule


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "one-cycle", "warmup": 1.0},
        {"type": "one-cycle", "start": 0.5},
        {"type": "step", "every": 0},
        {"type": "step", "factor": 0},
        {"type": "exponential", "factor": -1},
        {"type": "cosine", "final": 2},
        {"type": "halve", "patience": 0},
        {"type": "halve", "stop_at": 1},
        {"type": "halve", "patience": 1.5},
        {"type": "halve", "patience": "soon"},
        {"type": "step", "factor": "half"},
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ConfigError, match="expected"):
        build(Schedule, wrong)


@pytest.mark.parametrize(
    "name, schedule",
    [("constant", ConstantRate), ("step", StepDecay), ("halve", HalveOnPlateau), ("one-cycle", OneCycle)],
)
def test_names_on_the_command_line(name, schedule):
    assert type(build(Schedule, name)) is schedule
