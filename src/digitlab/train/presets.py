"""Recipes for a whole training: a network, its data and every setting, chosen on the validation set and then fixed.

Nothing here was chosen by looking at test images: settings were compared on the last 10,000 published training images.
Only then does a recipe train on all 60,000, where its last network is the one that counts.
"""

from dataclasses import dataclass, field
from typing import Any

from digitlab.errors import ConfigError, not_among


@dataclass(frozen=True)
class Preset:
    """A recipe: what it is for, the network's name in the zoo, and tables as in a settings file (config.py)."""

    about: str
    net: str
    data: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    members: int = 0  # networks of an ensemble; 0 for a single network


_BEST: dict[str, Any] = {
    "epochs": 14,
    "batch_size": 128,
    "optimizer": {"type": "AdamW", "learning_rate": 0.006, "weight_decay": 0.01},
    "schedule": {"type": "OneCycle", "warmup": 0.15, "start": 20.0, "end": 1000.0},
    "augment": "shift:2,rotate:10,scale,shear",
    "keep": "last",
}

PRESETS = {
    "sprint": Preset(
        "99 % as fast as possible: one epoch of three small convolutions with BatchNorm and smoothed labels",
        "sprint-light",
        {"source": "mnist", "split": "60k/10k"},
        {
            "epochs": 1,
            "batch_size": 64,
            "optimizer": {"type": "Adam", "learning_rate": 0.02},
            "schedule": {"type": "OneCycle", "warmup": 0.25, "start": 5.0, "end": 1000.0},
            "keep": "last",
        },
    ),
    "minute": Preset(
        "99.5 % in a minute or two: two convolutions, dropout, images randomly shifted, rotated and scaled",
        "best-light",
        {"source": "mnist", "split": "60k/10k"},
        {
            "epochs": 12,
            "batch_size": 64,
            "optimizer": {"type": "Adam", "learning_rate": 0.003},
            "schedule": {"type": "OneCycle", "warmup": 0.2, "start": 10.0, "end": 1000.0},
            "augment": "shift,rotate:10,scale",
            "keep": "last",
        },
    ),
    "best": Preset(
        "the most accurate network: five convolutions with BatchNorm, images shifted, rotated, scaled and sheared",
        "best",
        {"source": "mnist", "split": "60k/10k"},
        _BEST,
    ),
    "ensemble": Preset(
        "five networks of the preset best, trained from different seeds; the mean of their outputs",
        "best",
        {"source": "mnist", "split": "60k/10k"},
        _BEST,
        members=5,
    ),
}


def preset(name: str) -> Preset:
    """The recipe of that name. Raises ConfigError."""
    if name not in PRESETS:
        raise ConfigError(f"unknown preset {not_among(name, PRESETS)}")
    return PRESETS[name]
