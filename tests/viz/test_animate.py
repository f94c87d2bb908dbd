"""Moving pictures: what each frame shows, on one scale, as GIF or MP4."""

import io
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose
from PIL import Image
from sklearn.decomposition import PCA

import digitlab
from digitlab.cli.animate import WHAT as NAMES
from digitlab.errors import ConfigError, ModelFileError, ShapeError
from digitlab.nn import Conv2D, Dense, Flatten, Network, ReLU, mlp
from digitlab.nn.scaling import InputRange
from digitlab.train.recorders import RecordNetworks, recorded_networks
from digitlab.viz.animate import WHAT, Epochs, animate, curve_figures, fitting
from digitlab.viz.animation import Animation, figure_frame, save_frames
from digitlab.viz.embedding import last_hidden
from digitlab.viz.figures import new_figure

RNG = np.random.default_rng(0)
IMAGES, LABELS = RNG.integers(0, 256, (20, 4, 4)).astype(np.uint8), np.arange(20) % 3
FRAMES = [np.full((5, 7, 3), shade, np.uint8) for shade in (0, 100, 255)]


def dense(sizes=(16, 3, 3), **settings):
    return Epochs({e: mlp(list(sizes), seed=e, **settings) for e in (0, 1, 4)}, IMAGES, LABELS, ("0", "1", "two"))


def conv():
    layers = ([Conv2D(2, 3), ReLU(), Flatten(), Dense(3)] for _ in range(2))
    return Epochs({e: Network(some, (4, 4, 1), seed=e) for e, some in enumerate(layers)}, IMAGES, LABELS)


def curves():
    return dense((1, 3, 1), loss="mean-squared-error")


def images_in(axes_list):
    return [image for axes in axes_list for image in axes.get_images()]


def titles(what, epochs):
    figures = list(WHAT[what](epochs))
    return [figure.get_suptitle() or figure.axes[0].get_title() for figure in figures], figures


def test_the_command_knows_all():
    assert tuple(WHAT) == NAMES


@pytest.mark.parametrize("what, epochs", [("weights", dense()), ("imagined", dense()), ("curve", curves())])
def test_a_frame_for_each_epoch_under_its_name(what, epochs):
    names, _ = titles(what, epochs)
    assert [name.split(":")[0] for name in names] == ["before training", "epoch 1", "epoch 4"]


def test_weights_are_those_of_each_network_on_one_scale():
    epochs = dense()
    _, figures = titles("weights", epochs)
    W = {e: network.parameters()["0.W"].value for e, network in epochs.networks.items()}
    limit = max(np.abs(w).max() for w in W.values())
    for figure, w in zip(figures, W.values(), strict=True):
        shown = images_in(figure.axes)
        assert_allclose(shown[2].get_array(), w[:, 2].reshape(4, 4))
        assert shown[0].get_clim() == pytest.approx((-limit, limit))


def test_filters_are_the_kernels():
    epochs = conv()
    _, figures = titles("filters", epochs)
    shown = images_in(figures[1].axes)
    assert_allclose(shown[1].get_array(), epochs.last.parameters()["0.W"].value[:, :, 0, 1])


def test_a_curve_is_what_the_network_computes_over_the_range_of_its_training():
    epochs = curves()
    epochs.last.input_range = InputRange(-2.0, 5.0)
    _, figures = titles("curve", epochs)
    (line,) = figures[-1].axes[0].get_lines()
    x, y = line.get_data()
    assert (x[0], x[-1]) == (-2, 5)
    assert_allclose(y, epochs.last.predict(x[:, None]).ravel())
    grid = np.linspace(0, 1, 5)
    (figure,) = curve_figures(grid, {3: grid}, grid**2)
    assert [line.get_label() for line in figure.axes[0].get_lines()] == ["function", "network"]


def test_a_boundary_shows_the_class_at_each_point():
    net = mlp([2, 3], seed=1)
    net.load_state({"0.W": np.array([[1, -1, 0], [0, 0, 1]], np.float32), "0.b": np.zeros(3, np.float32)})
    x, y = np.array([[0.5, 0.1], [-0.5, 0.2]]), np.array([0, 1])
    (figure,) = WHAT["boundary"](Epochs({1: net}, x, y))
    (image,) = figure.axes[0].get_images()
    at = {place: image.get_array()[place] for place in ((60, 119), (60, 0), (119, 60))}  # right, left, above
    assert list(at.values()) == [0, 1, 2] and image.origin == "lower"
    assert sum(len(points.get_offsets()) for points in figure.axes[0].collections) == 2


def test_an_embedding_uses_the_axes_of_the_last_epoch():
    epochs = dense()
    names, figures = titles("embedding", epochs)
    assert names == ["before training", "epoch 1", "epoch 4"]
    axes_of = PCA(2, svd_solver="full").fit(last_hidden(epochs.last, IMAGES))
    first = axes_of.transform(last_hidden(epochs.networks[0], IMAGES))
    drawn = np.concatenate([np.asarray(points.get_offsets()) for points in figures[0].axes[0].collections])
    assert_allclose(drawn, np.concatenate([first[c == LABELS] for c in range(3)]), atol=1e-6)
    assert len({figure.axes[0].get_xlim() for figure in figures}) == 1


