"""What ends a process, and what waits for it to tidy up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from ts.runner.signals import Stopped, undisturbed

NUMBERS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]

# It says where it is as it starts, and then sleeps, so that it can be met at it.
SLEEPER = """
import os, sys, time
sys.stderr.write(os.getcwd() + "\\n")
sys.stderr.flush()
time.sleep(600)
"""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "sleeper.mar"
    model = {"modelName": "sleeper", "handler": "sleeper.py", "modelVersion": "1"}
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("sleeper.py", SLEEPER)
        file.writestr("MAR-INF/MANIFEST.json", json.dumps({"model": model}))
    return path


def commands(archive: Path) -> dict[str, list[str]]:
    name = str(archive)
    return {
        "predict": ["predict", name, name, "--device", "cpu"],
        "inspect": ["inspect", name, "--describe"],
        "export": ["export", name, "--device", "cpu", "--output", str(archive.parent / "out.mar")],
    }


def started(archive: Path, arguments: list[str], prefix: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """A command whose handler is starting."""
    folder = archive.parent / "t"
    folder.mkdir()
    process = subprocess.Popen(
        [*prefix, sys.executable, "-m", "ts.runner", *arguments],
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    working = next(line for line in process.stderr if line.startswith(str(folder.resolve())))
    assert (Path(working.strip()) / "sleeper.py").exists()
    return process


@pytest.mark.parametrize(
    ("command", "number"), [("predict", number) for number in NUMBERS] + [("inspect", 15), ("export", 1)]
)
def test_a_command_that_is_ended_leaves_nothing(archive: Path, command: str, number: int) -> None:
    process = started(archive, commands(archive)[command])
    process.send_signal(number)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (128 + number, "", "")
    assert list((archive.parent / "t").iterdir()) == []
    assert not (archive.parent / "out.mar").exists()


def test_nohup_keeps_a_command_from_sighup(archive: Path) -> None:
    process = started(archive, commands(archive)["predict"], ("sh", "-c", 'trap "" HUP; exec "$@"', "sh"))
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM


@pytest.mark.parametrize("number", NUMBERS)
def test_signals_wait_while_a_process_tidies_up(number: int) -> None:
    done = []

    def tidy() -> None:
        with undisturbed():
            signal.raise_signal(number)
            signal.raise_signal(number)
            done.append("tidied")

    before = signal.signal(number, stop)
    try:
        with pytest.raises(Stopped) as raised:
            tidy()
        assert signal.getsignal(number) is stop
    finally:
        signal.signal(number, before)
    assert raised.value.number == number
    assert done == ["tidied"]


def stop(number: int, _: object) -> None:
    raise Stopped(number)


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with undisturbed():
            signal.raise_signal(signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_other_threads_need_no_shelter() -> None:
    done: list[str] = []

    def tidy() -> None:
        with undisturbed():
            done.append("tidied")

    thread = threading.Thread(target=tidy)
    thread.start()
    thread.join()
    assert done == ["tidied"]
