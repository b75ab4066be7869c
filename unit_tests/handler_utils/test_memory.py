"""The memory of a batch serves the next one, and goes back to the system later."""

from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys
import threading

import pytest
import torch

from ts.handler_utils import memory
from ts.torch_handler.base_handler import BaseHandler

# Three tensors of 40 MB come and go together: of itself glibc would get them from the system each time.
BATCHES = """
import re
import resource
import sys
import time
from pathlib import Path

import torch
from ts.handler_utils import memory

def batch():
    return [torch.empty(10_000_000).fill_(1) for _ in range(3)]

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024

memory.SECONDS = float(sys.argv[1])
before = resident()
memory.keep_memory()
for _ in range(3):
    batch()
faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    batch()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults, resident() - before)
end = time.monotonic() + 30
while resident() - before > 40e6 and time.monotonic() < end:
    time.sleep(0.05)
print(resident() - before)
"""


class Library:
    """A C library that notes what `mallopt` is told."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []

    def mallopt(self, parameter: int, value: int) -> int:
        self.told.append((parameter, value))
        return 1

    def malloc_trim(self, _: int) -> int:
        return 0


@pytest.fixture
def library(monkeypatch) -> Library:
    for name in [name for name in os.environ if name.startswith(("MALLOC_", "GLIBC_TUNABLES"))]:
        monkeypatch.delenv(name)
    found = Library()
    monkeypatch.setattr(ctypes, "CDLL", lambda _: found)
    return found


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "gives-free-memory-back"]


def test_malloc_keeps_what_is_free_and_one_thread_gives_it_back(library):
    memory.keep_memory()
    memory.keep_memory()
    assert library.told == 2 * [(-4, 0), (-1, 2**31 - 1)]  # M_MMAP_MAX, M_TRIM_THRESHOLD
    assert len(threads()) == 1


@pytest.mark.parametrize("name", ["MALLOC_TRIM_THRESHOLD_", "MALLOC_ARENA_MAX", "GLIBC_TUNABLES"])
def test_an_environment_that_sets_malloc_comes_first(library, monkeypatch, name):
    monkeypatch.setenv(name, "1")
    memory.keep_memory()
    assert library.told == []


@pytest.mark.parametrize("lacks", ["mallopt", "malloc_trim"])
def test_another_c_library_is_left_as_it_is(library, monkeypatch, lacks):
    started = threads()
    monkeypatch.delattr(Library, lacks)  # as musl and macOS
    memory.keep_memory()
    assert library.told == []
    assert threads() == started


def test_an_environment_that_sets_huge_pages_comes_first(monkeypatch):
    monkeypatch.setenv("THP_MEM_ALLOC_ENABLE", "0")
    memory.ask_for_huge_pages()
    assert os.environ["THP_MEM_ALLOC_ENABLE"] == "0"
    monkeypatch.delenv("THP_MEM_ALLOC_ENABLE")
    memory.ask_for_huge_pages()
    assert os.environ["THP_MEM_ALLOC_ENABLE"] == "1"


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's malloc")
def test_a_batch_needs_no_new_memory_and_leaves_none_behind():
    variables = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    variables.update(THP_MEM_ALLOC_ENABLE="0", OMP_NUM_THREADS="1")
    command = [sys.executable, "-c", BATCHES, "1.0"]
    said = subprocess.run(command, env=variables, capture_output=True, check=True).stdout.split()
    faults, held, left = map(int, said)
    assert faults < 100_000  # a page of 4 KiB each: a batch has 29,300, and there were 10
    assert held > 100e6
    assert left < 40e6


def test_a_handler_of_any_kind_keeps_memory_once_its_model_is_loaded(library, make_context, tmp_path):
    class Handler(BaseHandler):
        def initialize(self, context):
            assert library.told == []
            super().initialize(context)

    torch.jit.script(torch.nn.Identity()).save(str(tmp_path / "model.pt"))
    Handler().initialize(make_context(serializedFile="model.pt"))
    assert library.told
