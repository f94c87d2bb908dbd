"""Damaged files of every kind for every reader: `python tests/attacks/fuzz.py --seconds 3600`.

A sound file is changed in a few places, and read. Each file must be read, or refused by an error of digitlab with a
message of 1,000 characters at most, in 2 s of processor time and 500 MB. Files that were not are kept in the folder
--keep, and the exit code is 1. The table at the end has a line for each kind of file: files, how many were refused, the
longest time, and the most memory that one file took (Linux only).
"""

import argparse
import gzip
import io
import json
import logging
import os
import pickle
import random
import sys
import tempfile
import time
import traceback
import warnings
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

import numpy as np

from digitlab.data import load
from digitlab.data.photos import read_digit
from digitlab.errors import DigitlabError
from digitlab.nn import load_network, mlp
from digitlab.nn.io.foreign_weights import take_weights
from digitlab.train import History, RunConfig
from digitlab.train.checkpoint import load_checkpoint, save_checkpoint
from digitlab.train.recorders import Recorded
from digitlab.train.run_list import read_note
from digitlab.train.trainer import Trainer

SECONDS, MEBIBYTES, MESSAGE = 2.0, 500, 1000
TOKENS = [
    *(b"\0" * 4, b"\xff" * 4, b"\xff\xff\xff\x7f", b"9" * 12, b"-1", b"NaN", b"1e999"),
    *(b"[[[[", b"{}", b"null", b'"', b"'"),
    *(b"\n" * 50, b",", b"\x80\x05", b"i4", b"O8", b"U99999999", b"__array_interface__", b"../", b"\x1b[2J"),
]


def saved(write, *arguments, **options):
    """What `write` writes into a file."""
    file = io.BytesIO()
    write(file, *arguments, **options)
    return file.getvalue()


def corpus():
    """Sound files by reader and name: {"data": {"a.npz": bytes, ...}, ...}."""
    from PIL import Image
    from scipy.io import savemat

    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (12, 8, 8), dtype="u1"), np.arange(12, dtype="u1") % 10
    header = bytes([0, 0, 8, 3, 0, 0, 0, 12, 0, 0, 0, 8, 0, 0, 0, 8])
    table = "\n".join(",".join(map(str, [label, *row])) for label, row in zip(labels, images.reshape(12, -1))).encode()
    shares = (images.reshape(12, -1) / 256).astype("f4")
    names = np.array([f"class {i}" for i in range(10)])
    data = {
        "a.npz": saved(np.savez, images=images, labels=labels, class_names=names),
        "b.npz": saved(np.savez_compressed, x_train=images, y_train=labels, x_test=images, y_test=labels),
        "x_train.npy": saved(np.save, images),
        "images-idx3-ubyte": header + images.tobytes(),
        "train-images-idx3-ubyte.gz": gzip.compress(header + images.tobytes()),
        "d.csv": table,
        "e.csv.gz": gzip.compress(table),
        "f.mat": saved(savemat, {"images": images, "labels": labels}),
        "g.mat": saved(savemat, {"data": images.reshape(12, -1).T, "label": labels}, do_compression=True),
        "h.pkl": pickle.dumps({"images": images, "labels": labels}),
        **{f"i{p}.pkl": pickle.dumps(((shares, labels.astype(int)),) * 3, p) for p in range(6)},
    }
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError:
        pass
    else:
        file = io.BytesIO()
        pq.write_table(pa.table({"image": [image.ravel().tolist() for image in images], "label": labels}), file)
        data["j.parquet"] = file.getvalue()
    picture = Image.fromarray(np.kron(images[0], np.ones((4, 4), "u1")))
    forms = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")
    pictures = {f"picture.{form.lower()}": saved(picture.save, form) for form in forms}
    weights, biases = [rng.normal(size=(3, 4)), rng.normal(size=(2, 3))], [rng.normal(size=3), rng.normal(size=2)]
    table = {"sizes": [4, 3, 2], "weights": weights, "biases": biases}
    networks = {
        "network.pkl": pickle.dumps(table),
        "pair.pkl": pickle.dumps((weights, biases), 2),
        "network.json": json.dumps(table, default=np.ndarray.tolist).encode(),
    }
    runs, foreign = {}, {"w.npz": saved(np.savez, **trainer().network.state())}
    with tempfile.TemporaryDirectory() as folder:
        place, network = Path(folder), mlp([4, 3, 2], seed=1)
        network.save(place / "n.safetensors")
        networks["network.safetensors"] = (place / "n.safetensors").read_bytes()
        # An old file, whose damage no checksum tells
        from safetensors.numpy import save

        from digitlab.nn.io.files import read_saved

        arrays, metadata, _ = read_saved(place / "n.safetensors")
        networks["old.safetensors"] = save(arrays, {"digitlab": json.dumps(metadata)})
        try:
            from digitlab.exporting import export_network

            export_network(network, place / "n.onnx", "onnx")
            networks["network.onnx"] = (place / "n.onnx").read_bytes()
        except DigitlabError:
            pass  # onnx is not installed
        network.save_weights(place / "w.safetensors")
        foreign["w.safetensors"] = (place / "w.safetensors").read_bytes()
        with suppress(ImportError):
            import h5py

            with h5py.File(place / "w.h5", "w") as file:
                for name, array in network.state().items():
                    file[f"layers/{name}"] = array
            foreign["w.h5"] = (place / "w.h5").read_bytes()
        trained = trainer()
        trained.fit((shares[:, :4], labels % 2), epochs=1)
        save_checkpoint(trained, place / "checkpoint.safetensors")
        RunConfig(network=network).save(place / "config.toml")
        (place / "note.toml").write_text('note = "a note"\ntags = ["one", "two"]\n')
        History([{"epoch": 1, "train_loss": 0.5, "seconds": 0.1}]).save(place / "history.jsonl")
        Recorded(np.arange(2), images.reshape(2, -1), images.reshape(2, -1)[0], "valid").save(place / "predictions.npz")
        for name in ("config.toml", "history.jsonl", "predictions.npz", "checkpoint.safetensors", "note.toml"):
            runs[name] = (place / name).read_bytes()
    return {"data": data, "pictures": pictures, "networks": networks, "weights": foreign, "runs": runs}


