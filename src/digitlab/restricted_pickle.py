"""Reading a pickle without running it: arrays and plain Python values, and nothing else.

A pickle is a small program. One of its instructions fetches any function of any module by name, so `pickle.load` runs
code that the author of the file chose. This reader looks names up in a short table instead (pickle_stand_ins.py), whose
entries can only build arrays of numbers. The pickles of the books (`mnist.pkl.gz`, lists of weights) need no more.

The base is Python's unpickler written in Python: its instructions can be replaced one by one (`load_build` below), and
a hostile memo index costs it nothing. Each instruction that fills a container checks that it fills one of ours, keys
are text or numbers, and the number of instructions and the bytes that they make are limited by the bytes in the file.

See https://docs.python.org/3/library/pickle.html#restricting-globals and, for the instructions, pickletools.
"""

import io
import pickle
import struct
from collections.abc import Callable, Collection
from typing import Any, ClassVar, NoReturn, Protocol

import numpy as np

from digitlab.errors import DataError, in_brief
from digitlab.pickle_stand_ins import NAMES, Array, Dtype, stand_in
from digitlab.pickle_stand_ins import PickledObject as PickledObject

PIECE = 1 << 20  # long reads are made in pieces of one MiB, because a length in the file may be false
MAX_INSTRUCTIONS = 1_000_000  # about a second; a list of 100,000 floats has as many instructions
BYTES_PER_INSTRUCTION = 64  # beyond those: a row of 784 float32 takes a dozen instructions
MAX_COPIES = 8  # bytes that may be made from each byte of the file: Python 2's strings are copied twice
MAX_KEYS = 10_000  # entries of a dictionary or a set: chosen keys could make each new one slow


class Readable(Protocol):
    """What `load` reads from: an open binary file, a `SafeReader`, a BytesIO."""

    def read(self, size: int, /) -> bytes: ...
    def readline(self) -> bytes: ...


def load(
    source: Readable | bytes, *, allowed: Collection[str] = (), what: str = "the pickle", encoding: str = "latin1"
) -> Any:
    """The one value pickled in `source`, built from numbers, strings, containers and arrays only.

    allowed    further classes the file may mention ("network.Network"), whose objects become `PickledObject`s
    what       the name of the file in errors
    encoding   of the byte strings of Python 2: "latin1" turns them into str, "bytes" leaves them, which saves a copy
    Arrays are a subclass of `numpy.ndarray`; `np.asarray` gives plain ones. The size that a file may unpack to is
    limited by its reader (data/formats/shared/safe_gzip.py).

    Raises DataError for any other name, for a damaged or cut-off file, and for arrays of anything but numbers.
    """
    file = _Pieces(io.BytesIO(source) if isinstance(source, bytes) else source)
    try:
        return _Unpickler(file, frozenset(allowed), what, encoding).load()
    except DataError:
        raise
    except Exception as error:  # a damaged pickle can fail in any instruction: EOF, KeyError, struct.error ...
        raise DataError(
            f"{what}: not a readable pickle; reading stopped after byte {file.position:,} ({in_brief(error)}). "
            "Is it cut off, or another kind of file? Fetch or export it again."
        ) from error


class _Pieces:
    """A file that counts what was read, and that makes room for bytes only as they arrive."""

    def __init__(self, file: Readable) -> None:
        self.file = file
        self.position = 0

    def read(self, size: int, /) -> bytes:
        pieces, left = [self.file.read(min(size, PIECE))], size - PIECE
        while left > 0 and pieces[-1]:
            pieces.append(self.file.read(min(left, PIECE)))
            left -= len(pieces[-1])
        data = b"".join(pieces) if len(pieces) > 1 else pieces[0]
        self.position += len(data)
        return data

    def readline(self) -> bytes:
        line = self.file.readline()
        self.position += len(line)
        if not line.endswith(b"\n"):  # half a name would be refused for what it is not
            raise EOFError("a line is cut off")
        return line


