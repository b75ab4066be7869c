"""torchserve's own handlers, asked by TorchServe's own worker in a process that this library keeps out of."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Optional

from ts.overlay import overlay_folder
from ts.runner.answering.answer import JSON, STREAM_NEXT, WORKER_DIED, failure
from ts.runner.archives.archive import Archive
from ts.runner.comparing.said import Said
from ts.runner.comparing.wire import Reader, Response, load_message, predict_message
from ts.runner.errors import ArchiveError, InputError, ServerError
from ts.runner.folders import temporary_folder
from ts.runner.serving.requests import Call
from ts.runner.torchserve.log import last_exception

SOCKET = "s.0"  # the worker adds its rank to the number
OFF = {"TORCHSERVE_HANDLERS": "off"}
POLL_SECONDS = 0.05
STOP_SECONDS = 5
START_SECONDS = RESPONSE_SECONDS = 120  # TorchServe's defaults
ONLY_LIVE = ("continuousBatching", "asyncCommunication", "parallelType", "parallelLevel")


class Stock:
    """torchserve's own handler of an archive.

    It gets what TorchServe's frontend sends to a worker, over a socket. A worker that died is started again.

    Args:
        archive: It stays as it is; no envelope stands before its handler.
        batch_size: What the handler is told of.
        gpu: A CUDA device's index, or None for the CPU.
        metrics_file: Defines metrics; by default those of TorchServe.

    Raises:
        ServerError: torchserve is not installed.
        InputError: The archive needs more of TorchServe than a worker.
        ArchiveError: The handler does not start.
    """

    def __init__(
        self, archive: Archive, *, batch_size: int, gpu: Optional[int], metrics_file: Optional[str] = None
    ) -> None:
        check(archive)
        self.name = f"torchserve {importlib.metadata.version('torchserve')}'s own handlers"
        self._archive, self._metrics_file = archive, metrics_file
        self._load = load_message(archive.name, str(archive.root), archive.handler, batch_size, gpu)
        self._stack = ExitStack()
        self._worker: Optional[Worker] = None
        self._start()

    def __enter__(self) -> Stock:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def answers(self, calls: Sequence[Call]) -> list[Said]:
        if self._worker is None:
            self._start()
        assert self._worker is not None
        try:
            return self._worker.answers(calls)
        except (EOFError, OSError) as error:
            reason = RuntimeError(self._worker.why_ended(error))
            self._stack.close()
            self._worker = None
            answers = failure(len(calls), 500, WORKER_DIED, reason)
            return [Said(answer.status, JSON, answer.body, str(reason)) for answer in answers]

    def _start(self) -> None:
        config = self._archive.config
        seconds = seconds_of(config, "startupTimeout", START_SECONDS)
        with ExitStack() as stack:
            folder = stack.enter_context(temporary_folder("compared-")).path
            worker = Worker(folder, command(folder, self._metrics_file), self._archive)
            stack.callback(worker.close)
            try:
                worker.load(self._load, seconds)
            except (EOFError, OSError) as error:
                raise ArchiveError(worker.why_ended(error)) from error
            worker.patience = seconds_of(config, "responseTimeout", RESPONSE_SECONDS)
            self._stack = stack.pop_all()
        self._worker = worker


class Worker:
    """A process of `ts.model_service_worker`.

    Attributes:
        patience: Seconds that it may take for an answer.
    """

    patience: float = RESPONSE_SECONDS

    def __init__(self, folder: Path, command: Sequence[str], archive: Archive) -> None:
        self._address, self._log = folder / SOCKET, folder / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command,
                cwd=archive.root,
                env=environment(archive),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._reader = Reader(self._socket.makefile("rb").read)
        self._told = 0  # bytes of the log that earlier answers brought

    def load(self, message: bytes, seconds: float) -> None:
        """Starts the handler.

        Raises:
            EOFError, OSError: It does not start; the log says why.
        """
        end = time.monotonic() + seconds
        while not self._connected():
            if self._process.poll() is not None or time.monotonic() > end:
                raise EOFError
            time.sleep(POLL_SECONDS)
        self._socket.settimeout(seconds)
        self._socket.sendall(message)
        if self._reader.response().code != 200:
            raise EOFError
        self._told = self._log.stat().st_size

    def answers(self, calls: Sequence[Call]) -> list[Said]:
        """What it answers to a batch.

        Raises:
            EOFError, OSError: It ended, or answers nothing in time.
        """
        self._socket.settimeout(self.patience)
        self._socket.sendall(predict_message(calls))
        heads: dict[str, Said] = {}
        while True:
            response = self._reader.response()
            if response.code != 200:
                return self._failed(response, len(calls))
            for row in response.rows:
                before = heads.get(row.id)
                found = before or Said(row.status, row.content_type or None, b"")
                heads[row.id] = found._replace(body=found.body + row.content)
            if all(row.headers.get(STREAM_NEXT) != "true" for row in response.rows):
                self._told = self._log.stat().st_size
                return [heads[call.id] for call in calls]

    def _failed(self, response: Response, count: int) -> list[Said]:
        """What the frontend tells each client of a batch that failed as a whole."""
        answers = failure(count, response.code, response.message, RuntimeError(self._last_words()))
        return [Said(answer.status, JSON, answer.body, str(answer.reason)) for answer in answers]

    def why_ended(self, error: Exception) -> str:
        """Why it did not start or answer, on one line; one that hangs is ended."""
        if isinstance(error, socket.timeout):
            self._process.kill()
            return f"no answer within {self._socket.gettimeout():g} seconds"
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        return self._last_words() or "its worker ended without a word"

    def _last_words(self) -> str:
        """The last exception, or else the last line, of what it wrote since the last answer."""
        with self._log.open("rb") as log:
            log.seek(self._told)
            lines = [line for line in log.read().decode("utf-8", "replace").splitlines() if line]
        self._told = self._log.stat().st_size
        return last_exception(lines) or (lines[-1] if lines else "")

    def close(self) -> None:
        """Ends the process, which ends by itself once nobody is there."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _connected(self) -> bool:
        try:
            self._socket.connect(str(self._address))
        except OSError:
            return False
        return True


