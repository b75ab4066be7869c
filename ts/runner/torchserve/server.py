"""A real TorchServe, private to this process, for the time of a `with` block."""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Callable, Optional, Union

from ts.runner.errors import ServerError
from ts.runner.torchserve.config import (
    HOST,
    Ports,
    ServedModel,
    choose_ports,
    environment,
    lay_out,
    served_models,
)
from ts.runner.torchserve.log import server_failure, worker_failure

POLL_SECONDS = 0.2
STOP_SECONDS = 15  # after which what is left is killed
STARTING, LOADING, READY = "server starting", "worker starting", "ready"


class TorchServe:
    """Starts TorchServe on 127.0.0.1 with some archives, and stops it without leaving processes or files.

    Example:
        with TorchServe(["kitten.mar"]) as server:
            requests.post(f"{server.url}/predictions/kitten", data=photo)

    Attributes:
        models: The models, in the order of the archives.
        url: Of the inference API, e.g. "http://127.0.0.1:8080".
        management_url: Of the management API.
        metrics_url: Of the metrics API.
        grpc_port: Of the gRPC inference API.
    """

    def __init__(
        self,
        archives: Sequence[Union[str, Path]],
        *,
        port: int = 0,
        device: str = "auto",
        python: str = sys.executable,
        env: Optional[Mapping[str, str]] = None,
        config: Optional[Mapping[str, str]] = None,
        log_dir: Union[str, Path, None] = None,
        on_state: Optional[Callable[[str, str], None]] = None,
    ) -> None:
        """Checks the archives; the server starts when the `with` block is entered.

        Args:
            archives: Zips (.mar), tars (.tar.gz) or folders.
            port: Of the inference API; 0 takes a free one. The other ports are always free ones.
            device: "auto" (every GPU, if there is any), "cpu" or "cuda:N".
            python: The interpreter that runs the server and its workers; torchserve must be installed for it.
            env: Environment variables; by default this process's.
            config: More keys for config.properties, or other values for those that are set here.
            log_dir: Where the server's logs stay; by default they are deleted with it.
            on_state: Called as `on_state(model name, state)` whenever a model's state changes while starting.

        Raises:
            ArchiveError: An archive breaks the format.
            ServerError: No archive, or the same model twice.
        """
        self.models: list[ServedModel] = served_models(archives)
        self._port = port
        self._device = device
        self._python = python
        self._env = env
        self._config = config or {}
        self._log_dir = Path(log_dir).resolve() if log_dir else None
        self._on_state = on_state
        self._ports = Ports(port, 0, 0, 0, 0)
        self._stack = ExitStack()

    def __enter__(self) -> TorchServe:
        """Starts the server, and returns when every model has all its workers.

        Raises:
            DeviceError: There is no such device.
            ServerError: TorchServe or Java is missing, the port is taken, or a handler does not start.
        """
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="torchserve-"))).resolve()
            self._start(folder)
            stack.callback(stop, self._process, folder / ".model_server.pid")
            self._wait_until_ready()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self._stack.close()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._ports.inference}"

    @property
    def management_url(self) -> str:
        return f"http://{HOST}:{self._ports.management}"

    @property
    def metrics_url(self) -> str:
        return f"http://{HOST}:{self._ports.metrics}"

    @property
    def grpc_port(self) -> int:
        return self._ports.grpc_inference

    def wait(self) -> None:
        """Blocks as long as the server runs.

        Raises:
            ServerError: It ended.
        """
        self._process.wait()
        raise ServerError(f"TorchServe ended by itself: {server_failure(self._console)}")

    def _start(self, folder: Path) -> None:
        if self._python == sys.executable and importlib.util.find_spec("ts.model_server") is None:
            raise ServerError("TorchServe is not installed: pip install 'torchserve-handlers[server]'")
        logs = self._log_dir or folder / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        env = environment(folder, logs, self._device, self._env)
        self._ports = choose_ports(self._port)
        config = lay_out(folder, self.models, self._ports, self._device, self._config)
        self._console = logs / "console.log"
        command = [self._python, "-m", "ts.model_server", "--start", "--foreground", "--no-config-snapshots"]
        with self._console.open("wb") as console:
            self._process = subprocess.Popen(
                [*command, "--ts-config", str(config)],
                cwd=folder,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # its own process group, so that all of it can be ended
            )

    def _wait_until_ready(self) -> None:
        states: dict[ServedModel, str] = {}
        while any(states.get(model) != READY for model in self.models):
            if self._process.poll() is not None:
                raise ServerError(f"TorchServe did not start: {server_failure(self._console)}")
            for model in self.models:
                state = self._state(model)
                if states.get(model) != state:
                    states[model] = state
                    if self._on_state:
                        self._on_state(model.name, state)
            time.sleep(POLL_SECONDS)

    def _state(self, model: ServedModel) -> str:
        """A model's state by the management API.

        Raises:
            ServerError: Its worker failed to start.
        """
        reason = worker_failure(self._console, model.name, model.version)
        if reason:
            raise ServerError(f"TorchServe could not start {model.name!r}: {reason}")
        try:
            description = self._get(f"/models/{model.name}/{model.version}")
        except (OSError, http.client.HTTPException):
            return STARTING
        if not isinstance(description, list):
            return STARTING
        workers = description[0]["workers"]
        ready = [worker for worker in workers if worker["status"] == "READY"]
        return READY if workers and len(ready) >= description[0]["minWorkers"] else LOADING

    def _get(self, path: str) -> Any:
        # Not by urllib, which would ask a proxy where the environment names one.
        connection = http.client.HTTPConnection(HOST, self._ports.management, timeout=10)
        try:
            connection.request("GET", path)
            return json.load(connection.getresponse())
        finally:
            connection.close()


def stop(process: subprocess.Popen[bytes], pid_file: Path) -> None:
    """Ends the server: its Java process in order, which ends its workers, then whatever is left of the group."""
    pid = frontend_pid(process, pid_file)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def frontend_pid(process: subprocess.Popen[bytes], pid_file: Path) -> int:
    """The pid of the Java process, which the launcher writes down; the launcher's own before it has."""
    try:
        pid = int(pid_file.read_text())
        return pid if os.getpgid(pid) == process.pid else process.pid
    except (OSError, ValueError):
        return process.pid
