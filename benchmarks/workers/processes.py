"""The processes that benchmarks run their contenders in, each with a `ts` of its own."""

from __future__ import annotations

import argparse
import json
import os
import pickle
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WORKER = Path(__file__).with_name("worker.py")
MODEL_SERVER = Path("ts", "model_server.py")  # only torchserve has it
SETTINGS = Path("ts", "handler_utils", "settings.py")  # only this library has it


class WorkerError(Exception):
    """A worker could not do what it was told; the message says why in one line."""


class Worker:
    """A process that runs worker.py.

    Example:
        with Worker(search_path("ours", upstream)) as worker:
            worker.ask("prepare", spec)
            seconds = worker.ask("run", 0, 1)

    Args:
        paths: its `sys.path`.
        tasks: the module of what it can do.
    """

    def __init__(self, paths: list[str], tasks: str = "benchmarks.workers.tasks") -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115, it is closed with the worker
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-W", "ignore", str(WORKER), json.dumps(paths), tasks],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=environment,
        )

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()

    def ask(self, *message: Any) -> Any:
        """Sends a message, and returns what the worker answers.

        Raises:
            WorkerError: the worker failed, or is gone.
        """
        self.send(*message)
        return self.receive()

    def ask_within(self, seconds: float, *message: Any) -> Any:
        """As `ask`, but the process is ended if its answer takes longer.

        Raises:
            WorkerError: it failed, is gone, or took longer.
        """
        end = threading.Timer(seconds, self._process.kill)
        end.start()
        try:
            return self.ask(*message)
        finally:
            end.cancel()

    def send(self, *message: Any) -> None:
        assert self._process.stdin
        try:
            pickle.dump(message, self._process.stdin, pickle.HIGHEST_PROTOCOL)
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise WorkerError(self._last_words()) from error

    def receive(self) -> Any:
        assert self._process.stdout
        try:
            failed, value = pickle.load(self._process.stdout)
        except EOFError as error:
            raise WorkerError(self._last_words()) from error
        if failed:
            raise WorkerError(value)
        return value

    @property
    def pid(self) -> int:
        return self._process.pid

    def log(self) -> str:
        """What the worker and its libraries have printed."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def stop(self) -> None:
        """Ends the process, and waits until it is gone."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                with suppress(BrokenPipeError):  # it is gone already
                    stream.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _last_words(self) -> str:
        lines = self.log().strip().splitlines()
        return f"the process ended ({self._process.wait()}): {lines[-1] if lines else 'it said nothing'}"


def search_path(side: str, upstream: Path) -> list[str]:
    """The `sys.path` of a worker.

    Args:
        side: "upstream", where `ts` is torchserve's alone; "ours", where it is this library's in front of
            torchserve's, as in a server; or "machine", which imports neither.
        upstream: the folder in which torchserve's `ts` lies.
    """
    root, folder = str(ROOT), str(upstream.resolve())
    first = [folder, root] if side == "upstream" else [root, folder]
    return [*first, *(path for path in sys.path if path not in first and not holds_this_library(path))]


def holds_this_library(path: str) -> bool:
    return Path(path or os.curdir, SETTINGS).is_file()


def installed_torchserve() -> Path:
    """The site-packages that torchserve is installed in.

    Raises:
        FileNotFoundError: it is not installed.
    """
    for path in sys.path:
        if is_torchserve(Path(path)):
            return Path(path)
    raise FileNotFoundError("torchserve is not installed: pip install 'torchserve-handlers[server]'")


def upstream_of(options: argparse.Namespace, parser: argparse.ArgumentParser) -> Path:
    """The folder that `--upstream` names, or that of the installed torchserve; else the command ends.

    Args:
        options: what the parser made of the command's arguments.
        parser: says why it ends.
    """
    try:
        folder: Path = options.upstream or installed_torchserve()
    except FileNotFoundError as error:
        parser.error(f"--upstream: {error}")
    if not is_torchserve(folder):
        parser.error(f"--upstream: {folder} holds no ts/model_server.py of torchserve")
    return folder.resolve()


def is_torchserve(folder: Path) -> bool:
    """Whether a folder is an unpacked wheel of torchserve, or a site-packages that holds one."""
    return (folder / MODEL_SERVER).is_file() and not holds_this_library(str(folder))