def check(archive: Archive) -> None:
    if importlib.util.find_spec("ts.model_service_worker") is None:
        raise ServerError(
            "torchserve, whose own handlers are asked, is not installed here: pip install"
            " 'torchserve-handlers[server]', or name a TorchServe that runs with --old URL"
        )
    if not hasattr(socket, "AF_UNIX"):
        raise ServerError(
            "torchserve's own handlers are not asked on Windows: name a TorchServe with --old URL"
        )
    if archive.is_saved_model:
        raise ArchiveError("it is a saved model, which TorchServe 0.12 does not load")
    needed = [key for key in ONLY_LIVE if archive.config.get(key)]
    if needed:
        raise InputError(
            f"an archive with {needed[0]} is asked through a TorchServe that runs: name it with --old URL"
        )


def command(folder: Path, metrics_file: Optional[str]) -> list[str]:
    """How TorchServe's frontend starts a worker."""
    spec = importlib.util.find_spec("ts.model_service_worker")
    assert spec is not None  # see `check`
    script = Path(str(spec.origin))
    metrics = metrics_file or str(script.parent / "configs" / "metrics.yaml")
    address = ["--sock-type", "unix", "--sock-name", str(folder / SOCKET)]
    return [sys.executable, "-u", str(script), *address, "--metrics-config", os.path.abspath(metrics)]


def environment(archive: Archive) -> dict[str, str]:
    """A worker's: the archive is first where modules are looked for, and this library is switched off."""
    handler, _, function = archive.handler.partition(":")
    own = [str(archive.root), *([str((archive.root / handler).parent)] if function else [])]
    others = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    paths = [*own, *(path for path in others if path and path != overlay_folder())]
    return {**os.environ, **OFF, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}


def seconds_of(config: dict[str, object], key: str, default: float) -> float:
    value = config.get(key)
    return value if isinstance(value, (int, float)) and value > 0 else default
