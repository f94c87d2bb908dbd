"""A network as a scikit-learn regressor."""

from typing import Any, Self

from sklearn.base import RegressorMixin

from digitlab.estimators.base import NetworkEstimator, estimator

__all__ = ["NetworkRegressor"]


@estimator
class NetworkRegressor(RegressorMixin, NetworkEstimator):  # type: ignore[misc]
    """A network that fits numbers by the mean squared error, as a scikit-learn estimator.

    X are rows (N, features) or images, y numbers (N,) or (N, outputs). Scale both to about −1 to 1 before, for
    instance by StandardScaler and TransformedTargetRegressor: a network learns slowly from large numbers.

    net         sizes of the hidden layers, such as (100,)
    {settings}
    valid_size  share or number of training examples that are set aside: the best epoch on them is kept, and
                `early_stop` counts by them; 0 uses none, and `early_stop` then counts by the training loss
    warm_start  whether `fit` continues from the weights of the fit before
    verbose     1 prints a line per epoch

    Attributes after `fit`: `n_features_in_`, `network_` (the digitlab Network), `history_`, `n_iter_` (epochs).
    Raises ConfigError or DataError, which are ValueErrors.
    """

    _output_loss = "mean-squared-error"

    def __init__(
        self,
        net: Any = (30,),
        *,
        activation: Any = "relu",
        init: Any = None,
        dropout: float = 0.0,
        scaling: Any = "/255",
        optimizer: Any = "adam",
        learning_rate: float | None = None,
        schedule: Any = "constant",
        l2: float | None = None,
        l1: float | None = None,
        max_norm: float | None = None,
        epochs: int = 100,
        batch_size: int = 10,
        valid_size: float = 0.0,
        early_stop: int = 0,
        warm_start: bool = False,
        engine: str = "auto",
        seed: int = 0,
        verbose: int = 0,
    ) -> None:
        self.net = net
        self.activation = activation
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
        self.warm_start = warm_start
        self.engine = engine
        self.seed = seed
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on X and numbers y; `sample_weight` (N,) says how much each example counts."""
        return self._learn(X, y, sample_weight, fresh=not (self.warm_start and hasattr(self, "network_")))

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train one epoch on a part of the data."""
        return self._learn(X, y, sample_weight, fresh=not hasattr(self, "network_"), epochs=1)

    def predict(self, X: Any) -> Any:
        """The numbers for each row or image: (N,) or (N, outputs), as y was, in float64."""
        outputs = self._outputs(X).astype("float64")
        return outputs[:, 0] if self._flat_targets else outputs

    def _learn(self, X: Any, y: Any, sample_weight: Any, *, fresh: bool, epochs: int | None = None) -> Self:
        X, y = self._rows(X, reset=fresh, y=y, multi_output=True, y_numeric=True)
        self._flat_targets = y.ndim == 1
        y = y.reshape(len(y), -1).astype("float32")  # (N, outputs)
        return self._train(X, y, sample_weight, outputs=y.shape[1], fresh=fresh, epochs=epochs)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
