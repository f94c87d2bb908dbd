"""Augmentations do what their names say, as scipy does it; they are seeded, and the twins give the same bytes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage

from digitlab.data.augment import (
    AUGMENTATIONS,
    Compose,
    Elastic,
    Noise,
    Rotate,
    Scale,
    Shear,
    Shift,
    parse_augmentation,
)
from digitlab.data.augment import warp as warp_module
from digitlab.data.augment.affine import rotation
from digitlab.data.augment.base import CHUNK
from digitlab.data.augment.elastic import smoothing
from digitlab.data.augment.warp import compiled, warp, warp_numpy
from digitlab.errors import ConfigError, DataError


def blobs(n=6, height=28, width=28, channels=0, seed=0):
    """Soft shapes, up to the edges, as uint8 images."""
    rng = np.random.default_rng(seed)
    noise = rng.random((n, height, width, *([channels] if channels else [])))
    smooth = ndimage.gaussian_filter(noise, (0, 1.5, 1.5, 0)[: noise.ndim])
    smooth = (smooth - smooth.min()) / (smooth.max() - smooth.min())
    return np.round(255 * smooth).astype(np.uint8)


def identities(n):
    return np.tile(np.eye(3, dtype=np.float32), (n, 1, 1))


def as_scipy_reads(image, map_, field=None):
    """The outside truth: one image through one map, by scipy, as float64."""
    centre = (np.array(image.shape[:2]) - 1) / 2
    points = np.indices(image.shape[:2]).astype(float) - centre[:, None, None]  # (2, H, W)
    if field is not None:
        points = points + field
    m = np.asarray(map_, float)
    source = np.einsum("ij,jhw->ihw", m[:2, :2], points) + (m[:2, 2] + centre)[:, None, None]
    channels = image[..., None] if image.ndim == 2 else image
    read = [
        ndimage.map_coordinates(channels[..., c].astype(float), source, order=1, mode="grid-constant")
        for c in range(channels.shape[-1])
    ]
    return np.stack(read, axis=-1).reshape(image.shape)


MAPS = st.tuples(*[st.floats(-1.5, 1.5)] * 4, *[st.floats(-40, 40)] * 2)


@settings(max_examples=40, deadline=None)
@given(MAPS, st.integers(1, 30), st.integers(1, 30), st.sampled_from([0, 3]), st.booleans(), st.integers(0, 99))
def test_any_map_and_field_as_scipy_reads_it(numbers, height, width, channels, bent, seed):
    images = np.random.default_rng(seed).integers(
        0, 256, (2, height, width, *([channels] if channels else [])), np.uint8
    )
    maps = identities(2)
    maps[1, :2] = np.array(numbers, np.float32)[[0, 1, 4, 2, 3, 5]].reshape(2, 3)
    field = np.random.default_rng(seed).normal(0, 2, (2, 2, height, width)).astype(np.float32) if bent else None
    got = warp(images, maps, field)
    for k in range(2):
        truth = as_scipy_reads(images[k], maps[k], None if field is None else field[k])
        # Half a grey level is rounding; beyond it, float32 coordinates where neighbouring pixels differ much.
        assert np.abs(got[k] - truth).max() < 0.5 + 0.02


@settings(max_examples=40, deadline=None)
@given(MAPS, st.integers(1, 20), st.integers(1, 20), st.sampled_from([1, 3]), st.booleans(), st.integers(0, 99))
def test_the_twins_give_the_same_bytes(numbers, height, width, channels, bent, seed):
    if compiled() is None:
        pytest.skip("numba is not here")
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (3, height, width, channels), np.uint8)
    maps = identities(3)
    maps[1:, :2] = np.array(numbers, np.float32)[[0, 1, 4, 2, 3, 5]].reshape(2, 3)
    shape = (3, 2, height, width) if bent else (3, 2, 0, 0)
    field = rng.normal(0, 3, shape).astype(np.float32)
    mine, twin = np.empty_like(images), np.empty_like(images)
    warp_numpy(images, maps, field, mine)
    compiled()(images, maps, field, twin)
    assert_array_equal(mine, twin)


def test_without_numba_the_same_images(monkeypatch):
    images, steps = blobs(), parse_augmentation("shift,rotate:20,elastic,noise")
    fast = steps.augment(images, np.random.default_rng(5))
    monkeypatch.setattr(warp_module, "compiled", lambda: None)
    assert_array_equal(steps.augment(images, np.random.default_rng(5)), fast)


@pytest.mark.parametrize("degrees", [-10.0, 10.0, 37.0, 90.0])
def test_a_rotation_is_scipys(degrees):
    """As Rashid calls it; inside a margin of paper, where his mode="constant" and ours are one."""
    image = np.pad(blobs(1, 20, 20), ((0, 0), (4, 4), (4, 4)))
    maps = identities(1)
    rotation(maps, degrees)
    truth = ndimage.rotate(image[0].astype(float), degrees, cval=0, order=1, reshape=False)
    assert np.abs(warp(image, maps, None)[0] - truth).max() < 0.51


def test_a_positive_angle_turns_anticlockwise():
    image = np.zeros((1, 5, 5), np.uint8)
    image[0, 2, 4] = 255  # to the right of the centre
    maps = identities(1)
    rotation(maps, 90)
    assert np.argwhere(warp(image, maps, None)[0]).tolist() == [[0, 2]]  # above it


def test_shifts_are_exact_and_each_as_likely():
    image = blobs(1)
    images = np.repeat(image, 3600, axis=0)
    moved = Shift(1).augment(images, np.random.default_rng(0))
    counts = []
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            truth = ndimage.shift(image[0], (down, right), order=0, mode="constant")
            counts.append(int(np.sum((moved == truth).all(axis=(1, 2)))))
    assert sum(counts) == 3600
    assert min(counts) > 300, counts  # 400 expected, sd 19


def test_scale_and_shear_by_hand():
    image = np.zeros((1, 9, 9), np.uint8)
    image[0, 4, 4:7] = 200  # from the centre two pixels to the right
    maps = Scale(0.5).maps(500, np.random.default_rng(0))
    factors = 1 / maps[:, 0, 0]
    assert_array_equal(maps[:, 0, 0], maps[:, 1, 1])
    assert 0.5 <= factors.min() < 0.51 and 1.49 < factors.max() <= 1.5
    maps = identities(1)
    maps[0, (0, 1), (0, 1)] = 0.5  # twice as large
    assert warp(image, maps, None)[0, 4].tolist() == [0, 0, 0, 100, 200, 200, 200, 200, 200]
    maps = Shear(45).maps(500, np.random.default_rng(0))
    angles = np.degrees(np.arctan(maps[:, 1, 0]))
    assert -45 <= angles.min() < -44 and 44 < angles.max() <= 45
    upright = np.zeros((1, 5, 5), np.uint8)
    upright[0, :, 2] = 255
    maps = identities(1)
    maps[0, 1, 0] = 1  # 45° to the right
    assert_array_equal(warp(upright, maps, None)[0], 255 * np.eye(5, dtype=np.uint8)[::-1])


def test_angles_are_uniform_within_their_bounds():
    maps = Rotate(10).maps(4000, np.random.default_rng(3))
    angles = np.degrees(np.arctan2(maps[:, 0, 1], maps[:, 0, 0]))
    assert -10 <= angles.min() < -9.9 and 9.9 < angles.max() <= 10
    assert abs(angles.mean()) < 0.3
    assert_allclose(angles.std(), 20 / math.sqrt(12), rtol=0.05)


def test_the_elastic_field_is_scipys_gaussian_filter():
    field = Elastic(34, 4).field(3, (28, 20), np.random.default_rng(0))
    noise = 2 * np.random.default_rng(0).random((3, 2, 28, 20), dtype=np.float32).astype(float) - 1
    scale = 20 / 28
    truth = 34 * scale**2 * ndimage.gaussian_filter(noise, (0, 0, 4 * scale, 4 * scale), mode="constant")
    assert field.dtype == np.float32
    assert_allclose(field, truth, atol=1e-4)


def test_points_move_as_far_as_simards_parameters_say():
    """σ_d = 2α · sd(u) / (2√π σ), sd of uniform (−½, ½) = 1/√12: 1.4 pixels in the middle of 28×28."""
    field = Elastic().field(2000, (28, 28), np.random.default_rng(1))
    expected = 34 * 2 / math.sqrt(12) / (2 * math.sqrt(math.pi) * 4)
    assert_allclose(field[:, :, 14, 14].std(), expected, rtol=0.05)
    assert_allclose(expected, 1.384, rtol=0.01)
    small = Elastic().field(2000, (8, 8), np.random.default_rng(1))[:, :, 4, 4].std() / 8
    assert_allclose(small, expected / 28, rtol=0.15)  # the same share of a smaller image


def test_smoothing_matrices_are_shared_and_so_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        smoothing(28, 4.0)[0, 0] = 1


def test_noise_has_its_sd_and_stays_a_byte():
    images = np.full((20, 28, 28), 128, np.uint8)
    noisy = Noise(0.1).augment(images, np.random.default_rng(0)).astype(float)
    assert_allclose(noisy.std(), 25.5, rtol=0.03)
    assert_allclose(noisy.mean(), 128, atol=0.5)
    edges = Noise(1.0).augment(np.array([[[0, 255]]], np.uint8).repeat(500, 0), np.random.default_rng(0))
    assert 200 < np.sum(edges[:, 0, 0] == 0) < 300 and 200 < np.sum(edges[:, 0, 1] == 255) < 300


def test_affine_steps_and_an_elastic_one_are_one_reading():
    """Rotated there and back in one go, nothing is blurred; in two goes it is."""
    images = blobs()

    class There(Rotate):
        def fill(self, maps, rng):
            rotation(maps, self.degrees)

    class Back(Rotate):
        def fill(self, maps, rng):
            rotation(maps, -self.degrees)

    rng = np.random.default_rng(0)
    together = Compose((There(25.0), Back(25.0))).augment(images, rng)
    assert np.abs(together.astype(int) - images).max() <= 1
    apart = Back(25.0).augment(There(25.0).augment(images, rng), rng)
    assert np.abs(apart.astype(int) - images)[:, 8:20, 8:20].max() > 3


@pytest.mark.parametrize("spec", ["rotate:40,shift:3", "shift:3,rotate:40", "scale:0.3,shear:20,rotate"])
def test_the_order_of_the_steps_is_the_order_written(spec):
    """One after another gives the same, but for more rounding and blurring; the other way round it does not."""
    steps = parse_augmentation(spec).steps
    images = ndimage.gaussian_filter(np.pad(blobs(8, 16, 16), ((0, 0), (6, 6), (6, 6))), (0, 2, 2))
    together = Compose(steps).augment(images, np.random.default_rng(7)).astype(int)
    apart, rng = images, np.random.default_rng(7)
    for step in steps:
        apart = step.augment(apart, rng)
    error = np.abs(together - apart).mean()
    assert error < 1.5

    maps = [step.maps(8, rng) for rng in [np.random.default_rng(7)] for step in steps]
    wrong = maps[-1]
    for other in maps[-2::-1]:
        wrong = wrong @ other
    assert np.abs(warp(images, wrong, None).astype(int) - apart).mean() > 2 * error


def test_an_elastic_step_after_affine_ones_is_read_through_both():
    images, rng = blobs(4), np.random.default_rng(0)
    got = Compose((Rotate(30), Elastic())).augment(images, np.random.default_rng(0))
    maps, field = Rotate(30).maps(4, rng), Elastic().field(4, (28, 28), rng)
    for k in range(4):
        assert np.abs(got[k] - as_scipy_reads(images[k], maps[k], field[k])).max() < 0.52


ANY = st.lists(st.sampled_from(["shift:2", "rotate", "scale", "shear:5", "elastic", "noise:0.05"]), max_size=4)


@settings(max_examples=25, deadline=None)
@given(ANY, st.sampled_from([(5, 28, 28), (3, 9, 13), (2, 8, 8, 3), (0, 4, 4)]), st.integers(0, 9))
def test_whatever_is_composed(names, shape, seed):
    images = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    before = images.copy()
    steps = parse_augmentation(",".join(names))
    first, again = (steps.augment(images, np.random.default_rng(seed)) for _ in range(2))
    assert first.shape == images.shape and first.dtype == np.uint8
    assert_array_equal(first, again)
    assert_array_equal(images, before)
    assert not np.shares_memory(first, images)


def test_every_image_has_its_own_rng_and_chunks_have_no_seams():
    images = np.repeat(blobs(1), CHUNK + 20, axis=0)
    changed = parse_augmentation("rotate,elastic").augment(images, np.random.default_rng(0))
    assert len(np.unique(changed.reshape(len(changed), -1), axis=0)) == len(images)


def test_images_in_any_memory_order():
    images = blobs(4)
    there = parse_augmentation("rotate").augment(images[::-1][::-1], np.random.default_rng(0))
    turned = np.asfortranarray(images)
    assert_array_equal(parse_augmentation("rotate").augment(turned, np.random.default_rng(0)), there)


@pytest.mark.parametrize(
    "images, words",
    [
        (np.zeros((2, 28, 28)), r"got float64 \(2, 28, 28\), expected images as uint8"),
        (np.zeros((2, 784), np.uint8), r"got shape \(2, 784\).*Rows of 784 become images"),
        (np.zeros((28, 28), np.uint8), "a single image with"),
        (np.zeros((2, 28, 28, 4), np.uint8), "in colour"),
        ([[1]], "got list"),
    ],
)
def test_what_is_no_image_is_refused(images, words):
    with pytest.raises(DataError, match=words):
        Rotate(10).augment(images, np.random.default_rng(0))


# As text


@pytest.mark.parametrize(
    "text, steps",
    [
        ("shift,rotate:10,elastic", (Shift(1), Rotate(10), Elastic(34, 4))),
        (" Shift:2 , NOISE:.2 ", (Shift(2), Noise(0.2))),
        ("elastic:30:5", (Elastic(30, 5),)),
        ("elastic:alpha=30,sigma=5,shear:3", (Elastic(30, 5), Shear(3))),
        ("elastic:sigma=5", (Elastic(34, 5),)),
        ("none", ()),
        ("", ()),
    ],
)
def test_reading_a_spec(text, steps):
    assert parse_augmentation(text).steps == steps


def test_a_spec_written_out_is_read_again():
    long = "rotate:12.3456789"
    for text in ("shift,rotate:15,elastic:30:5,noise", "elastic:34:5", "none", "rotate:0.25", long):
        assert parse_augmentation(text).spec == text
        assert parse_augmentation(parse_augmentation(text).spec) == parse_augmentation(text)
    assert set(AUGMENTATIONS) == {"shift", "rotate", "scale", "shear", "elastic", "noise"}
    assert Compose((Compose((Shift(2),)), Rotate())).spec == "shift:2,rotate"


@pytest.mark.parametrize(
    "text, words",
    [
        ("rotat:10", r"unknown augmentation 'rotat' \(did you mean 'rotate'\?\); there are: shift, rotate"),
        ("shift,", "unknown augmentation ''"),
        ("rotate:ten", "got 'ten', expected a number"),
        ("rotate:10:20", "rotate has degrees, once each"),
        ("elastic:34,alpha=3", "alpha and sigma, once each"),
        ("elastic:beta=3", "elastic has alpha and sigma"),
        ("rotate:181", "got degrees 181, expected a number from 0 to 180"),
        ("scale:1", "from 0 to 0.95"),
        ("rotate:nan", "expected a number from"),
        ("rotate:inf", "expected a number from"),
        ("shift:1.5", "whole"),
    ],
)
def test_a_spec_that_cannot_be_read(text, words):
    with pytest.raises(ConfigError, match=words) as raised:
        parse_augmentation(text)
    assert "\n" not in str(raised.value)
