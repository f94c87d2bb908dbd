"""Arrays and IDX files as docs/data.md lists them."""

import gzip
import pickle
from pathlib import Path

import numpy as np
import scipy.io

from data.formats.forms import DIVIDED, FASHION, LETTERS, ONE, TEST, TRAIN, WHOLE, Case, flat, idx, pickled, row, write
from digitlab.data import DIGIT_NAMES, Digits, write_idx, write_npz
from digitlab.data.formats.shared.families import FAMILIES


@row(DIVIDED, "Keras's `mnist.npz`")
def _(folder: Path) -> Path:
    write_npz(folder / "mnist.npz", TRAIN, TEST)
    return folder / "mnist.npz"


@row(ONE, "`.npz` with `images` and `labels`, and `class_names`")
def _(folder: Path) -> list[Case]:
    named = Digits(WHOLE.images, WHOLE.labels, "abcdefghij")
    write_npz(folder / "a.npz", WHOLE)
    write_npz(folder / "named.npz", named)
    return [(folder / "a.npz",), (folder / "named.npz", {}, WHOLE.images, named.class_names)]


@row(ONE, "`.npz` with other names")
def _(folder: Path) -> list[Case]:
    x, y = flat(WHOLE), WHOLE.labels
    forms = [
        {"X": x, "y": y},
        {"data": x, "target": y},
        {"x": WHOLE.images[..., None], "labels": y[:, None]},
        {"arr_0": x, "arr_1": y},
        {"images": WHOLE.images[:, None], "labels": np.eye(10)[y]},
        {"images": x / 255, "labels": y.astype(float)},
        {"features": x.astype(np.int64), "class": y.astype(str)},
    ]
    paths = [folder / f"{i}.npz" for i in range(len(forms))]
    for path, arrays in zip(paths, forms):
        np.savez(path, **arrays)
    return [(path,) for path in paths]


@row(DIVIDED, "`.npz` or `.npy` with one array per set")
def _(folder: Path) -> list[Case]:
    names = [
        "train_images train_labels test_images test_labels",
        "trainX trainY testX testY",
        "X_tr y_tr X_te y_te",
        "training_data training_target testing_data testing_target",
    ]
    cases: list[Case] = []
    for i, some in enumerate(names):
        arrays = dict(zip(some.split(), (flat(TRAIN), TRAIN.labels, TEST.images, TEST.labels)))
        np.savez(folder / f"{i}.npz", **arrays)
        (folder / str(i)).mkdir()
        for name, array in arrays.items():
            np.save(folder / str(i) / f"{name}.npy", array)
        cases += [(folder / f"{i}.npz",), (folder / str(i),)]
    return cases


@row(ONE, "`images.npy` beside `labels.npy`")
def _(folder: Path) -> list[Case]:
    np.save(folder / "images.npy", WHOLE.images)
    np.save(folder / "labels.npy", WHOLE.labels)
    return [(folder,), (folder / "images.npy",), (folder / "labels.npy",)]


@row(DIVIDED, "Nielsen's `mnist.pkl.gz`")
def _(folder: Path) -> Case:
    pairs = [((flat(part) / np.float32(256)).astype(np.float32), part.labels) for part in (TRAIN, TEST.first(5), TEST)]
    packed = gzip.compress(pickle.dumps(tuple(pairs), 2))
    joined = np.concatenate([TRAIN.images, TEST.images[:5]])  # with "60k/10k" validation joins training
    return write(folder / "mnist.pkl.gz", packed), {}, joined


@row(DIVIDED, '`mnist.pkl` of "Deep Learning from Scratch"')
def _(folder: Path) -> list[Case]:
    value = {"train_img": flat(TRAIN), "train_label": TRAIN.labels, "test_img": flat(TEST), "test_label": TEST.labels}
    return [(pickled(folder / f"{p}.pkl", value, p),) for p in (0, 2, 5)]


@row(DIVIDED, "pickled pairs ((x, y), (x, y))")
def _(folder: Path) -> list[Case]:
    pairs = ((TRAIN.images, TRAIN.labels), (TEST.images, TEST.labels))
    nested = {part: {"x": flat(d), "y": d.labels} for part, d in (("train", TRAIN), ("test", TEST))}
    return [(pickled(folder / "pairs.pkl", pairs),), (pickled(folder / "nested", nested),)]


