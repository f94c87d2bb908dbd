"""Logistic regression and a support vector machine, from scikit-learn."""

import warnings
from typing import Any

from digitlab.baselines.base import Baseline, Features, Labels
from digitlab.errors import ConfigError

__all__ = ["LogisticRegression", "SupportVectors"]

SETTINGS = {"book": "auto", "today": "scale"}  # of scikit-learn's γ


class LogisticRegression(Baseline):
    """One layer of softmax outputs without hidden neurons, p(c | x) ∝ exp(w_c·x + b_c), fitted by L-BFGS.

    scikit-learn's LogisticRegression with its defaults (C = 1, that is ½‖w‖² added to the summed loss), at most
    `iterations` steps: on MNIST it would go on for a thousand more, overfitting.
    """

    name, about = "logistic", "softmax outputs on the pixels, no hidden layer"

    def __init__(self, iterations: int = 100) -> None:
        if iterations < 1:
            raise ConfigError(f"logistic: got iterations {iterations}, expected at least 1")
        self.iterations = iterations

    def _fit(self, x: Features, y: Labels) -> None:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression as Model

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # `learned` mentions it
            self.model = Model(max_iter=self.iterations).fit(x, y)

    def _predict(self, x: Features) -> Any:
        return self.model.predict(x)

    def described(self) -> str:
        return f"{self.about}; scikit-learn's LogisticRegression(max_iter={self.iterations})"

    def learned(self) -> str:
        steps = int(self.model.n_iter_[0])
        return f"{steps} steps" + (", stopped before convergence" if steps >= self.iterations else "")


class SupportVectors(Baseline):
    """A support vector machine with a Gaussian kernel exp(−γ‖x − x'‖²), C = 1: one against one, by vote.

    setting "book"    γ = 1/D ("auto"), scikit-learn's default when Nielsen wrote: 94.35 % on test (ch. 1, mnist_svm.py)
    setting "today"   γ = 1/(D · variance of all pixels) ("scale"), its default since version 0.22
    """

    name, about = "svm", "a support vector machine with a Gaussian kernel"

    def __init__(self, setting: str = "book") -> None:
        if setting not in SETTINGS:
            raise ConfigError(f"svm: got setting {setting!r}, expected {' or '.join(SETTINGS)}")
        self.setting = setting

    def _fit(self, x: Features, y: Labels) -> None:
        from sklearn.svm import SVC

        # The cache, in megabytes, changes how long it takes and nothing else.
        self.model = SVC(gamma=SETTINGS[self.setting], cache_size=1000).fit(x, y)

    def _predict(self, x: Features) -> Any:
        return self.model.predict(x)

    def described(self) -> str:
        return f"{self.about}; scikit-learn's SVC(gamma={SETTINGS[self.setting]!r}), setting {self.setting!r}"

    def learned(self) -> str:
        return f"{int(self.model.n_support_.sum()):,} support vectors"
