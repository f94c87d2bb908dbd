"""The estimators keep every rule of scikit-learn's check_estimator."""


def test_check_estimator(elsewhere):
    elsewhere("estimators")
