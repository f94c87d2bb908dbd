"""The settings of one training: fields of `RunConfig`, arguments of `Trainer`, entries of config.toml, options."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict

from digitlab.settings.schema import Setting

if TYPE_CHECKING:
    from digitlab.gradients import Gradient
    from digitlab.optim import Optimizer, Schedule
    from digitlab.optim.regularizers import Regularizer
    from digitlab.train.averaging import Averaging


def named(name: str) -> Any:
    """A member of a family by name, as a default: RunConfig builds it."""
    return name


@dataclass(frozen=True, eq=False)
class TrainingSettings:
    """Everything that decides a training. A new setting is one more field here."""

    network: Annotated[dict[str, Any], Setting("The network's table.", flags=None, search=False, trainer=False)]
    data: Annotated[
        dict[str, Any], Setting("Arguments of `digitlab.load` without `part`.", flags=None, search=False, trainer=False)
    ] = field(default_factory=lambda: {"source": "mnist"})
    optimizer: Annotated[
        "Optimizer",
        Setting("Optimizer of the weights: sgd, momentum, nesterov, adam ...", family="optimizer", plural="optimizers"),
    ] = field(default=named("sgd"))
    schedule: Annotated[
        "Schedule",
        Setting(
            "Schedule of the learning rate: constant, step, exponential, cosine, cyclic, one-cycle, halve.",
            family="schedule",
            plural="schedules",
            usual="constant",
        ),
    ] = field(default=named("constant"))
    regularizers: Annotated[
        "tuple[Regularizer, ...]",
        Setting(
            "List of regularizers; their λ is divided by the number of training examples.",
            family="regularizer",
            flags=None,
            search=False,
        ),
    ] = ()
    gradient: Annotated[
        "Gradient",
        Setting("Method that computes the gradient.", family="gradient", usual="backpropagation", plural="gradients"),
    ] = field(default=named("backpropagation"))
    averaging: Annotated[
        "Averaging", Setting("Averaging of the weights: swa, ema.", family="averaging", usual="none", trainer=False)
    ] = field(default=named("none"))
    epochs: Annotated[int, Setting("Number of passes through the training set.", ge=1, metavar="N", trainer=False)] = 30
    batch_size: Annotated[int, Setting("Number of examples per step.", ge=1, metavar="N")] = 10
    augment: Annotated[
        str,
        Setting(
            "Changes of the training images, new in every epoch, such as shift,rotate:10,elastic.",
            metavar="CHANGES",
            usual="none",
        ),
    ] = ""
    class_weights: Annotated[
        Any,
        Setting(
            "Weight of the examples of each class: balanced (all classes count alike), or 0:2,7:1.5 (others 1).",
            metavar="WEIGHTS",
            usual="all images count alike",
        ),
    ] = ""
    sample_weights: Annotated[
        str,
        Setting(
            "File (text, CSV or .npy) with the weight of each training image, one number per image.",
            metavar="FILE",
            usual="-",
            trainer=False,
        ),
    ] = ""
    start: Annotated[
        str,
        Setting(
            "Run, file or `shipped` network to start from; the settings of a run are kept unless you give others.",
            flags=("--from",),
            metavar="NET",
            usual="-",
            search=False,
            trainer=False,
        ),
    ] = ""
    shuffle: Annotated[
        bool,
        Setting(
            "Order of the training images: new in every epoch, or that of the file.",
            flags=("--shuffle/--file-order",),
            usual="--shuffle",
        ),
    ] = True
    early_stop: Annotated[
        int,
        Setting(
            "Number of epochs without improvement after which training stops; 0: never.",
            ge=0,
            metavar="N",
            trainer=False,
        ),
    ] = 0
    keep: Annotated[
        Literal["best", "last"], Setting("Epoch whose network is kept: the best one, or the last.", search=False)
    ] = "best"
    monitor: Annotated[
        str,
        Setting(
            "Column of the history that says how good an epoch was.",
            metavar="COLUMN",
            usual="valid_accuracy",
            search=False,
        ),
    ] = ""
    evaluate_train: Annotated[
        bool, Setting("Also measure loss and accuracy on the training set after each epoch.", usual="-")
    ] = False
    engine: Annotated[
        Literal["auto", "fast", "reference", "torch", "torch-compiled", "cupy", "pure"],
        Setting("Engine that computes the training.", search=False),
    ] = "auto"
    device: Annotated[
        str, Setting("Device of the torch and cupy engines: cpu, cuda.", metavar="NAME", search=False)
    ] = "cpu"
    mixed_precision: Annotated[
        bool,
        Setting(
            "Compute matrix products and convolutions in bfloat16 (engines torch and torch-compiled).",
            usual="-",
            search=False,
        ),
    ] = False
    deterministic: Annotated[
        bool,
        Setting(
            "Compute the same bits with any number of threads: one BLAS thread; engines that cannot are refused.",
            usual="-",
            search=False,
        ),
    ] = False
    seed: Annotated[
        int, Setting("Seed of weights, shuffling, dropout and augmentation.", ge=0, metavar="N", search=False)
    ] = 0


class ShortSettings(TypedDict, total=False):
    """Settings that stand inside another table of a settings file, under a name of their own."""

    learning_rate: Annotated[
        float,
        Setting(
            "Learning rate η.",
            gt=0,
            metavar="η",
            place=("optimizer", "learning_rate"),
            usual="by loss, activation, optimizer and batch size; 3 for the default network",
        ),
    ]
    l2: Annotated[
        float,
        Setting(
            "Weight decay λ, as in the book: divided by the number of training images.",
            ge=0,
            metavar="λ",
            place=("regularizers", "L2", "strength"),
            usual="0",
        ),
    ]
    l1: Annotated[
        float,
        Setting(
            "L1 regularization λ, as in the book: divided by the number of training images.",
            ge=0,
            metavar="λ",
            place=("regularizers", "L1", "strength"),
            usual="0",
        ),
    ]
    max_norm: Annotated[
        float,
        Setting(
            "Maximum length of the weight vector into a neuron.",
            gt=0,
            metavar="LENGTH",
            place=("regularizers", "MaxNorm", "limit"),
            usual="no limit",
        ),
    ]