@pytest.mark.parametrize(
    "epochs, name",
    [(dense(), "weights"), (conv(), "filters"), (curves(), "curve"), (Epochs(dense((2, 3, 3)).networks), "boundary")],
)
def test_the_first_that_fits(epochs, name):
    assert fitting(epochs) == name


def test_what_does_not_fit_says_why():
    for what, epochs, why in (
        ("weights", conv(), "no dense layer takes the pixels"),
        ("filters", dense(), "no convolution"),
        ("curve", dense(), "more than one input"),
        ("boundary", dense(), "two inputs"),
        ("imagined", curves(), "not classes"),
        ("embedding", Epochs(dense().networks), "labelled images"),
    ):
        with pytest.raises(ShapeError, match=why):
            animate(epochs, what)
    with pytest.raises(ConfigError, match="what: got 'weight'"):
        animate(dense(), "weight")


def test_frames_as_a_gif(tmp_path):
    drawn = Animation(FRAMES, fps=4)
    drawn.save(tmp_path / "x.gif")
    with Image.open(tmp_path / "x.gif") as gif:
        shades = []
        for i in range(gif.n_frames):
            gif.seek(i)
            shades.append(np.asarray(gif.convert("RGB"))[0, 0, 0])
        assert shades == [0, 100, 255] and gif.info["loop"] == 0
    with Image.open(io.BytesIO(drawn.gif())) as gif:
        assert gif.n_frames == 3 and gif.info["duration"] == 250
    assert repr(drawn) == "Animation: 3 frames of 7×5, 4 a second"
    assert "data:image/gif;base64," in drawn._repr_html_()


def test_mp4_needs_ffmpeg_and_another_suffix_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(
        ConfigError, match=r"MP4 needs ffmpeg.*pip install 'digitlab\[mp4\]', or choose .* ends in \.gif"
    ):
        save_frames(FRAMES, tmp_path / "x.mp4", fps=5)
    with pytest.raises(ConfigError, match=r"expected a file name that ends in \.gif or \.mp4"):
        save_frames(FRAMES, tmp_path / "x.avi", fps=5)
    assert list(tmp_path.iterdir()) == []


def test_frames_are_piped_to_ffmpeg_with_even_sides(tmp_path, monkeypatch):
    run, tool = subprocess.Popen, tmp_path / "ffmpeg"
    tool.write_text('#!/bin/sh\nfor last; do :; done\necho "$@" > "$last"\ncat >> "$last"\n')
    tool.chmod(0o755)
    monkeypatch.setattr("shutil.which", lambda name: str(tool))
    monkeypatch.setattr("subprocess.Popen", lambda command, **how: run([str(tool), *command[1:]], **how))
    save_frames(FRAMES, tmp_path / "x.mp4", fps=5)
    said, pixels = (tmp_path / "x.mp4").read_bytes().split(b"\n", 1)
    assert b"-s 6x4 -r 5" in said and pixels == b"".join(frame[:4, :6].tobytes() for frame in FRAMES)


@pytest.mark.slow
def test_the_ffmpeg_of_a_package_writes_an_mp4(tmp_path, monkeypatch):
    pytest.importorskip("imageio_ffmpeg")
    monkeypatch.setattr("shutil.which", lambda name: None)
    frames = [np.full((33, 48, 3), shade, np.uint8) for shade in (0, 100, 255)]
    save_frames(frames, tmp_path / "x.mp4", fps=5)
    content = (tmp_path / "x.mp4").read_bytes()
    assert content[4:8] == b"ftyp" and b"moov" in content


def test_a_figure_as_pixels():
    assert figure_frame(new_figure(2, 1), dpi=50).shape == (50, 100, 3)


def test_networks_of_every_epoch_are_kept_and_a_resume_drops_later_ones(tmp_path):
    net = mlp([16, 3])
    first = net.parameters()["0.W"].value.copy()
    trainer = digitlab.Trainer(net, callbacks=[RecordNetworks(tmp_path)], keep="last")
    trainer.fit((IMAGES, LABELS), epochs=3)
    found = recorded_networks(tmp_path)
    assert list(found) == [0, 1, 2, 3]
    assert_allclose(found[0].parameters()["0.W"].value, first)
    assert_allclose(found[3].parameters()["0.W"].value, net.parameters()["0.W"].value)
    trainer.history.rows.pop()
    RecordNetworks(tmp_path).on_fit_start(trainer)
    assert list(recorded_networks(tmp_path)) == [0, 1, 2]
    assert list(recorded_networks(tmp_path, most=2)) == [0, 2]


def test_a_run_without_networks_says_what_to_do(tmp_path):
    with pytest.raises(ModelFileError, match="no run here"):
        recorded_networks(tmp_path)
    (tmp_path / "config.toml").touch()
    with pytest.raises(ModelFileError, match="`digitlab train --record` keeps them, and with --resume"):
        recorded_networks(tmp_path)
