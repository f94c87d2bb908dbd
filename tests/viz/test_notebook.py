"""What notebooks show of each class: well-formed, escaped, small, and true to the object."""

import inspect
import re
import sys
import types
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest

import digitlab
from digitlab.cli.shared.progress import training_progress
from digitlab.parallel import GroupResult, TrainingResult
from digitlab.parallel.progress import TableProgress
from digitlab.predictions import Predictions
from digitlab.search.rate_range import RangeTest
from digitlab.search.space import LogUniform
from digitlab.search.study import Trial
from digitlab.train import History, RunConfig
from digitlab.viz.animation import Animation
from digitlab.viz.imagine import imagine
from digitlab.viz.notebook import LiveTable, epoch_display, in_notebook, parts
from digitlab.viz.notebook.views import VIEWS
from digitlab.viz.pages import signed_pixels

HOSTILE = '<script>"&'
ROWS = [
    {"epoch": e, "train_loss": 1 / e, "valid_loss": 2 / e, "valid_accuracy": 1 - 0.5 / e, "seconds": 0.1}
    for e in range(1, 5)
]


def some_digits():
    images = np.random.default_rng(0).integers(0, 256, (30, 4, 4), np.uint8)
    return digitlab.Digits(images, np.arange(30) % 3, ("zero", HOSTILE, "two"), HOSTILE)


def some_net():
    net = digitlab.Net([16, 5, 3])
    net.history = History(ROWS)
    return net


def some_predictions(n):
    p = np.tile([0.2, 0.7, 0.1], (n, 1))
    return Predictions(p.argmax(1), p, ("zero", HOSTILE, "two"), p, tuple(f"{HOSTILE}{i}" for i in range(n)))


def some_trial(number, value):
    return Trial(number, {"learning_rate": 0.1 * number + 0.1}, "done", value, [value], "valid_accuracy")


def some_study():
    study = object.__new__(digitlab.Study)
    study.path, study.monitor = SimpleNamespace(parent="searches/001"), "valid_accuracy"
    study.plan = SimpleNamespace(space={"learning_rate": LogUniform(0.01, 10)}, trials=3)
    study.trials = lambda: [some_trial(0, 0.9), some_trial(1, 0.95)]
    return study


def some_group():
    results = [
        TrainingResult(
            str(rate), RunConfig(some_net().network, optimizer=digitlab.SGD(rate)), ROWS, "valid_accuracy", e
        )
        for rate in (0.1, 0.2)
        for e in (3, 4)
    ]
    return GroupResult(results)


def some_report():
    network = digitlab.mlp([3, 2, 2], dtype="float64")
    return digitlab.check_gradients(network, np.random.default_rng(0).random((4, 3)), np.array([0, 1, 0, 1]))


def some_fit():
    network = digitlab.mlp([1, 3, 1], activation="tanh", loss="mean-squared-error")
    return digitlab.fit_function(network, np.sin, -3, 3, epochs=2, points=20)


THINGS = {
    "Digits": some_digits,
    "Example": lambda: some_digits()[7],
    "Network": lambda: some_net().network,
    "Net": some_net,
    "Parameter": lambda: some_net().network.parameters()["0.W"],
    "History": lambda: History(ROWS),
    "Imagined": lambda: imagine(some_net().network, 1),
    "Predictions": lambda: some_predictions(12),
    "Walk": lambda: some_net().explain(some_digits()[0]),
    "Failures": lambda: digitlab.find_failures(some_predictions(12).probabilities, np.arange(12) % 3),
    "GradientReport": some_report,
    "GroupResult": some_group,
    "Animation": lambda: Animation([np.zeros((4, 6, 3), np.uint8)] * 2),
    "Trial": lambda: some_trial(3, 0.95),
    "Study": some_study,
    "RangeTest": lambda: RangeTest(*np.geomspace([0.1] * 3, [10, 0.2, 0.2], 30).T, 0.3, 1.0, 0.3, f"because {HOSTILE}"),
    "Fit": some_fit,
}


