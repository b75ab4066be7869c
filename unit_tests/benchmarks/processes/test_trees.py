"""What a tree of processes has used."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.processes import launcher
from benchmarks.processes.trees import (
    Process,
    all_processes,
    cpu_seconds,
    kill,
    memory,
    own_memory,
    own_seconds,
    parse_stat,
    peak_memory,
    running,
    tree,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")

BURN = "import time\nwhile time.process_time() < {seconds}: pass\n"
# One child that burns and is awaited, one that burns and is left by its own parent, and then a wait.
FAMILY = """
import subprocess, sys
burn = [sys.executable, "-S", "-c", {burn!r}]
subprocess.run(burn)
left = "import subprocess, sys; subprocess.Popen(sys.argv[1:])"
subprocess.run([sys.executable, "-S", "-c", left, *burn])
print("begun", flush=True)
held = bytearray(50_000_000)
sys.stdin.read()
"""


@pytest.fixture
def family() -> Iterator[subprocess.Popen[str]]:
    code = FAMILY.format(burn=BURN.format(seconds=0.3))
    command = [sys.executable, "-I", "-S", launcher.__file__, sys.executable, "-S", "-c", code]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "begun\n"
    yield process
    kill(process.pid)
    process.wait()
    assert process.stdin
    process.stdin.close()
    process.stdout.close()


def test_a_name_may_hold_brackets_and_spaces() -> None:
    text = "42 (a) b (c) S 7 1 1 0 -1 4194560 1 2 3 4 100 50 20 10 20 0 1 0 99 1 1"
    assert parse_stat(text) == Process(7, 1.5, pytest.approx(0.3))  # type: ignore[arg-type]


def test_a_process_is_known_to_less_than_a_hundredth_of_a_second() -> None:
    before = time.process_time()
    seen = own_seconds(os.getpid())
    assert before <= seen <= time.process_time()


def test_a_tree_is_all_below_its_root() -> None:
    processes = {pid: Process(parent, 0, 0) for pid, parent in ((1, 0), (2, 1), (3, 2), (4, 1), (9, 8))}
    assert tree(2, processes) == [2, 3]
    assert sorted(tree(1, processes)) == [1, 2, 3, 4]
    assert tree(7, processes) == []


def test_children_that_ended_are_counted_even_those_whose_parent_ended_before(
    family: subprocess.Popen[str],
) -> None:
    until(lambda: len(tree(family.pid, all_processes())) == 2)  # the launcher, and the one that waits
    assert cpu_seconds(family.pid) >= 0.6


def test_memory_is_what_lies_below_the_launcher(family: subprocess.Popen[str]) -> None:
    until(lambda: memory(family.pid) > 50)
    assert memory(family.pid) < 150


def test_a_peak_is_what_a_process_had_at_most(family: subprocess.Popen[str]) -> None:
    until(lambda: len(tree(family.pid, all_processes())) == 2)  # the launcher, and the one that waits
    (waiting,) = [pid for pid in tree(family.pid, all_processes()) if pid != family.pid]
    until(lambda: own_memory(waiting) > 50)
    assert own_memory(waiting) <= peak_memory(waiting) < 150
    assert peak_memory(2**22 + 1) == 0  # no process has such an id


def test_processes_are_found_by_their_script(tmp_path: Path) -> None:
    script = tmp_path / "waits_for_its_end.py"
    script.write_text("import sys\nprint('begun', flush=True)\nsys.stdin.read()\n")
    command = [sys.executable, "-S", str(script), "--port", "1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        assert running(script.name, os.getpid()) == [process.pid]
        assert running("another.py", os.getpid()) == []
        process.communicate()


def test_all_of_a_tree_is_killed(family: subprocess.Popen[str]) -> None:
    below = [pid for pid in tree(family.pid, all_processes()) if pid != family.pid]
    kill(family.pid)
    family.wait()
    assert below
    until(lambda: not set(below) & set(all_processes()))


def until(is_so, seconds: float = 60) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)