@row(ONE, "a pickled dictionary, or a pair (images, labels)")
def _(folder: Path) -> list[Case]:
    byte_names = {b"data": flat(WHOLE), b"labels": WHOLE.labels.tolist(), b"batch_label": b"1"}
    values = [
        {"data": flat(WHOLE), "target": WHOLE.labels},
        byte_names,
        (WHOLE.images, WHOLE.labels),
        {"images": list(WHOLE.images), "labels": [str(label) for label in WHOLE.labels]},
    ]
    return [(pickled(folder / f"{i}.pkl", value),) for i, value in enumerate(values)]


@row(ONE, "`mnist-original.mat`")
def _(folder: Path) -> Path:
    scipy.io.savemat(folder / "m.mat", {"data": flat(WHOLE).T, "label": WHOLE.labels[None].astype(float)})
    return folder / "m.mat"


@row(DIVIDED, "`mnist_all.mat`")
def _(folder: Path) -> Case:
    by_class = {f"{p}{c}": flat(d)[d.labels == c] for p, d in (("train", TRAIN), ("test", TEST)) for c in range(10)}
    scipy.io.savemat(folder / "mnist_all.mat", by_class)
    order = [np.argsort(d.labels, kind="stable") for d in (TRAIN, TEST)]
    return folder / "mnist_all.mat", {}, TRAIN.images[order[0]], DIGIT_NAMES, TEST.images[order[1]]


@row(DIVIDED, "`emnist-letters.mat`")
def _(folder: Path) -> Case:
    sets = {
        part: {"images": d.images.swapaxes(1, 2).reshape(len(d), -1), "labels": d.labels[:, None] + 1.0}
        for part, d in (("train", TRAIN), ("test", TEST))
    }
    scipy.io.savemat(folder / "emnist-letters.mat", {"dataset": sets})
    return folder / "emnist-letters.mat", {}, TRAIN.images, LETTERS


@row(DIVIDED, "four IDX files")
def _(folder: Path) -> list[Case]:
    names = [
        "train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte",
        "train-images.idx3-ubyte train-labels.idx1-ubyte t10k-images.idx3-ubyte t10k-labels.idx1-ubyte",
        "train-images-idx3-ubyte train-labels-idx1-ubyte test-images-idx3-ubyte test-labels-idx1-ubyte",
        "train_images.idx train_labels.idx test_images.idx test_labels.idx",
    ]
    cases: list[Case] = []
    for i, four in enumerate(names):
        cases += [(idx(folder / str(i), *four.split()),), (idx(folder / f"{i}z", *(f"{n}.gz" for n in four.split())),)]
    return cases


@row(DIVIDED, "IDX files in `raw`, `MNIST/raw` or `data`")
def _(folder: Path) -> list[Case]:
    four = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]
    for below in ("a/raw", "b/MNIST/raw", "c/data"):
        idx(folder / below, *four)
    return [(folder / name,) for name in "abc"]


@row(DIVIDED, "Fashion-MNIST, KMNIST, EMNIST, QMNIST")
def _(folder: Path) -> list[Case]:
    four = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]
    idx(folder / "fashion", *four)
    letters = folder / "emnist"
    for part, d in (("train", TRAIN), ("test", TEST)):
        write_idx(letters / f"emnist-letters-{part}-images-idx3-ubyte.gz", d.images.swapaxes(1, 2))
        write_idx(letters / f"emnist-letters-{part}-labels-idx1-ubyte.gz", d.labels + 1)
    return [
        (folder / "fashion", {}, TRAIN.images, FASHION),
        (letters, {}, TRAIN.images, LETTERS),
        (f"kmnist:{folder / 'fashion'}", {}, TRAIN.images, FAMILIES["kmnist"].class_names),
    ]


@row(ONE, "two IDX files, images and labels")
def _(folder: Path) -> list[Case]:
    idx(folder, "my-images-idx3-ubyte", "my-labels-idx1-ubyte.gz")
    idx(folder / "train", "train-images-idx3-ubyte", "train-labels-idx1-ubyte")
    named = {"class_names": tuple("abcdefghij")}
    return [
        (folder / "my-images-idx3-ubyte",),
        (folder / "my-labels-idx1-ubyte.gz",),
        (folder / "train",),
        (folder / "my-images-idx3-ubyte", named),
    ]