@pytest.fixture(scope="module")
def shown():
    """The fragment of each class, as a text and parsed."""
    found = {name: make()._repr_html_() for name, make in THINGS.items()}
    return {name: (text, ElementTree.fromstring(text)) for name, text in found.items()}


def words(element):
    return [text.strip() for text in element.itertext() if text.strip()]


def test_every_view_is_tested():
    assert THINGS.keys() == VIEWS.keys()


@pytest.mark.parametrize("name", THINGS)
def test_a_fragment_is_well_formed_escaped_and_small(shown, name):
    text, root = shown[name]
    assert root.get("class") == "digitlab" and "<script" not in text and len(text) < 25_000
    assert " at 0x" not in text and " at 0x" not in repr(THINGS[name]())


@pytest.mark.parametrize("name", THINGS)
def test_a_fragment_is_safe_on_a_dark_page(shown, name):
    """Backgrounds are transparent, and text has the colour of the page, or one that both kinds of page can show."""
    text, root = shown[name]
    css = root.find("style").text
    assert set(re.findall(r"background: ([^;]+)", css)) == {"transparent"}
    assert all(svg.get("fill") == "currentColor" for svg in root.iter("{http://www.w3.org/2000/svg}svg"))
    assert not {"black", "#000", "#000000", "white", "#fff"} & set(re.findall(r'(?:fill|stroke)="([^"]+)"', text))


def test_digits_show_images_with_labels(shown):
    _, root = shown["Digits"]
    assert len(list(root.iter("img"))) == 24
    assert [c.text for c in root.iter("figcaption")][:3] == ["zero", HOSTILE, "two"]
    assert words(root)[-1] == f"the first 24 of 30; images per class: zero: 10, {HOSTILE}: 10, two: 10"


def test_large_images_and_deep_networks_stay_small():
    photos = digitlab.Digits(np.random.default_rng(0).integers(0, 256, (3, 600, 400), np.uint8), np.arange(3))
    root = ElementTree.fromstring(photos._repr_html_())
    assert [(img.get("width"), img.get("height")) for img in root.iter("img")] == [("58", "86")] * 3
    assert len(photos._repr_html_()) < 25_000
    assert len(digitlab.mlp([100, *[50] * 40, 10])._repr_html_()) < 60_000


@pytest.mark.parametrize("name", ["lenet5", "rows-gru", "feedback", "colour-conv"])
def test_networks_of_every_kind_are_drawn(name):
    network = digitlab.nn.zoo.find_recipe(name).build()
    text = network._repr_html_()
    found = words(ElementTree.fromstring(text))
    assert (
        f"Network: {sum(p.value.size for p in network.parameters().values()):,} parameters" in found or name == "lenet5"
    )
    assert len(text) < 30_000 and str(len(network) - 1) in found


def test_an_example_is_a_pair_and_shows_its_image(shown):
    image, label = some_digits()[7]
    assert image.shape == (4, 4) and label == 1
    assert [img.get("width") for img in shown["Example"][1].iter("img")] == ["112"]
    assert repr(some_digits()[7]) == "Example: image 4×4, label 1"


def test_a_network_shows_shapes_and_parameters(shown):
    found = words(shown["Network"][1])
    assert "Network: 103 parameters" in found  # 16·5 + 5 + 5·3 + 3
    rows = [words(row) for row in shown["Network"][1].iter("tr")]
    assert ["0", "Dense(5, biases=Normal())", "5", "85"] in rows
    lines = list(shown["Network"][1].iter("{http://www.w3.org/2000/svg}line"))
    assert len(lines) == 7 * 5 + 5 * 3  # 7 of the 16 inputs are drawn


def test_an_ensemble_is_called_one():
    members = [digitlab.mlp([16, 5, 3], seed=seed) for seed in range(2)]
    assert "Ensemble of 2 networks" in digitlab.combine(members)._repr_html_()


