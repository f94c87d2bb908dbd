"""Pictures and folders of them as docs/data.md lists them."""

from pathlib import Path

from data.formats.forms import DIVIDED, ONE, TEST, TRAIN, WHOLE, Case, by_name, pictures, row, write
from digitlab.data import DIGIT_NAMES


@row(ONE, "`own/3/a.png`")
def _(folder: Path) -> Case:
    return pictures(folder / "own", WHOLE), {}, by_name(WHOLE)


@row(ONE, "`own/3_a.png`")
def _(folder: Path) -> Case:
    return pictures(folder / "own", WHOLE, "{label}_{i:03}.png"), {}, by_name(WHOLE)


@row(ONE, "`own/2828_my_own_3.png`")
def _(folder: Path) -> Case:
    return pictures(folder / "own", WHOLE, "{i:04}_my_own_{label}.png")


@row(ONE, "one picture, `3_a.png` or `img_3.png`")
def _(folder: Path) -> list[Case]:
    alone = WHOLE[3:4]
    return [
        (pictures(folder, alone, f"{name}.png") / f"{name}.png", {}, alone.images) for name in ("3_a", "img_3", "3")
    ]


@row(ONE, "raw bytes, 784 per file")
def _(folder: Path) -> Case:
    for i, (image, label) in enumerate(WHOLE):
        write(folder / f"{label}_{i:03}", image.tobytes())
    return folder, {}, by_name(WHOLE)


@row(DIVIDED, "`own/train/3/a.png` and `own/test/3/b.png`")
def _(folder: Path) -> list[Case]:
    names = [("train", "test"), ("training", "testing"), ("Train", "Test"), ("train", "val")]
    for i, (train, test) in enumerate(names):
        pictures(folder / str(i) / train, TRAIN)
        pictures(folder / str(i) / test, TEST)
    return [(folder / str(i), {}, by_name(TRAIN), DIGIT_NAMES, by_name(TEST)) for i in range(len(names))]
