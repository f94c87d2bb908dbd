"""The restricted unpickler: arrays of every protocol come back, and nothing a pickle asks for is ever run."""

import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from digitlab import restricted_pickle
from digitlab.errors import DataError

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)

# What Python 2 wrote for numpy.array([1.5, -2], "f4") with protocol 0: text, byte strings, the old module names.
PYTHON_2 = (
    b"cnumpy.core.multiarray\n_reconstruct\np0\n(cnumpy\nndarray\np1\n(I0\ntp2\nS'b'\np3\ntp4\nRp5\n"
    b"(I1\n(I2\ntp6\ncnumpy\ndtype\np7\n(S'f4'\np8\nI0\nI1\ntp9\nRp10\n(I3\nS'<'\np11\nNNNI-1\nI-1\nI0\ntp12\nb"
    rb"I00"
    b"\n"
    rb"S'\x00\x00\xc0?\x00\x00\x00\xc0'"
    b"\np13\ntp14\nb."
)


def global_call(module: str, name: str, argument: bytes = b"Vid\n") -> bytes:
    """A pickle that calls module.name with one argument."""
    return f"c{module}\n{name}\n(".encode() + argument + b"tR."


@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(
    array=hnp.arrays(
        st.sampled_from(["?", "u1", "<i8", ">i4", "<f4", "<f8", "<c16"]), hnp.array_shapes(min_dims=0, min_side=0)
    )
)
def test_arrays_of_numbers_come_back(protocol: int, array: np.ndarray) -> None:
    back = restricted_pickle.load(pickle.dumps(array, protocol))
    native = array.astype(array.dtype.newbyteorder("="))
    assert back.shape == array.shape
    assert back.astype(native.dtype, casting="equiv").tobytes() == native.tobytes()  # bit for bit, NaN included


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_plain_values_come_back(protocol: int) -> None:
    value = {"sizes": [784, 30, 10], "eta": 3.0, "names": ("ä", None, True), 7: b"\xff", "big": 2**80}
    assert restricted_pickle.load(pickle.dumps(value, protocol)) == value
    scalar = restricted_pickle.load(pickle.dumps([np.int64(7), np.float32(0.5)], protocol))
    assert scalar == [7, 0.5] and scalar[0].dtype == np.int64
    fortran = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    assert np.array_equal(restricted_pickle.load(pickle.dumps(fortran, protocol)), fortran)


@pytest.mark.parametrize("encoding", ["latin1", "bytes"])
def test_python_2_arrays_come_back(encoding: str) -> None:
    array = restricted_pickle.load(PYTHON_2, encoding=encoding)
    assert array.dtype == np.float32 and array.tolist() == [1.5, -2]


def test_the_old_and_the_new_name_of_numpys_inside_are_known() -> None:
    for core in (b"numpy.core.", b"numpy._core."):
        assert restricted_pickle.load(PYTHON_2.replace(b"numpy.core.", core)).tolist() == [1.5, -2]


def test_a_command_is_refused_and_not_run(tmp_path: Path) -> None:
    class Malicious:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {tmp_path / 'ran'}",)

    for protocol in PROTOCOLS:
        with pytest.raises(DataError, match=rf"evil\.pkl: .*asks for {os.name}\.system.*refused"):
            restricted_pickle.load(pickle.dumps([Malicious()], protocol), what="evil.pkl")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("numpy", "load"),
        ("numpy", "ndarray.__new__"),
        ("numpy.testing", "rundocs"),
        ("digitlab.restricted_pickle", "load"),
        ("_codecs", "decode"),
    ],
)
def test_every_other_name_is_refused(module: str, name: str) -> None:
    with pytest.raises(DataError, match="was refused"):
        restricted_pickle.load(global_call(module, name))
    stack_global = b"\x80\x04\x8c" + bytes([len(module)]) + module.encode() + b"\x8c" + bytes([len(name)])
    with pytest.raises(DataError, match="was refused"):
        restricted_pickle.load(stack_global + name.encode() + b"\x93.")


def test_dill_files_are_refused_by_name_with_the_way_out() -> None:
    with pytest.raises(DataError, match=r"dill file \(it asks for dill\._dill\._create_type\).*numpy\.savez"):
        restricted_pickle.load(global_call("dill._dill", "_create_type"))


@pytest.mark.parametrize(
    "instruction",
    [b"Pid\n.", b"\x82\x01.", b"(I1\nQ.", b"\x97."],
    ids=["persistent id", "extension", "binary persistent id", "outside buffer"],
)
def test_instructions_that_reach_outside_are_refused(instruction: bytes) -> None:
    with pytest.raises(DataError, match="refers to things outside itself"):
        restricted_pickle.load(instruction)


@pytest.mark.parametrize("target", ["numpy\ndtype", "numpy.core.multiarray\n_reconstruct", "_codecs\nencode"])
def test_the_tables_own_functions_cannot_be_changed(target: str) -> None:
    with pytest.raises(DataError, match="sets the state"):
        restricted_pickle.load(b"c" + target.encode() + b"\n(N}Vname\nI1\nstb.")


def test_other_codecs_and_other_types_are_refused() -> None:
    with pytest.raises(DataError, match="codec 'rot13' is not allowed"):
        restricted_pickle.load(b"c_codecs\nencode\n(Vabc\nVrot13\ntR.")
    for array in (np.array([{}], dtype=object), np.array(["a"]), np.zeros(1, "i4,f4"), np.zeros(1, "M8[s]")):
        with pytest.raises(DataError, match="not a readable pickle"):
            restricted_pickle.load(pickle.dumps(array))