def test_curves_have_a_point_per_epoch_and_the_best_at_the_top(shown):
    lines = list(shown["History"][1].iter("{http://www.w3.org/2000/svg}polyline"))
    assert len(lines) == 3  # training and validation loss, validation accuracy
    accuracy = [tuple(map(float, point.split(","))) for point in lines[2].get("points").split()]
    assert len(accuracy) == 4 and accuracy[0] == (parts.LEFT, parts.BOTTOM) and accuracy[-1] == (parts.RIGHT, parts.TOP)
    assert len(list(shown["Net"][1].iter("{http://www.w3.org/2000/svg}polyline"))) == 3


def test_names_of_curves_that_end_together_are_apart():
    same = [("train", "red", "", [1, 2], [0, 1]), ("valid", "blue", "", [1, 2], [1, 1]), ("test", "#888", "", [1], [1])]
    heights = sorted(line["label_y"] for line in parts._panel("", same, False)["lines"])
    assert min(np.diff(heights)) >= parts.APART


def test_the_numbers_that_are_not_finite_are_left_out():
    text = parts.curves({"loss": [("train", "red", "", [1, 2, 3], [0.5, float("nan"), float("inf")])]}, label="x")
    assert "nan" not in text and "inf" not in text


def test_signed_pixels_are_blue_white_and_red():
    blue, white, red = signed_pixels(np.array([[-2.0, 0.0, 2.0]]))[0]
    assert blue[2] > blue[0] and red[0] > red[2] and white.tolist() == [255, 255, 255]


def test_one_prediction_is_bars_and_several_are_a_table(shown):
    root = ElementTree.fromstring(some_predictions(1)._repr_html_())
    bars = [re.search(r"width:([\d.]+)%", bar.get("style"))[1] for bar in root.iter("div") if bar.get("role") == "img"]
    assert bars == ["20.0", "70.0", "10.0"]
    rows = [words(row) for row in shown["Predictions"][1].iter("tr")]
    many = [bar.get("aria-label") for bar in shown["Predictions"][1].iter("div") if bar.get("role") == "img"]
    assert many == ["70.0 %"] * 10
    assert rows[1] == [f"{HOSTILE}0", HOSTILE, "70.0 %", "zero (20.0 %)"] and words(shown["Predictions"][1])[-1] == (
        "2 more images"
    )


def test_a_study_shows_its_best_trials_first(shown):
    rows = [words(row) for row in shown["Study"][1].iter("tr")]
    assert rows == [["trial", "valid_accuracy (%)", "learning_rate"], ["1", "95.00 %", "0.2"], ["0", "90.00 %", "0.1"]]
    assert repr(some_study()) == "Study: searches/001, 2 of 3 trials, best valid_accuracy 95.00 %"


def test_a_group_shows_the_statistics_of_each_setting(shown):
    rows = [words(row) for row in shown["GroupResult"][1].iter("tr")]
    assert rows[0] == ["setting", "networks", "mean valid_accuracy (%)", "sd", "least", "most"]
    assert [row[1:3] + row[4:] for row in rows[1:]] == [["2", "85.42", "83.33", "87.50"]] * 2


def test_a_class_without_a_view_is_shown_as_text():
    from digitlab.notebook_html import notebook_html

    assert notebook_html(digitlab.SGD(0.1)) is None


def public_classes():
    """The classes that `digitlab` and its packages hand on."""
    packages = [digitlab, *(getattr(digitlab, name) for name in digitlab._MODULES)]
    scikit_learns = digitlab._HOMES["digitlab.estimators"]  # which shows them itself, and takes seconds to import
    found = {
        getattr(package, name)
        for package in packages
        for name in dir(package)
        if not name.startswith("_") and name not in scikit_learns
        if inspect.isclass(getattr(package, name))
    }
    return sorted((c for c in found if c.__module__.startswith("digitlab")), key=lambda c: c.__name__)


def test_no_public_class_prints_an_address():
    bare = [c.__name__ for c in public_classes() if c.__repr__ is object.__repr__ and not getattr(c, "_is_protocol", 0)]
    assert len(public_classes()) > 100 and bare == []


