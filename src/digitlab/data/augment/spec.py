"""Augmentations as text: "shift,rotate:10,elastic", "elastic:34:4", "elastic:alpha=34,sigma=4"."""

import dataclasses
import re

from digitlab.arguments import checked
from digitlab.data.augment.affine import Rotate, Scale, Shear, Shift
from digitlab.data.augment.base import Augmentation, Compose
from digitlab.data.augment.elastic import Elastic
from digitlab.data.augment.noise import Noise
from digitlab.errors import ConfigError, not_among

AUGMENTATIONS: dict[str, type[Augmentation]] = {
    cls.__name__.lower(): cls for cls in (Shift, Rotate, Scale, Shear, Elastic, Noise)
}


@checked
def parse_augmentation(text: str) -> Compose:
    """The augmentation that a text names, in its order; "none" and "" change nothing.

    A name, then its settings behind colons, in order or by name: "rotate", "rotate:15", "elastic:34:4",
    "elastic:alpha=34:sigma=4". A comma separates the steps (before `name=`, a setting of the same step).
    Raises ConfigError with the names there are.
    """
    if text.strip().lower() in ("", "none"):
        return Compose()
    # "elastic:alpha=34,sigma=4": a comma before "sigma=" does not begin a new step.
    return Compose(tuple(_step(part.strip()) for part in re.split(r",(?!\s*\w+\s*=)", text)))


def _step(text: str) -> Augmentation:
    name, *settings = (part.strip() for part in re.split("[:,]", text))
    cls = AUGMENTATIONS.get(name.lower())
    if cls is None:
        raise ConfigError(f"unknown augmentation {not_among(name, AUGMENTATIONS)}")
    fields = [field.name for field in dataclasses.fields(cls)]
    given: dict[str, float] = {}
    for place, setting in enumerate(settings):
        key, equals, number = setting.rpartition("=")
        key = key.strip() if equals else fields[place] if place < len(fields) else ""
        if key not in fields or key in given:
            raise ConfigError(f"augmentation {text!r}: got {setting!r}; {name} has {' and '.join(fields)}, once each")
        given[key] = _number(number, text)
    return cls(**given)


def _number(text: str, where: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ConfigError(f"augmentation {where!r}: got {text!r}, expected a number as in rotate:10") from None
    return int(number) if number.is_integer() else number
