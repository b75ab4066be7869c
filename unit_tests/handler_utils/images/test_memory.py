"""The memory of a batch serves the next one."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys

import pytest

from ts.handler_utils.images import memory

# Three tensors of 10 MB come and go together: with the thresholds that glibc would have by then, of 10 and 20 MB,
# it gives them back, as a rule each time.
BATCHES = """
import resource
import torch
from ts.handler_utils.images.memory import prepare_memory

prepare_memory()

def batch():
    return [torch.empty(2_500_000).fill_(1) for _ in range(3)]

for _ in range(3):
    batch()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(30):
    batch()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


class Library:
    """A C library that notes what `mallopt` is told."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []

    def mallopt(self, parameter: int, value: int) -> int:
        self.told.append((parameter, value))
        return 1


@pytest.fixture
def library(monkeypatch) -> Library:
    for name in [name for name in os.environ if name.startswith(("MALLOC_", "GLIBC_TUNABLES"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("THP_MEM_ALLOC_ENABLE", "0")
    found = Library()
    monkeypatch.setattr(ctypes, "CDLL", lambda _: found)
    return found


def test_malloc_has_the_largest_thresholds_that_it_goes_to_by_itself(library):
    memory.prepare_memory()
    assert library.told == [(-3, 32 * 2**20), (-1, 64 * 2**20)]


@pytest.mark.parametrize("name", ["MALLOC_TRIM_THRESHOLD_", "MALLOC_ARENA_MAX", "GLIBC_TUNABLES"])
def test_an_environment_that_sets_malloc_comes_first(library, monkeypatch, name):
    monkeypatch.setenv(name, "1")
    memory.prepare_memory()
    assert library.told == []


def test_an_environment_that_sets_huge_pages_comes_first(library, monkeypatch):
    memory.prepare_memory()
    assert os.environ["THP_MEM_ALLOC_ENABLE"] == "0"
    monkeypatch.delenv("THP_MEM_ALLOC_ENABLE")
    memory.prepare_memory()
    assert os.environ["THP_MEM_ALLOC_ENABLE"] == "1"


def test_another_c_library_is_left_as_it_is(library, monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())  # as musl and macOS, which have no mallopt
    memory.prepare_memory()
    assert library.told == []


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's malloc")
def test_a_batch_needs_no_new_memory():
    variables = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    variables.update(THP_MEM_ALLOC_ENABLE="0", OMP_NUM_THREADS="1")
    command = [sys.executable, "-c", BATCHES]
    found = subprocess.run(command, env=variables, capture_output=True, check=True)
    assert int(found.stdout) < 40_000  # a page of 4 KiB each: a batch has 7,300, and there were 30
