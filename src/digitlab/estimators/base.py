"""What the two estimators share: settings, training, and the network in a pickle."""

import math
import tempfile
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import check_is_fitted, validate_data

from digitlab.engine.select import predict
from digitlab.errors import DataError
from digitlab.nn import Network, describe_network, load_network, mlp
from digitlab.nn.examples import inputs
from digitlab.nn.zoo import recipe
from digitlab.settings.data import DataSettings
from digitlab.settings.network import NetworkSettings
from digitlab.settings.schema import check_settings, settings_of, settings_text
from digitlab.settings.training import ShortSettings, TrainingSettings
from digitlab.train import History, PlainLines
from digitlab.train.config import RunConfig, with_setting

# Arguments of a training, declared in settings/: those of RunConfig, and those inside its tables.
TRAINING = ("optimizer", "schedule", "epochs", "batch_size", "early_stop", "engine", "seed")
SHORT = ("learning_rate", "l2", "l1", "max_norm")
NETWORK = ("activation", "init", "dropout", "scaling")


def estimator(cls: type["NetworkEstimator"]) -> Any:
    """Decorate an estimator: its docstring lists its settings with the help of their declarations."""
    declared = settings_of(TrainingSettings) | settings_of(ShortSettings) | settings_of(NetworkSettings)
    listed = [s for name in cls._get_param_names() if (s := declared.get(name)) is not None and name != "net"]
    cls.__doc__ = (cls.__doc__ or "").replace("{settings}", settings_text(listed).replace("\n", "\n    "))
    return cls


class NetworkEstimator(BaseEstimator):  # type: ignore[misc]
    """Base of the estimators. A subclass writes out its arguments, as scikit-learn wants them, and adds `predict`."""

    _output_loss: ClassVar[str] = ""  # the loss of a chain of dense layers, where no argument names one
    net: Any
    warm_start: bool
    valid_size: float
    verbose: int
    seed: int
    _image_shape: tuple[int, ...] | None
    network_: Network
    history_: History
    _optimizer_state: tuple[str, Any]  # the optimizer, and its state after the last epoch

    def _rows(self, X: Any, *, reset: bool, **checks: Any) -> Any:
        """X as rows (N, features), and y if given, checked as scikit-learn does; images (N, H, W[, C]) are joined."""
        shape: tuple[int, ...] = getattr(X, "shape", ())
        if len(shape) in (3, 4):
            if reset:
                self._image_shape = tuple(shape[1:])
            X = np.asarray(X).reshape(shape[0], -1)
        elif reset:
            self._image_shape = None
        return validate_data(self, X, reset=reset, dtype=[np.float64, np.float32, np.uint8], **checks)

    def _built(self, outputs: int) -> Network:
        """The network with fresh weights: dense layers, or a network of the zoo by name."""
        if isinstance(self.net, str):
            found = recipe(self.net)
            return found.build(input_shape=self._shape_of_images(), classes=outputs, seed=self.seed)
        hidden = [self.net] if isinstance(self.net, int) else list(self.net)
        given = {name: getattr(self, name) for name in NETWORK}
        chosen = {name: value for name, value in given.items() if value is not None}
        loss = getattr(self, "loss", self._output_loss)
        return mlp([self.n_features_in_, *hidden, outputs], loss=loss, seed=self.seed, **chosen)

    def _shape_of_images(self) -> tuple[int, ...]:
        """The shape of one image; rows are taken as square grey images."""
        if self._image_shape is not None:
            return self._image_shape
        side = math.isqrt(self.n_features_in_)
        if side * side != self.n_features_in_:
            raise DataError(
                f"{type(self).__name__}: rows of {self.n_features_in_} numbers are no square images; "
                "pass images of shape (N, H, W) or (N, H, W, C)"
            )
        return (side, side)

    def _train(
        self, X: Any, y: Any, sample_weight: Any, *, outputs: int, fresh: bool, epochs: int | None = None
    ) -> Self:
        """Train on rows and targets: a new network if `fresh`, else the present one."""
        check_settings(DataSettings, {"valid_size": self.valid_size})
        weights = None
        if sample_weight is not None:
            weights = np.asarray(sample_weight, np.float64)
            if not weights.any():
                raise DataError("sample_weight: every weight is zero; expected a weight above 0 for some examples")
            weights = weights / weights.mean()  # only ratios count, as everywhere in scikit-learn
        table: dict[str, Any] = {"network": describe_network(self._built(outputs) if fresh else self.network_)}
        table |= {name: getattr(self, name) for name in TRAINING}
        for name in SHORT:
            if (value := getattr(self, name)) is not None:
                check_settings(ShortSettings, {name: value})
                table = with_setting(table, name, value)
        if epochs is not None:
            table |= {"epochs": epochs, "early_stop": 0}
        trainer = RunConfig.from_table(table).trainer([PlainLines()] if self.verbose else [])
        trainer.network.scaling_is_explicit = True  # pixels in any dtype are scaled, as scikit-learn's users have them
        if not fresh:
            trainer.network.load_state(self.network_.state())
            trainer.network.input_range = self.network_.input_range
            kept = getattr(self, "_optimizer_state", None)
            if epochs is not None and kept is not None and kept[0] == repr(trainer.optimizer):
                trainer.optimizer_state = kept[1]  # partial_fit continues Adam's moments and the like
        valid = None
        if self.valid_size and epochs is None:
            parts = train_test_split(
                *(X, y) if weights is None else (X, y, weights), test_size=self.valid_size, random_state=self.seed
            )
            X, valid_x, y, valid_y = parts[:4]
            valid = (valid_x, valid_y)
            weights = parts[4] if weights is not None else None
        trainer.fit((X, y), valid, epochs=table["epochs"], sample_weights=weights)
        if trainer.interrupted:
            raise KeyboardInterrupt
        if (known := trainer.network.input_range) is not None and not known.pixels:
            trainer.network.input_range = None  # as scikit-learn's, it answers outside of its training range
        self.network_, self.history_ = trainer.network, trainer.history
        self.n_iter_ = len(trainer.history)
        self._optimizer_state = (repr(trainer.optimizer), trainer.optimizer_state)
        return self

    def _outputs(self, X: Any) -> Any:
        """The network's outputs (N, out) for rows or images."""
        check_is_fitted(self)
        return predict(self.network_, inputs(self._rows(X, reset=False), self.network_, "X"))

    def __getstate__(self) -> dict[str, Any]:
        """The state for pickles and copies: the network as the bytes of a network file, all else as it is."""
        state = dict(super().__getstate__())
        if "network_" in state:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "network.safetensors"
                state["network_"].save(path)
                state["network_"] = path.read_bytes()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if isinstance(state.get("network_"), bytes):
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "network.safetensors"
                path.write_bytes(state["network_"])
                state = {**state, "network_": load_network(path)}
            state["network_"].scaling_is_explicit = True
        super().__setstate__(state)
