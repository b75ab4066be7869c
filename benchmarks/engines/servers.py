"""A server that runs: from its command until it is killed."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Optional

from benchmarks.engines.archives import Served
from benchmarks.engines.contenders import Contender
from benchmarks.load.clients import HOST
from benchmarks.parts.probe import SUFFIX
from benchmarks.processes import launcher, trees

START_SECONDS = 120
ERROR_SECONDS = 30  # for which a server that starts may answer by errors
POLL_SECONDS = 0.01
WORKER = "model_service_worker.py"  # the script of TorchServe's workers
LAST_LINES = 15  # of the log of a server that does not start


class ServerFailedError(Exception):
    """A server did not start; the text is a line, and the end of its log."""


class Server:
    """A contender that serves an archive, for the time of a `with` block.

    Attributes:
        contender: What it is.
        port: Where it answers.
        requests: What it is to be asked, for the load generator.
        ready: Seconds from its command to its first 200.
    """

    def __init__(self, contender: Contender, served: Served) -> None:
        self.contender = contender
        self.served = served
        self._folder = Path(tempfile.mkdtemp(prefix="s"))  # short, for sockets lie there

    def __enter__(self) -> Server:
        """Starts it.

        Raises:
            ServerFailedError: It ended, or answers no request by a 200.
        """
        folder = self._folder
        self.port = free_port()
        launch = self.contender.launch(self.served, self.port, folder)
        self.requests = launch.requests
        body, *_ = launch.requests["bodies"]
        headers = {"Content-Type": launch.requests["content_type"]}
        self._log = folder / "server.log"
        start = time.perf_counter()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", launcher.__file__, *launch.command],
                env=launch.env,
                cwd=launch.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._await_answer(launch.requests["path"], Path(body).read_bytes(), headers)
        except BaseException:
            self.stop()
            raise
        self.ready = time.perf_counter() - start
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()

    def stop(self) -> None:
        """Kills it, which spares the half a minute for which some drain."""
        trees.kill(self._process.pid)
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def cpu_seconds(self) -> float:
        return trees.cpu_seconds(self._process.pid)

    def memory(self) -> float:
        """Megabytes."""
        return trees.memory(self._process.pid)

    def workers(self) -> list[int]:
        """The processes of a TorchServe that answer; of others none, as their workers look like the rest."""
        return trees.running(WORKER, self._process.pid)

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def batches(self) -> list[dict[str, Any]]:
        """What the workers of a probed TorchServe have noted; see `benchmarks.parts.probe`."""
        lines = [line for file in self._folder.glob(f"*{SUFFIX}") for line in file.read_text().splitlines()]
        return [json.loads(line) for line in lines]

    def answers(self, count: int) -> list[bytes]:
        """The bodies that it gives to the first few requests, each asked alone."""
        kind, path = self.requests["content_type"], self.requests["path"]
        bodies = [Path(body).read_bytes() for body in self.requests["bodies"][:count]]
        return [self._ask(path, body, {"Content-Type": kind})[1] for body in bodies]

    def _await_answer(self, path: str, body: bytes, headers: dict[str, str]) -> None:
        end = time.perf_counter() + START_SECONDS
        while (status := self._ask(path, body, headers)[0]) != 200:
            if status:
                end = min(end, time.perf_counter() + ERROR_SECONDS)
            if self._process.poll() is not None or time.perf_counter() > end:
                last = self.log().strip().splitlines()[-LAST_LINES:]
                raise ServerFailedError("\n".join([f"did not start; its last answer: {status}", *last]))
            time.sleep(POLL_SECONDS)

    def _ask(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[Optional[int], bytes]:
        """The status and body of an answer; no status where there is none."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=START_SECONDS)
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException):
            return None, b""
        finally:
            connection.close()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def wait_until_idle(servers: list[Server]) -> None:
    """Waits until what was started has come to rest, some seconds at most."""
    end = time.perf_counter() + 5
    before = sum(server.cpu_seconds() for server in servers)
    while time.perf_counter() < end:
        time.sleep(0.3)
        now = sum(server.cpu_seconds() for server in servers)
        if now - before < 0.1:
            return
        before = now