def test_callbacks_name_their_settings():
    assert repr(digitlab.EarlyStopping(3)) == "EarlyStopping(patience=3)"
    assert repr(digitlab.CsvLog("log.csv")) == "CsvLog(path='log.csv')"


class Handle:
    def __init__(self, shown):
        self.shown = [shown]

    def update(self, shown):
        self.shown.append(shown)


@pytest.fixture
def handles(monkeypatch):
    """What a pretended notebook displays."""
    handles = []

    def display(shown, display_id):
        handles.append(Handle(shown))
        return handles[-1]

    fake = types.ModuleType("IPython")
    fake.get_ipython = lambda: SimpleNamespace(kernel=object())
    fake.display = types.ModuleType("IPython.display")
    fake.display.display, fake.display.HTML = display, str
    monkeypatch.setitem(sys.modules, "IPython", fake)
    monkeypatch.setitem(sys.modules, "IPython.display", fake.display)
    return handles


def test_training_in_a_notebook_updates_one_table(handles, monkeypatch, capsys):
    assert in_notebook() and isinstance(epoch_display(), LiveTable)
    monkeypatch.setitem(sys.modules, "ipykernel", types.ModuleType("ipykernel"))
    assert isinstance(training_progress(), LiveTable), "of a command that a notebook calls"
    digits = some_digits()
    net = digitlab.Net([16, 4, 3])
    net.train(digits, 1.0, epochs=10, valid=digits, batch_size=10)
    assert capsys.readouterr().out == "" and len(handles) == 1
    assert len(handles[0].shown) == 1 + 10 + 1  # at the start, after each epoch, at the end
    last = ElementTree.fromstring(handles[0].shown[-1])
    rows = [words(row) for row in last.iter("tr")]
    assert words(last)[1] == "10 epochs done" and len(rows) == 1 + 8
    best = net.history.statistics("valid_accuracy").best_epoch
    assert [row[0] for row in rows[1:]] == [f"{e} ★" if e == best else f"{e}" for e in range(3, 11)]
    net.train(digits, 1.0, batch_size=10, verbose=0)
    assert len(handles) == 1


def test_training_many_in_a_notebook_updates_one_table(handles, capsys):
    digits = some_digits()
    network = digitlab.mlp([16, 4, 3])
    rates, data = (0.1, 1.0), digitlab.Splits(digits, digits, None)
    configs = [RunConfig(network, optimizer=digitlab.SGD(rate), epochs=3, batch_size=10) for rate in rates]
    result = digitlab.train_many(configs, data=data, workers=1)
    assert capsys.readouterr().out == "" and len(handles) == 1
    assert len(handles[0].shown) == 1 + 2 * (3 + 1)  # at the start, after each epoch, at the end of each
    first, last = (ElementTree.fromstring(handles[0].shown[i]) for i in (0, -1))
    assert words(first)[1] == "0 of 2 networks done" and words(last)[1] == "2 of 2 networks done"
    for row, rate, outcome in zip(list(last.iter("tr"))[1:], rates, result.outcomes, strict=True):
        text = " ".join(row.itertext())
        best = 100 * outcome.best_row["valid_accuracy"]
        assert f"learning_rate={rate}" in text and f"valid_accuracy {best:.2f} % at epoch" in text
    digitlab.train_many(configs, data=data, workers=1, verbose=0)
    assert len(handles) == 1


def test_a_table_of_many_trainings_shows_those_that_train(handles):
    table = TableProgress()
    table.began([f"n{i}" for i in range(40)], [2] * 40, "one thread")
    table.epoch({"name": "n39", "epochs": 2, "row": {"epoch": 1, "valid_accuracy": 0.5}})
    last = ElementTree.fromstring(handles[0].shown[-1])
    rows = [" ".join(row.itertext()) for row in last.iter("tr")]
    assert len(rows) == 1 + 16 and "epoch 1 of 2, valid_accuracy 50.00 %" in rows[-1]


def test_outside_of_a_notebook_training_prints_lines():
    assert not in_notebook() and isinstance(epoch_display(), digitlab.PlainLines)