def write_partners(folder):
    """The sound files of labels that belong to files of images alone."""
    labels = np.arange(12, dtype="u1") % 10
    content = bytes([0, 0, 8, 1, 0, 0, 0, 12]) + labels.tobytes()
    (folder / "labels-idx1-ubyte").write_bytes(content)
    (folder / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(content))
    np.save(folder / "y_train.npy", labels)


def trainer():
    return Trainer(mlp([4, 3, 2], seed=1), "momentum:0.1", engine="reference")


def read_run(path):
    """A file of a run's folder."""
    if path.name == "config.toml":
        RunConfig.load(path, run=True).trainer()
    elif path.name == "history.jsonl":
        History.load(path)
    elif path.name == "checkpoint.safetensors":
        load_checkpoint(trainer(), path)
    elif path.name == "note.toml":
        read_note(path.parent)
    else:
        Recorded.load(path)


def read_weights(path):
    """Weights of another program."""
    take_weights(trainer().network, path)


READERS = {"data": load, "pictures": read_digit, "networks": load_network, "weights": read_weights, "runs": read_run}


def mutated(rng, content, others):
    """The content with one to sixteen changes: flipped bits, other bytes, pieces cut, repeated, or of other files."""
    content = bytearray(content)
    for _ in range(rng.choice([1, 1, 1, 2, 4, 16])):
        at = rng.randrange(len(content) + 1 if rng.random() < 0.6 else min(len(content), 300) + 1)
        kind, token = rng.randrange(9), rng.choice(TOKENS)
        if kind == 0 and at < len(content):
            content[at] ^= 1 << rng.randrange(8)
        elif kind == 1 and at < len(content):
            content[at] = rng.randrange(256)
        elif kind == 2:
            content[at:at] = token
        elif kind == 3:
            del content[at : at + rng.randrange(40)]
        elif kind == 4 and rng.random() < 0.3:
            del content[at:]
        elif kind == 5:
            content[at : at + len(token)] = token
        elif kind == 6:
            content[at:at] = content[at : at + rng.randrange(60)]
        elif kind == 7:
            other = rng.choice(others)
            start = rng.randrange(len(other))
            content[at:at] = other[start : start + rng.randrange(60)]
        elif kind == 8:
            number = rng.choice([0, 1, 1000, 2**28, 2**31 - 1, 2**32 - 1])
            content[at : at + 4] = number.to_bytes(4, rng.choice(["little", "big"]))
    return bytes(content)


