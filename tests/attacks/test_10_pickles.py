"""A pickle runs nothing and reads nothing: names are refused wherever they are, and attributes are never NumPy's.

tests/test_restricted_pickle.py has each instruction.
"""

import itertools
import pickle

import numpy as np
import pytest

from digitlab import restricted_pickle
from digitlab.data import load
from digitlab.errors import DigitlabError
from digitlab.nn import load_network

NAMES = [
    *(
        b"os\nsystem",
        b"posix\nsystem",
        b"builtins\neval",
        b"builtins\nexec",
        b"builtins\ngetattr",
        b"builtins\n__import__",
    ),
    *(
        b"subprocess\nPopen",
        b"numpy\nload",
        b"numpy\nfromfile",
        b"numpy\nmemmap",
        b"numpy.testing._private.utils\nrunstring",
    ),
    *(b"pickle\nloads", b"io\nopen", b"importlib\nimport_module", b"operator\nattrgetter", b"functools\npartial"),
    *(
        b"ctypes\nstring_at",
        b"numpy.core.multiarray\nfromstring",
        b"numpy\nndarray.tofile",
        b"digitlab.files\nwrite_text",
    ),
]
ARGUMENT = b"(Vtouch executed\ntR"
PLACES = {
    "alone": lambda call: call + b".",
    "in a list": lambda call: b"(l" + call + b"a.",
    "in a dictionary": lambda call: b"(dVweights\n" + call + b"s.",
    "as a key": lambda call: b"(d" + call + b"I1\ns.",
    "as an attribute": lambda call: b"cnetwork\nNetwork\n)\x81}Vweights\n" + call + b"sb.",
    "as an array's state": lambda call: b"cnumpy.core.multiarray\n_reconstruct\n(tR(" + call + b"tb.",
    "dropped": lambda call: call + b"0N.",
    "in the memo": lambda call: call + b"q\x000h\x00.",
    "in a set": lambda call: b"\x8f(" + call + b"\x90.",
    "as an argument": lambda call: b"c_codecs\nencode\n(" + call + b"tR.",
}
WAYS = {
    "REDUCE": lambda name: b"c" + name + b"\n" + ARGUMENT,
    "INST": lambda name: b"(Vtouch executed\ni" + name + b"\n",
    "OBJ": lambda name: b"(c" + name + b"\nVtouch executed\no",
    "NEWOBJ": lambda name: b"c" + name + b"\n(Vtouch executed\nt\x81",
    "STACK_GLOBAL": lambda name: b"V" + name.replace(b"\n", b"\nV") + b"\n\x93" + ARGUMENT,
}


def test_every_name_in_every_place(tmp_path, monkeypatch, attempts):
    monkeypatch.chdir(tmp_path)
    cases = list(itertools.product(NAMES, PLACES.values(), WAYS.values()))
    for name, place, way in cases[:: 1 if attempts.long else 7]:
        with pytest.raises(DigitlabError):
            restricted_pickle.load(place(way(name)), allowed=("network.Network",))
        attempts.count()
    assert not list(tmp_path.iterdir())


SPECIAL = ("__array_interface__", "__array_struct__", "__array__", "__class__", "__dict__", "__reduce__", "__len__")


@pytest.mark.parametrize("name", SPECIAL)
@pytest.mark.parametrize("where", ["weights", "network"])
def test_attributes_are_never_numpys(name, where, tmp_path, attempts):
    """An `__array_interface__` names a place in memory, which NumPy would read."""
    interface = {"shape": (8,), "typestr": "<f8", "data": (id(object()), True), "version": 3}
    inner = b"cnetwork\nNetwork\n)\x81" + pickle.dumps({name: interface}, 2)[2:-1] + b"b"
    table = b"(dVsizes\n(lVweights\n" + inner + b"sVbiases\n(ls." if where == "weights" else inner + b"."
    (tmp_path / "it.pkl").write_bytes(b"\x80\x02" + table)
    for read in (load, load_network):
        with pytest.raises(DigitlabError):
            read(tmp_path / "it.pkl")
        attempts.count()


BOMBS = {
    "instructions": b"\x80\x02" + b"(t0" * 400_000 + b"N.",
    "doubled": b"\x80\x02]q\x00" + b"(h\x00h\x00lq\x00" * 40 + b".",
    "deep": b"\x80\x02" + b"(" * 20_000 + b"l" * 20_000 + b".",
    "a cost that doubles": b"\x80\x02]q\x000"
    + b"(h\x00h\x00lq\x000" * 40
    + b"(dVweights\n(lsVbiases\n(lsVcost\nh\x00s.",
    "a deep cost": b"\x80\x02" + b"(" * 20_000 + b"l" * 20_000 + b"q\x000(dVweights\n(lsVbiases\n(lsVcost\nh\x00s.",
    "a long string": b"\x80\x04\x8d" + (2**40).to_bytes(8, "little") + b"short.",
    "memo": b"\x80\x02]r\xff\xff\xff\x7f.",
    "copies": b"\x80\x02C\xff"
    + b"a" * 255
    + b"q\x00"
    + b"c_codecs\nencode\nV"
    + b"a" * 999
    + b"\nq\x01\x85R" * 1
    + b".",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_pickle_costs_what_its_size_warrants(name, tmp_path, quick, attempts):
    if not attempts.long and name == "instructions":
        pytest.skip("takes seconds: with --long")
    (tmp_path / "it.pkl").write_bytes(BOMBS[name])
    for read in (load, load_network):
        with quick(20.0, 64.0), pytest.raises(DigitlabError):
            read(tmp_path / "it.pkl")
        attempts.count()


def test_honest_ones_still_load(tmp_path, attempts):
    weights = [np.ones((3, 4)), np.ones((2, 3))]
    for protocol in range(6):
        (tmp_path / "it.pkl").write_bytes(pickle.dumps((weights, [np.zeros(3), np.zeros(2)]), protocol))
        assert len(load_network(tmp_path / "it.pkl").layers) == 3
        attempts.count()
