"""Warnings that a user can act on; the command line shows each as one line."""


class DataWarning(UserWarning):
    """Data can be read and are hardly meant so: a set with a single class, a picture that had to be skipped."""


class TrainingWarning(UserWarning):
    """A training ended without an error and went badly: what the doctor names first (doctor/callback.py)."""
