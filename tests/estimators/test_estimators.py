"""The scikit-learn estimators: scikit-learn's own checks, and its tools around them."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits, make_regression
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale
from sklearn.utils.estimator_checks import parametrize_with_checks

import digitlab
from digitlab import Adam, DigitClassifier, NetworkRegressor
from digitlab.engine import ReferenceEngine
from digitlab.errors import ConfigError, DataError
from digitlab.nn.examples import inputs
from digitlab.settings.network import NetworkSettings
from digitlab.settings.schema import settings_of
from digitlab.settings.training import ShortSettings, TrainingSettings

EXPLAINED = {
    "check_sample_weight_equivalence_on_dense_data": "an example that is there twice changes which examples share a "
    "mini-batch; on full batches the two are equal, see test_weights_equal_repetition_on_full_batches"
}


@parametrize_with_checks(
    [DigitClassifier(), NetworkRegressor(epochs=50)], expected_failed_checks=lambda estimator: EXPLAINED
)
@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def digits():
    x, y = load_digits(return_X_y=True)
    return x[:600] / 16, y[:600], x[600:900] / 16, y[600:900]


@pytest.fixture(scope="module")
def fitted(digits):
    return DigitClassifier(epochs=5).fit(*digits[:2])


def test_weights_equal_repetition_on_full_batches():
    rng = np.random.default_rng(0)
    x, y, counts = rng.normal(size=(20, 3)), rng.integers(0, 2, 20), rng.integers(0, 4, 20)
    settings = {"optimizer": "sgd", "learning_rate": 0.5, "epochs": 20}
    weighted = DigitClassifier(batch_size=20, **settings).fit(x, y, sample_weight=counts)
    repeated = DigitClassifier(batch_size=int(counts.sum()), **settings).fit(x.repeat(counts, 0), y.repeat(counts))
    np.testing.assert_allclose(weighted.predict_proba(x), repeated.predict_proba(x), atol=1e-5)


def test_classifies_digits_with_text_labels(digits):
    x, y, test_x, test_y = digits
    names = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
    classifier = DigitClassifier((30,), epochs=10).fit(x, names[y])
    assert classifier.score(test_x, names[test_y]) > 0.85
    assert classifier.classes_.tolist() == sorted(names)
    np.testing.assert_allclose(classifier.predict_proba(test_x).sum(axis=1), 1, atol=1e-6)
    assert classifier.network_.shapes[-1] == (10,)


def test_images_are_rows_of_pixels():
    train, _, test = digitlab.load("digits")
    images = DigitClassifier(epochs=2).fit(train.images, train.labels)
    rows = DigitClassifier(epochs=2).fit(train.images.reshape(len(train), -1), train.labels)
    assert images.n_features_in_ == 64
    np.testing.assert_array_equal(images.predict_proba(test.images), rows.predict_proba(test.images))


def test_pixels_as_whole_numbers_are_scaled_like_bytes():
    train, _, test = digitlab.load("digits")
    as_bytes = DigitClassifier(epochs=1).fit(train.images, train.labels)
    as_floats = DigitClassifier(epochs=1).fit(train.images.astype(float), train.labels)
    restored = pickle.loads(pickle.dumps(as_floats))
    expected = as_bytes.predict_proba(test.images)
    np.testing.assert_array_equal(as_floats.predict_proba(test.images.astype(float)), expected)
    np.testing.assert_array_equal(restored.predict_proba(test.images.astype(float)), expected)


def test_a_network_of_the_zoo_by_name():
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (20, 28, 28), dtype=np.uint8), np.arange(20) % 3
    classifier = DigitClassifier("conv-without-fc", epochs=1, engine="reference").fit(images, labels)
    assert type(classifier.network_.layers[0]).__name__ == "Conv2D"
    assert classifier.predict_proba(images.reshape(20, 784)).shape == (20, 3)
    with pytest.raises(DataError, match="no square images"):
        DigitClassifier("conv-without-fc").fit(rng.normal(size=(9, 7)), np.arange(9) % 3)


def test_a_pickle_holds_a_network_file_and_no_object_of_ours(fitted, digits, tmp_path):
    state = fitted.__getstate__()
    (tmp_path / "network.safetensors").write_bytes(state["network_"])
    network = digitlab.load_network(tmp_path / "network.safetensors")
    np.testing.assert_array_equal(network.predict(digits[2][:5]), fitted.network_.predict(digits[2][:5]))
    restored = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(restored.predict_proba(digits[2]), fitted.predict_proba(digits[2]))


def test_partial_fit_takes_classes_first_and_goes_on(digits):
    x, y, test_x, test_y = digits
    classifier = DigitClassifier(optimizer="sgd")
    with pytest.raises(ConfigError, match="the first call needs all classes"):
        classifier.partial_fit(x, y)
    for start in range(0, 600, 200):
        classifier.partial_fit(x[start : start + 200], y[start : start + 200], classes=range(10))
    first = classifier.score(test_x, test_y)
    for _ in range(5):
        classifier.partial_fit(x, y)
    assert classifier.score(test_x, test_y) > max(first, 0.85)
    with pytest.raises(DataError, match="got label 11"):
        classifier.partial_fit(x[:1], [11])


def test_partial_fit_continues_the_optimizers_state(digits):
    x, y = digits[0][:50], digits[1][:50]
    classifier = DigitClassifier((6,), learning_rate=0.01, batch_size=50)
    classifier.partial_fit(x, y, classes=range(10))
    first = classifier._built(10)
    engine = ReferenceEngine(first, Adam(0.01))  # two steps on the whole set, without a pause
    first.scaling_is_explicit = True
    rows = inputs(x, first, "x")
    engine.train_batches(rows, np.asarray(y), np.tile(np.arange(50), 2), 50, [0.01, 0.01])
    classifier = pickle.loads(pickle.dumps(classifier)).partial_fit(x, y)
    for name, p in classifier.network_.parameters().items():
        np.testing.assert_allclose(p.value, first.parameters()[name].value, atol=1e-5)
    other = DigitClassifier((6,), learning_rate=0.02, batch_size=50)
    other.__setstate__({**classifier.__getstate__(), "learning_rate": 0.02})
    other.partial_fit(x, y)  # another optimizer starts without a state
    assert other._optimizer_state[0] != classifier._optimizer_state[0]


def test_warm_start_goes_on_from_the_weights(digits):
    x, y = digits[:2]
    cold = DigitClassifier(epochs=1)
    warm = clone(cold).set_params(warm_start=True)
    losses = [[e.fit(x, y).history_[-1]["train_loss"] for _ in range(3)] for e in (cold, warm)]
    assert losses[0][0] == losses[0][2] == losses[1][0]
    assert losses[1][2] < 0.7 * losses[1][0]


def test_early_stopping_on_the_validation_share(digits):
    classifier = DigitClassifier(epochs=200, valid_size=0.2, early_stop=3, learning_rate=0.01).fit(*digits[:2])
    accuracies = [row["valid_accuracy"] for row in classifier.history_]
    assert classifier.n_iter_ < 200 and len(accuracies) - 1 - int(np.argmax(accuracies)) == 3


def test_class_weights_move_the_decision():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(300, 2)), (np.arange(300) < 30).astype(int)
    x[:30] += 1
    shares = [(DigitClassifier(epochs=10, class_weight=w).fit(x, y).predict(x) == 1).mean() for w in (None, "balanced")]
    assert shares[1] > 2 * shares[0]


def test_pipeline_search_and_cross_validation(digits):
    x, y = digits[:2]
    pipeline = make_pipeline(StandardScaler(), DigitClassifier(epochs=5))
    assert cross_val_score(pipeline, x, y, cv=2).mean() > 0.75
    search = GridSearchCV(DigitClassifier(epochs=2), {"net": [(5,), (30,)], "learning_rate": [0.01]}, cv=2).fit(x, y)
    assert search.best_params_["net"] == (30,) and search.best_score_ > 0.7


@pytest.mark.slow
def test_calibration_and_permutation_importance(digits):
    x, y, test_x, test_y = digits
    calibrated = CalibratedClassifierCV(DigitClassifier(epochs=3), cv=2).fit(x, y)
    assert calibrated.score(test_x, test_y) > 0.8
    rng = np.random.default_rng(0)
    features = rng.normal(size=(200, 3))
    classifier = DigitClassifier().fit(features, features[:, 1] > 0)
    found = permutation_importance(classifier, features, features[:, 1] > 0, random_state=0)
    assert found.importances_mean.argmax() == 1


def test_regression_of_several_numbers():
    x, y = make_regression(200, 5, n_targets=2, random_state=0)
    regressor = NetworkRegressor(learning_rate=0.01).fit(x, scale(y))
    assert regressor.predict(x).shape == (200, 2) and regressor.score(x, scale(y)) > 0.95
    assert regressor.predict(100 * x).shape == (200, 2)  # far outside of the training range


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs"),
        ({"l2": -1}, "l2: got -1"),
        ({"optimizer": "adm"}, "adam"),
        ({"valid_size": "half"}, "valid_size"),
        ({"net": "lenet"}, "lenet5"),
    ],
)
def test_settings_are_checked_by_fit(settings, message, digits):
    with pytest.raises(ConfigError, match=message):
        DigitClassifier(**settings).fit(*digits[:2])


@pytest.mark.parametrize("kind", [DigitClassifier, NetworkRegressor])
def test_arguments_are_settings_with_help(kind):
    declared = settings_of(TrainingSettings) | settings_of(ShortSettings) | settings_of(NetworkSettings)
    own = {"valid_size", "class_weight", "warm_start", "verbose"}
    for name in kind._get_param_names():
        assert name in own or name in declared
        assert f"\n    {name} " in kind.__doc__
