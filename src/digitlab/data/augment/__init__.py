"""Changed copies of the images, for more variety in training: `parse_augmentation("shift,rotate:10")`.

base.py      what an augmentation is; Compose, several one after another
affine.py    Shift, Rotate, Scale, Shear: straight lines stay straight
elastic.py   Elastic: neighbouring points move together
noise.py     Noise: Gaussian noise
spec.py      augmentations as text, for the command line and config.toml
warp.py      interpolation between pixels; kernels.py is its compiled twin
expand.py    a larger training set by fixed changes, as in the books
"""

from digitlab.data.augment.affine import Affine, Rotate, Scale, Shear, Shift
from digitlab.data.augment.base import Augmentation, Compose
from digitlab.data.augment.elastic import Elastic
from digitlab.data.augment.expand import expand, expanded_blocks, rotations, shifts, write_expanded
from digitlab.data.augment.noise import Noise
from digitlab.data.augment.spec import AUGMENTATIONS, parse_augmentation

__all__ = [
    "AUGMENTATIONS",
    "Affine",
    "Augmentation",
    "Compose",
    "Elastic",
    "Noise",
    "Rotate",
    "Scale",
    "Shear",
    "Shift",
    "expand",
    "expanded_blocks",
    "parse_augmentation",
    "rotations",
    "shifts",
    "write_expanded",
]
