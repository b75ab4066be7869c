"""What stands between a process and its server, with a server that is two sleeping processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ts.runner.torchserve import guard
from ts.runner.torchserve.server import stop

# A server and its worker: they say that they are there on a pipe whose end shows that both are gone.
SERVER = """
import os, subprocess, sys, time
subprocess.Popen(["sleep", "600"])
os.write(2, b".")
"""
SLEEPS = "time.sleep(600)"

# Has the guard start a server, says the guard's and the server's ids, and waits.
OWNER = """
import os, subprocess, sys
guarded = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, start_new_session=True)
print(guarded.pid, int(guarded.stdout.readline()), flush=True)
sys.stdin.read()
"""


def command(owner: int, folder: Path, rest: str = SLEEPS) -> list[str]:
    served = [sys.executable, "-c", SERVER + rest]
    return [sys.executable, "-I", "-S", guard.__file__, str(owner), str(folder / "pid"), str(folder), *served]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "working"
    (path / "f").mkdir(parents=True)
    return path


def guarded(folder: Path, rest: str = SLEEPS) -> tuple[subprocess.Popen[bytes], int]:
    """A guard of this process, and its server's process group, when the server runs."""
    process = subprocess.Popen(
        command(os.getpid(), folder, rest),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout
    assert process.stderr
    group = int(process.stdout.readline())
    assert process.stderr.read(1) == b"."
    return process, group


def test_stopping_ends_the_guard_and_all_of_the_server(folder: Path) -> None:
    process, group = guarded(folder)
    stop(process, group)
    assert process.stderr
    assert process.stderr.read() == b""
    assert process.returncode == 256 - signal.SIGTERM  # the server's own
    assert folder.exists()  # its owner lives, and deletes it


def test_a_server_that_ends_by_itself_ends_the_guard_and_its_workers(folder: Path) -> None:
    process, _ = guarded(folder, rest="sys.exit(7)")
    assert process.wait(60) == 7
    assert process.stderr
    assert process.stderr.read() == b""


def test_where_the_guard_was_killed_its_owner_ends_the_server(folder: Path) -> None:
    process, group = guarded(folder)
    process.kill()
    process.wait()
    stop(process, group)
    assert process.stderr
    assert process.stderr.read() == b""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
def test_when_its_owner_is_gone_nothing_stays(folder: Path, number: signal.Signals) -> None:
    code = OWNER.replace("sys.argv[1:]", "[str(os.getpid()) if a == 'OWNER' else a for a in sys.argv[1:]]")
    arguments = ["OWNER" if argument == "0" else argument for argument in command(0, folder)]
    owner = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert owner.stdout
    assert owner.stderr
    owner.stdout.readline()
    assert owner.stderr.read(1) == b"."
    owner.send_signal(number)
    owner.wait()
    assert owner.stderr.read() == b""  # its end: guard, server and worker, which share it, are gone too
    assert not folder.exists()


def test_the_guard_needs_nothing_but_the_standard_library() -> None:
    code = "import runpy, sys; runpy.run_path(sys.argv[1]); print({'ts', 'torch', 'psutil'} & {*sys.modules})"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, guard.__file__], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"
