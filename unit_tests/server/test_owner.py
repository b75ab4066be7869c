"""No server outlives the process that started it, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ts.runner.torchserve.config import choose_ports

pytestmark = pytest.mark.usefixtures("needs_torchserve")
psutil = pytest.importorskip("psutil", reason="psutil is not installed, which torchserve needs too")

SCRIPT = """
import sys
from ts.runner.torchserve.server import TorchServe

with TorchServe([sys.argv[1]], device="cpu") as server:
    print("The server answers", flush=True)
    server.wait()
"""
GONE_SECONDS = 60  # far more than it takes


def started(command: list[str], folder: Path) -> tuple[subprocess.Popen[str], list[Any]]:
    """An owner whose server is ready, and all the processes below it."""
    process = subprocess.Popen(
        [sys.executable, *command],
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    for line in process.stdout:
        if line.startswith("The server answers"):
            below = psutil.Process(process.pid).children(recursive=True)
            assert len(below) >= 4  # the guard, the launcher, Java, a worker
            return process, below
    raise AssertionError(process.communicate()[1])


def assert_gone(processes: list[Any], folder: Path) -> None:
    psutil.wait_procs(processes, timeout=GONE_SECONDS)
    assert [process for process in processes if process.is_running()] == []
    assert list(folder.iterdir()) == []


def test_a_server_ends_with_a_script_that_is_terminated(counting_archive: Path, temporary: Path) -> None:
    process, below = started(["-c", SCRIPT, str(counting_archive)], temporary)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == -signal.SIGTERM
    assert_gone(below, temporary)


def test_a_server_ends_with_a_serve_that_is_killed(counting_archive: Path, temporary: Path) -> None:
    command = ["-m", "ts.runner", "serve", "--engine", "torchserve", str(counting_archive)]
    command += ["--port", free_port(), "--device", "cpu"]
    process, below = started(command, temporary)
    process.kill()
    process.wait()
    assert_gone(below, temporary)


def test_workers_end_with_a_server_that_is_killed(counting_archive: Path, temporary: Path) -> None:
    process, below = started(["-c", SCRIPT, str(counting_archive)], temporary)
    next(child for child in below if "java" in child.name()).kill()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "ServerError: TorchServe ended by itself: " in errors
    assert_gone(below, temporary)


def test_a_serve_that_is_ended_while_it_starts_leaves_nothing(
    counting_archive: Path, temporary: Path
) -> None:
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "ts.runner",
            "serve",
            "--engine",
            "torchserve",
            str(counting_archive),
            "--device",
            "cpu",
            "--port",
            free_port(),
        ],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    owner, below = psutil.Process(process.pid), []
    while process.poll() is None and len(below) < 3:  # the guard, the launcher, Java
        below = owner.children(recursive=True)
    for number in (signal.SIGINT, signal.SIGINT):  # Ctrl-C, and once more out of impatience
        process.send_signal(number)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (128 + signal.SIGINT, "", "")
    assert_gone(below, temporary)


def free_port() -> str:
    return str(choose_ports(0).inference)