def test_allowed_classes_become_inert_records() -> None:
    text = b"(inetwork\nNetwork\n(dVsizes\n(lI784\naI10\nasVevil\nI1\nsb."
    network = restricted_pickle.load(text, allowed=["network.Network"])
    assert network.attributes["sizes"] == [784, 10]
    assert network.pickled_class == "network.Network"
    assert type(network).__name__ == "Network"
    with pytest.raises(DataError, match=r"asks for network\.Network"):
        restricted_pickle.load(text)


@pytest.mark.parametrize("name", ["__array_interface__", "__array_struct__", "__array__", "__class__", "__dict__"])
def test_special_attributes_are_refused(name: str) -> None:
    text = b"(inetwork\nNetwork\n(dV" + name.encode() + b"\nI1\nsb."
    with pytest.raises(DataError, match=f"sets the attribute '{name}'"):
        restricted_pickle.load(text, allowed=["network.Network"])


def test_numpy_follows_no_attribute_of_a_pickled_object() -> None:
    text = b"(inetwork\nNetwork\n(dVdata\nI1\nsb."
    network = restricted_pickle.load(text, allowed=["network.Network"])
    for name in ("__array_interface__", "shape", "weights"):
        with pytest.raises(AttributeError):
            setattr(network, name, {"shape": (9,), "typestr": "|u1", "data": (1, True), "version": 3})
    assert np.asarray(network).dtype == object


class Network:
    """Pickled below as a program would pickle its network."""

    def __init__(self) -> None:
        self.sizes = [2, 1]
        self.weights = [np.ones((1, 2))]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_whole_objects_of_every_protocol_are_read(protocol: int) -> None:
    network = restricted_pickle.load(pickle.dumps(Network(), protocol), allowed=[f"{__name__}.Network"])
    assert not isinstance(network, Network)
    assert network.attributes["sizes"] == [2, 1] and network.attributes["weights"][0].tolist() == [[1, 1]]


@given(cut=st.integers(0, 400), protocol=st.sampled_from(PROTOCOLS))
def test_a_cut_off_pickle_is_reported_with_its_position(cut: int, protocol: int) -> None:
    whole = pickle.dumps([np.arange(40), "text"], protocol)
    part = whole[: min(cut, len(whole) - 1)]
    with pytest.raises(DataError, match=r"net\.pkl: not a readable pickle; reading stopped after byte \d+"):
        restricted_pickle.load(part, what="net.pkl")


@given(junk=st.binary(max_size=200))
def test_junk_never_raises_anything_else(junk: bytes) -> None:
    try:
        found = restricted_pickle.load(junk)
    except DataError:
        return
    plain = (bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, np.ndarray)
    assert found is None or isinstance(found, plain), type(found)


@pytest.mark.parametrize(
    ("bomb", "words"),
    [
        (b"\x80\x04\x8e" + struct.pack("<Q", 1 << 28) + b"short", "reading stopped"),  # a byte string of 256 MiB
        (b"\x80\x05\x96" + struct.pack("<Q", 1 << 28) + b"short", "reading stopped"),  # a bytearray
        (b"\x80\x04\x95" + struct.pack("<Q", 1 << 28) + b"short", "reading stopped"),  # a frame
        (b"K\x01r" + struct.pack("<I", 1 << 25) + b"cno\nsuch\n.", "no.such"),  # the 33-millionth memo
        (b"cnumpy\nndarray\n((I268435456\nttR.", "not callable"),  # an array, asked for directly
        (PYTHON_2.replace(b"(I2\nt", b"(I268435456\nt"), r"\(268435456,\) does not fit"),  # one that says so of itself
        (PYTHON_2.replace(b"(I2\nt", b"(I-2\nI-1\nt"), r"\(-2, -1\) does not fit"),
        # Tuples that hold one another twice, 60 deep: as a shape, their text would fill the memory ...
        (PYTHON_2.replace(b"(I2\nt", b"I1\n" + b"2\x86" * 60), "not a tuple of whole numbers"),
        (b"}I1\n" + b"2\x86" * 60 + b"I1\ns.", "neither text nor a number"),  # ... and as a key, their hash takes ages
        (PYTHON_2[:-1] + b"I0\n](I1\nI2\ne" + b"q\x01](h\x01h\x01e" + b"s.", "fills a"),  # lists into an array
        (
            b"c_codecs\nencode\nq\x00X"
            + struct.pack("<I", 60_000)
            + b"a" * 60_000
            + b"\x85q\x01"
            + b"h\x00h\x01R" * 5000
            + b".",
            "unpack to more than",
        ),  # copies of a text
        (b"\x8f(" + b"".join(b"J" + struct.pack("<i", n) for n in range(10_001)) + b"\x90.", "entries"),
    ],
    ids=[
        "bytes",
        "bytearray",
        "frame",
        "memo",
        "array",
        "shape",
        "negative",
        "nested shape",
        "nested key",
        "into an array",
        "copies",
        "entries",
    ],
)
def test_promised_sizes_take_no_memory(bomb: bytes, words: str, memory_below) -> None:
    with memory_below(4), pytest.raises(DataError, match=words):
        restricted_pickle.load(bomb)


def test_an_array_in_a_buffer_must_fit_it() -> None:
    whole = pickle.dumps(np.zeros(7, np.uint8), 5)
    assert restricted_pickle.load(whole).shape == (7,)
    with pytest.raises(DataError, match=r"shape \(9,\) does not fit its 7 bytes"):
        restricted_pickle.load(whole.replace(b"K\x07\x85", b"K\x09\x85"))


@pytest.mark.slow
def test_instructions_are_limited_by_the_size_of_the_file() -> None:
    with pytest.raises(DataError, match=r"more than 1,0.* instructions for 1,0.* bytes"):
        restricted_pickle.load(b"N" + b"0N" * 600_000 + b".")
