"""Pickles of plain values, read without running what they name and in memory of the size of their file."""

from __future__ import annotations

import io
import pickle
import struct
from collections.abc import Iterable, Mapping
from typing import Any, Callable, ClassVar

# What values are made of that torch.save and pickle.dump write with protocols 2 to 5. Not among them is what
# claims memory (bytearrays), calls by other ways than `find_class`, or hashes whole containers (frozen sets).
_OPCODES = (
    pickle.PROTO + pickle.FRAME + pickle.STOP + pickle.MARK + pickle.POP + pickle.POP_MARK
    + pickle.NONE + pickle.NEWTRUE + pickle.NEWFALSE
    + pickle.BININT + pickle.BININT1 + pickle.BININT2 + pickle.LONG1 + pickle.LONG4 + pickle.BINFLOAT
    + pickle.BINUNICODE + pickle.SHORT_BINUNICODE + pickle.BINUNICODE8
    + pickle.BINSTRING + pickle.SHORT_BINSTRING + pickle.BINBYTES + pickle.SHORT_BINBYTES + pickle.BINBYTES8
    + pickle.EMPTY_DICT + pickle.SETITEM + pickle.SETITEMS
    + pickle.EMPTY_LIST + pickle.APPEND + pickle.APPENDS
    + pickle.EMPTY_TUPLE + pickle.TUPLE1 + pickle.TUPLE2 + pickle.TUPLE3 + pickle.TUPLE
    + pickle.BINGET + pickle.LONG_BINGET + pickle.BINPUT + pickle.LONG_BINPUT + pickle.MEMOIZE
    + pickle.GLOBAL + pickle.STACK_GLOBAL + pickle.REDUCE + pickle.NEWOBJ + pickle.BUILD + pickle.BINPERSID
)  # fmt: skip

_DAMAGE = (LookupError, ValueError, TypeError, AttributeError, OverflowError, RecursionError)


class PlainUnpickler(pickle._Unpickler):
    """An unpickler in Python, for that in C allocates what a pickle claims: 32 GB for a memo of 2**31 entries.

    Keys of its dictionaries are strings and numbers: the hash of a tuple of a million levels ends the process.
    What a subclass's `find_class` returns is all that a pickle can call, and only objects with a `__setstate__`
    get a state.

    Args:
        content: the pickle, or several, one behind the other.
    """

    stack: list[Any]
    memo: dict[int, Any]
    read: Callable[[int], bytes]
    pop_mark: Callable[[], list[Any]]
    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = {
        code: pickle._Unpickler.dispatch[code] for code in _OPCODES
    }

    def __init__(self, content: io.BytesIO) -> None:
        super().__init__(content)
        self._most_entries = len(content.getbuffer())

    def load(self) -> Any:
        """The next of its objects.

        Raises:
            pickle.UnpicklingError: it is damaged, or holds what no plain value needs.
        """
        try:
            return super().load()
        except (EOFError, struct.error) as error:
            raise pickle.UnpicklingError("the file is damaged: it is truncated") from error
        except _DAMAGE as error:
            reason = f"{type(error).__name__}: {error}"[:200]
            raise pickle.UnpicklingError(f"the file is damaged: {reason}") from error

    def find_class(self, module_name: str, global_name: str) -> Any:
        """Refuses all names."""
        raise pickle.UnpicklingError(f"it names {module_name}.{global_name}"[:200])

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._add([(key, value)])

    dispatch[pickle.SETITEM[0]] = load_setitem

    def load_setitems(self) -> None:
        items = self.pop_mark()
        self._add(zip(items[::2], items[1::2]))

    dispatch[pickle.SETITEMS[0]] = load_setitems

    def load_long_binput(self) -> None:
        (index,) = struct.unpack("<I", self.read(4))
        if index > self._most_entries:
            raise pickle.UnpicklingError(f"it claims a memo of {index} entries")
        self.memo[index] = self.stack[-1]

    dispatch[pickle.LONG_BINPUT[0]] = load_long_binput

    def load_build(self) -> None:
        state = self.stack.pop()
        set_state = getattr(type(self.stack[-1]), "__setstate__", None)
        if set_state is not None:
            set_state(self.stack[-1], state)

    dispatch[pickle.BUILD[0]] = load_build

    def _add(self, items: Iterable[Any]) -> None:
        self.stack[-1].update(checked_keys(items))


def checked_keys(items: Iterable[Any]) -> dict[Any, Any]:
    """A dictionary of a pickle's pairs.

    Raises:
        pickle.UnpicklingError: a key is no string or number.
    """
    pairs = items.items() if isinstance(items, Mapping) else items
    found = {}
    for key, value in pairs:
        if type(key) not in (str, int, bool, float, type(None)):
            raise pickle.UnpicklingError(f"it has a key that is a {type(key).__name__}")
        found[key] = value
    return found
