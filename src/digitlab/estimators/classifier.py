"""A network as a scikit-learn classifier."""

from typing import Any, Self

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from digitlab.errors import ConfigError, DataError
from digitlab.estimators.base import NetworkEstimator, estimator
from digitlab.train.evaluation import class_shares

__all__ = ["DigitClassifier"]


@estimator
class DigitClassifier(ClassifierMixin, NetworkEstimator):  # type: ignore[misc]
    """A network that classifies, as a scikit-learn estimator: `DigitClassifier((100,)).fit(X, y).score(X, y)`.

    X are rows (N, features) or images (N, H, W) or (N, H, W, C). Pixel bytes (uint8, or whole numbers up to 255 in
    images) are scaled by `scaling`; other numbers are taken as they are. y are labels (N,), numbers or text.

    net         sizes of the hidden layers, such as (100,), or the name of a network of the zoo, such as "lenet5",
                which brings its own layers, loss and scaling
    loss        loss of a network given by its sizes: "log-likelihood" (softmax), "cross-entropy", "quadratic"
    {settings}
    valid_size  share or number of training examples that are set aside: the best epoch on them is kept, and
                `early_stop` counts by them; 0 uses none, and `early_stop` then counts by the training loss
    class_weight  "balanced", or {class: weight}
    warm_start  whether `fit` continues from the weights of the fit before
    verbose     1 prints a line per epoch

    Attributes after `fit`: `classes_` (classes,), `n_features_in_`, `network_` (the digitlab Network), `history_`,
    `n_iter_` (epochs). Raises ConfigError or DataError, which are ValueErrors.
    """

    classes_: Any

    def __init__(
        self,
        net: Any = (30,),
        *,
        activation: Any = "relu",
        loss: Any = "log-likelihood",
        init: Any = None,
        dropout: float = 0.0,
        scaling: Any = "/255",
        optimizer: Any = "adam",
        learning_rate: float | None = None,
        schedule: Any = "constant",
        l2: float | None = None,
        l1: float | None = None,
        max_norm: float | None = None,
        epochs: int = 30,
        batch_size: int = 10,
        valid_size: float = 0.0,
        early_stop: int = 0,
        class_weight: Any = None,
        warm_start: bool = False,
        engine: str = "auto",
        seed: int = 0,
        verbose: int = 0,
    ) -> None:
        self.net = net
        self.activation = activation
        self.loss = loss
        self.init = init
        self.dropout = dropout
        self.scaling = scaling
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.l2 = l2
        self.l1 = l1
        self.max_norm = max_norm
        self.epochs = epochs
        self.batch_size = batch_size
        self.valid_size = valid_size
        self.early_stop = early_stop
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.engine = engine
        self.seed = seed
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on X and labels y (N,); `sample_weight` (N,) says how much each example counts."""
        X, y = self._labelled(X, y, reset=True)
        classes = np.unique(y)
        if len(classes) < 2:
            raise DataError(
                f"DigitClassifier: got labels of 1 class, {classes.tolist()[0]!r}; expected at least 2 classes"
            )
        fresh = not (self.warm_start and hasattr(self, "network_"))
        if not fresh and not np.array_equal(classes, self.classes_):
            raise DataError(f"warm_start: got classes {classes}, the fit before had {self.classes_}; expected the same")
        self.classes_ = classes
        return self._learn(X, y, sample_weight, fresh=fresh)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train one epoch on a part of the data; the first call needs all `classes`.

        The state of the optimizer, such as Adam's moments, continues from call to call.
        """
        fresh = not hasattr(self, "network_")
        if fresh and classes is None:
            raise ConfigError("partial_fit: the first call needs all classes, partial_fit(X, y, classes=[0, 1, ...])")
        X, y = self._labelled(X, y, reset=fresh)
        if fresh:
            self.classes_ = np.unique(classes)
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ConfigError(f"partial_fit: got classes {classes}, the first call had {self.classes_}")
        if (unknown := ~np.isin(y, self.classes_)).any():
            raise DataError(
                f"partial_fit: got label {y[unknown].tolist()[0]!r}, expected one of the classes {self.classes_}"
            )
        return self._learn(X, y, sample_weight, fresh=fresh, epochs=1)

    def predict(self, X: Any) -> Any:
        """The class of each row or image (N,)."""
        check_is_fitted(self)
        return self.classes_[np.argmax(self._outputs(X), axis=1)]

    def predict_proba(self, X: Any) -> Any:
        """The probability of each class, (N, classes) in the order of `classes_`, rows adding up to 1."""
        return class_shares(self._outputs(X))

    def _labelled(self, X: Any, y: Any, *, reset: bool) -> tuple[Any, Any]:
        X, y = self._rows(X, reset=reset, y=y, multi_output=True)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        return X, y

    def _learn(self, X: Any, y: Any, sample_weight: Any, **how: Any) -> Self:
        labels = np.searchsorted(self.classes_, y)
        if self.class_weight is not None:
            from sklearn.utils import compute_sample_weight

            own = compute_sample_weight(self.class_weight, y)
            sample_weight = own if sample_weight is None else own * np.asarray(sample_weight)
        return self._train(X, labels, sample_weight, outputs=len(self.classes_), **how)
