"""Pickles of plain values: as C's unpickler reads them, and in memory of the size of their file."""

from __future__ import annotations

import io
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from other_process import run

from ts.utils.plain_pickle import PlainUnpickler

VALUES = [
    {"rain": 0, "snow": 1},
    [None, True, False, 0, -1, 255, 65536, -(2**31), 2**70, 0.5, "é", b"bytes", (), (1,), (1, 2), (1, 2, 3)],
    {"nested": [{"a": {1: 2.0}}], "long": "x" * 300, "four": (1, 2, 3, 4)},
]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_values_are_read_as_they_were(protocol: int) -> None:
    for value in VALUES:
        plain = value if protocol > 2 or not isinstance(value, list) else [v for v in value if v != b"bytes"]
        assert PlainUnpickler(io.BytesIO(pickle.dumps(plain, protocol))).load() == plain


# What each claims, nests or calls.
HOSTILE = {
    "a text of 2**40 bytes": b"\x80\x04\x8d" + struct.pack("<Q", 2**40) + b".",
    "bytes of 2**40 bytes": b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b".",
    "a bytearray of 2**40 bytes": b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b".",
    "a frame of 2**40 bytes": b"\x80\x04\x95" + struct.pack("<Q", 2**40) + b".",
    "a text of 2**32 bytes": b"\x80\x02X" + struct.pack("<I", 2**32 - 1) + b".",
    "a number of 2**31 bytes": b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b".",
    "a memo of 2**31 entries": b"\x80\x02}r" + struct.pack("<I", 2**31) + b".",
    "a key of a million levels": b"\x80\x02}(K\x01" + b"\x85" * 1_000_000 + b"K\x01u.",
    "an extension": b"\x80\x02\x82\x01.",
    "a frozen set": b"\x80\x04(K\x01\x91.",
    "an object by INST": b"\x80\x02(ios\nsystem\n.",
    "an object by OBJ": b"\x80\x02(cos\nsystem\no.",
    "nothing on the stack": b"\x80\x020.",
    "a persistent object": b"\x80\x02K\x01Q.",
    "a name": b"\x80\x02cos\nsystem\n.",
    "a memo entry that is not there": b"\x80\x02h\x05.",
}
READ = """
import io, pickle, resource
from ts.utils.plain_pickle import PlainUnpickler
resource.setrlimit(resource.RLIMIT_AS, (600_000_000, 600_000_000))
outcomes = {}
for name, content in arguments.items():
    try:
        PlainUnpickler(io.BytesIO(content.encode("latin-1"))).load()
        outcomes[name] = "read"
    except pickle.UnpicklingError as error:
        outcomes[name] = "refused"
answer(outcomes)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limits of resources")
def test_claims_are_refused_in_bounded_memory(tmp_path: Path) -> None:
    arguments = {name: content.decode("latin-1") for name, content in HOSTILE.items()}
    assert run(READ, arguments, tmp_path) == dict.fromkeys(HOSTILE, "refused")


def test_lists_may_be_nested_deeply_since_none_is_hashed() -> None:
    value = PlainUnpickler(io.BytesIO(b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".")).load()
    levels = 0
    while value:
        levels, value = levels + 1, value[0]
    assert levels == 99_999


def test_a_state_reaches_only_what_asks_for_it() -> None:
    class Named(PlainUnpickler):
        def find_class(self, module_name: str, global_name: str) -> Callable[..., Any]:
            return plain_function

    content = (
        b"\x80\x02cany\nthing\n(N}X\x04\x00\x00\x00markK\x01stb."  # sets the attribute mark of what it names
    )
    assert Named(io.BytesIO(content)).load() is plain_function
    assert not hasattr(plain_function, "mark")


def plain_function() -> None: ...