PROCESS = Path("/proc/self")  # where Linux tells of this process


def memory(kind):
    """The memory that this process holds, in MiB: "VmRSS" now, "VmHWM" at most since `forget`; 0 but on Linux."""
    if not (PROCESS / "status").exists():
        return 0
    line = next(line for line in (PROCESS / "status").read_text().splitlines() if line.startswith(kind))
    return int(line.split()[1]) / 1024


def forget():
    """Let "VmHWM" begin again."""
    if (PROCESS / "clear_refs").exists():
        (PROCESS / "clear_refs").write_text("5")


class Outcome:
    """What became of the files of one kind."""

    def __init__(self):
        self.files = self.refused = 0
        self.slowest = self.largest = 0.0
        self.faults = []

    def read(self, read, path):
        """Read a file, and note whether it was read or refused as it should be."""
        self.files += 1
        forget()
        held, began = memory("VmRSS"), time.process_time()
        try:
            read(path)
        except DigitlabError as error:
            self.refused += 1
            if not str(error) or len(str(error)) > MESSAGE:
                self.faults.append(f"{path.name}: the message has {len(str(error))} characters: {error!s:.100}")
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.faults.append(
                f"{path.name}: {type(error).__name__} in {where.filename}:{where.lineno}: {error!s:.100}"
            )
        seconds, taken = time.process_time() - began, memory("VmHWM") - held
        self.slowest, self.largest = max(self.slowest, seconds), max(self.largest, taken)
        if seconds > SECONDS or taken > MEBIBYTES:
            self.faults.append(f"{path.name}: took {seconds:.1f} s and {taken:.0f} MiB")


def attack(name, sound, outcomes, rng, folder, files=1):
    """Let a reader read so many damaged files; `outcomes` are by reader and kind. Returns the last kind and content."""
    everything = [content for some in sound.values() for content in some.values()]
    kind, content = "", b""
    for _ in range(files):
        path = folder / rng.choice(list(sound[name]))
        content = mutated(rng, sound[name][path.name], everything)
        path.write_bytes(content)
        kind = path.name if name == "runs" else "".join(path.suffixes) or path.name
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            outcomes[name, kind].read(READERS[name], path)
    return kind, content


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--files", type=int, default=10**9, help="stop after so many files")
    parser.add_argument("--reader", choices=READERS, help="one reader instead of all in turns")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.set_defaults(faults=False)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-faults"))
    given = parser.parse_args()
    given.keep = given.keep.absolute()
    logging.disable()
    sound, rng, end = corpus(), random.Random(given.seed), time.monotonic() + given.seconds
    names = [given.reader] if given.reader else list(READERS)
    outcomes = defaultdict(Outcome)
    files = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        write_partners(Path(folder))
        while time.monotonic() < end and files < given.files:
            for name in names:
                files += 1
                kind, content = attack(name, sound, outcomes, rng, Path(folder))
                faults = outcomes[name, kind].faults
                for fault in faults:
                    print(f"{name}: {fault}", flush=True)
                    given.keep.mkdir(parents=True, exist_ok=True)
                    (given.keep / f"{name}-{files}-{fault.partition(':')[0]}").write_bytes(content)
                given.faults = given.faults or bool(faults)
                faults.clear()
        os.chdir("/")
    print(f"seed {given.seed}\n{'reader':10} {'kind':24} {'files':>8} {'refused':>8} {'s':>6} {'MiB':>5}")
    for (name, kind), outcome in sorted(outcomes.items()):
        figures = f"{outcome.files:8,} {outcome.refused:8,} {outcome.slowest:6.2f} {outcome.largest:5.0f}"
        print(f"{name:10} {kind:24} {figures}")
    refused = sum(outcome.refused for outcome in outcomes.values())
    print(f"{files:,} files, {refused:,} refused, at most {memory('VmRSS'):.0f} MiB in the process at the end")
    return int(given.faults)


if __name__ == "__main__":
    sys.exit(main())
