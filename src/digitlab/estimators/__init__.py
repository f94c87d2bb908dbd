"""Networks as scikit-learn estimators, for its pipelines, searches and cross-validation.

classifier.py   DigitClassifier: classes of any kind, numbers or text
regressor.py    NetworkRegressor: one number or several
base.py         what both share: settings, training, the network in a pickle
"""

from digitlab.estimators.classifier import DigitClassifier
from digitlab.estimators.regressor import NetworkRegressor

__all__ = ["DigitClassifier", "NetworkRegressor"]