_OUTSIDE = (
    *(pickle.PERSID, pickle.BINPERSID, pickle.EXT1, pickle.EXT2, pickle.EXT4),
    *(pickle.NEXT_BUFFER, pickle.READONLY_BUFFER),
)  # instructions that refer to things outside the file


class _Instructions(dict[int, Any]):
    """The unpickler's functions by instruction, which stop after as many as the file's size warrants."""

    def __init__(self, file: _Pieces) -> None:
        super().__init__(_Unpickler.dispatch)
        self.file, self.run = file, 0

    def __getitem__(self, code: int) -> Any:
        self.run += 1
        if self.run > MAX_INSTRUCTIONS + self.file.position // BYTES_PER_INSTRUCTION:
            raise ValueError(f"more than {self.run - 1:,} instructions for {self.file.position:,} bytes")
        return super().__getitem__(code)


class _Unpickler(pickle._Unpickler):
    """Python's unpickler with our table of names, without the instructions that reach outside the file."""

    stack: list[Any]  # where the instructions find their arguments; the stubs leave these out
    read: Callable[[int], bytes]
    append: Callable[[Any], None]
    pop_mark: Callable[[], list[Any]]

    def __init__(self, file: _Pieces, allowed: frozenset[str], what: str, encoding: str) -> None:
        super().__init__(file, fix_imports=False, encoding=encoding)
        self.file, self.what, self.made = file, what, 0
        self.names = NAMES | {name: stand_in(name) for name in allowed}
        self.dispatch = _Instructions(file)  # type: ignore[misc]

    def find_class(self, module: str, name: str) -> Any:
        """What `module.name` may stand for here, from the table; DataError for every other name."""
        full = f"{module}.{name}"
        if full in self.names:
            return self.names[full]
        if module.split(".")[0] in ("dill", "cloudpickle"):
            raise DataError(
                f"{self.what}: a dill file (it asks for {full}), which holds program code; that is never run here. "
                "Open it where it was made and export the arrays: "
                "numpy.savez('network.npz', *[numpy.asarray(w) for w in weights])."
            )
        raise DataError(
            f"{self.what}: the pickle asks for {full}, which is not an array or a plain value, so it was refused "
            "and nothing was run. If you trust its author, load it with Python's own pickle and export the arrays "
            "with numpy.savez."
        )

    def count(self, value: object) -> None:
        """Count the bytes of a value that an instruction made out of others."""
        self.made += value.nbytes if isinstance(value, np.ndarray) else len(value) if isinstance(value, bytes) else 0
        if self.made > MAX_COPIES * self.file.position + PIECE:
            raise ValueError(f"{self.file.position:,} bytes unpack to more than {self.made:,}")

    def target(self, kind: type[Any]) -> Any:
        """The container that an instruction fills, which must be a `kind` made here."""
        if type(self.stack[-1]) is not kind:
            raise ValueError(f"an instruction for a {kind.__name__} fills a {type(self.stack[-1]).__name__}")
        return self.stack[-1]

    def call(self, function: Any, arguments: Any, keywords: Any = None) -> None:
        """Put what a function of the table makes on the stack. Anything else that can be called is refused."""
        if not any(function is known for known in self.names.values()) or function is None:
            raise ValueError(f"a {type(function).__name__} is not callable here")
        made = function(*arguments, **(keywords or {}))
        self.count(made)
        self.append(made)

    def load_reduce(self) -> None:
        """REDUCE: function(*arguments)."""
        arguments, function = self.stack.pop(), self.stack.pop()
        self.call(function, arguments)

    def load_newobj(self) -> None:
        """NEWOBJ: a new object of an allowed class."""
        arguments, cls = self.stack.pop(), self.stack.pop()
        self.call(cls, arguments)

    def load_newobj_ex(self) -> None:
        """NEWOBJ_EX: the same with keywords, which an object without methods has no use for."""
        self.stack.pop()
        self.load_newobj()

    def load_obj(self) -> None:
        """OBJ: protocol 1's way to make an object."""
        cls, *arguments = self.pop_mark()
        self.call(cls, arguments)

    def _instantiate(self, klass: Any, arguments: list[Any]) -> None:
        """INST: protocol 0's."""
        self.call(klass, arguments)

    def load_append(self) -> None:
        """APPEND: one value to a list."""
        value = self.stack.pop()
        self.target(list).append(value)

    def load_appends(self) -> None:
        """APPENDS: several values to a list."""
        items = self.pop_mark()
        self.target(list).extend(items)

    def load_setitem(self) -> None:
        """SETITEM: one entry of a dictionary."""
        value, key = self.stack.pop(), self.stack.pop()
        self.fill(self.target(dict), [key, value])

    def load_setitems(self) -> None:
        """SETITEMS: several entries of a dictionary."""
        items = self.pop_mark()
        self.fill(self.target(dict), items)

    def load_dict(self) -> None:
        """DICT: a new dictionary of the entries after the mark."""
        items = self.pop_mark()
        self.append({})
        self.fill(self.stack[-1], items)

    def fill(self, table: dict[Any, Any], items: list[Any]) -> None:
        """Set keys and values, in turns. Keys are text and numbers: the hash of nested tuples can take for ever."""
        table.update(zip(self.hashable(items[::2], len(table)), items[1::2], strict=True))

    def hashable(self, keys: list[Any], more: int = 0) -> list[Any]:
        """The keys themselves, if they are few and plain."""
        if not all(key is None or isinstance(key, str | bytes | int | float) for key in keys):
            raise ValueError("a key is neither text nor a number")
        if len(keys) + more > MAX_KEYS:
            raise ValueError(f"more than {MAX_KEYS:,} entries in one dictionary or set")
        return keys

    def load_additems(self) -> None:
        """ADDITEMS: several members of a set."""
        items = self.pop_mark()
        self.target(set).update(self.hashable(items, len(self.stack[-1])))

    def load_frozenset(self) -> None:
        """FROZENSET: a new one of the members after the mark."""
        self.append(frozenset(self.hashable(self.pop_mark())))

    def load_build(self) -> None:
        """BUILD gives an object its state. Only what was built here may take one: not functions, not classes."""
        state = self.stack.pop()
        instance = self.stack[-1]
        if isinstance(instance, Array | Dtype):
            instance.__setstate__(state)
            self.count(instance)
        elif isinstance(instance, PickledObject) and isinstance(state, dict):
            names = [key.decode("ascii") if isinstance(key, bytes) else str(key) for key in state]
            if special := [name for name in names if name.startswith("__")]:
                raise DataError(f"{self.what}: the pickle sets the attribute {special[0]!r}; it was refused.")
            instance.attributes.update(zip(names, state.values()))
        else:
            raise DataError(f"{self.what}: the pickle sets the state of {type(instance).__name__}; it was refused.")

    def load_long_bytes(self) -> None:
        """BYTEARRAY8, without believing its length: protocol 5 keeps an array's numbers in it."""
        (size,) = struct.unpack("<Q", self.read(8))
        self.append(self.read(size))

    def refuse(self) -> NoReturn:
        raise DataError(f"{self.what}: the pickle refers to things outside itself; it was refused.")

    dispatch: ClassVar[dict[int, Any]] = {
        **pickle._Unpickler.dispatch,
        pickle.REDUCE[0]: load_reduce,
        pickle.NEWOBJ[0]: load_newobj,
        pickle.NEWOBJ_EX[0]: load_newobj_ex,
        pickle.OBJ[0]: load_obj,
        pickle.APPEND[0]: load_append,
        pickle.APPENDS[0]: load_appends,
        pickle.SETITEM[0]: load_setitem,
        pickle.SETITEMS[0]: load_setitems,
        pickle.DICT[0]: load_dict,
        pickle.ADDITEMS[0]: load_additems,
        pickle.FROZENSET[0]: load_frozenset,
        pickle.BUILD[0]: load_build,
        pickle.BYTEARRAY8[0]: load_long_bytes,
        **dict.fromkeys(map(ord, _OUTSIDE), refuse),
    }
