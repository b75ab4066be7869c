"""Memory does not grow over a long run. Its own tries are at least 1,250 a handler.

See unit_tests/helpers/fuzzing.py.
"""

from __future__ import annotations

import ctypes
import random
import sys
from pathlib import Path

import pytest
from fuzzed_inputs import image_files
from fuzzing import EXAMPLES, SEED, Fuzzed, Request

from benchmarks.strangers.texts import TEXTS, hostile_text

TRIES = max(EXAMPLES, 1250)
GROWTH = (
    24 << 20
)  # bytes that a quarter may have more than the one before it: pools and caches that fill up late


def resident() -> int:
    """Bytes that this process has in memory, once what is free is given back."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


@pytest.mark.long
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux's /proc")
@pytest.mark.parametrize("name", ["base", "classifier", "segmenter", "detector", "text", "transformer"])
def test_memory_is_level_over_the_second_half(name: str, fuzzed: dict[str, Fuzzed]) -> None:
    handler, chance, seen = fuzzed[name], random.Random(SEED), []
    for number in range(TRIES * 4):
        handler.ask([*handler.good, *(stranger(chance) for _ in range(3))])
        if number % TRIES // 16 == 0:
            seen.append(resident())
    quarters = [
        sorted(part)[len(part) // 2]
        for part in (seen[len(seen) // 2 : -len(seen) // 4], seen[-len(seen) // 4 :])
    ]
    assert quarters[1] - quarters[0] < GROWTH, [value >> 20 for value in seen]


def stranger(chance: random.Random) -> Request:
    """A request with a file or a text that has been damaged in some places."""
    if chance.random() < 0.5:
        content = bytearray(chance.choice(image_files()))
    else:
        content = bytearray(hostile_text(chance.choice(TEXTS), chance.randrange(100, 3000)).encode())
    for _ in range(chance.randrange(4)):
        content[chance.randrange(len(content))] = chance.randrange(256)
    return Request({"data": bytes(content)}, {"explain": chance.choice(["True", "False"])})
