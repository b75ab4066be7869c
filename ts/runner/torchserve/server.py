"""A real TorchServe, private to this process, for the time of a `with` block."""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Callable, Optional, Union
from urllib.parse import quote

from ts.runner.errors import ServerError
from ts.runner.fetching.cache import in_use
from ts.runner.folders import Folder, temporary_folder
from ts.runner.signals import undisturbed
from ts.runner.torchserve import guard
from ts.runner.torchserve.config import (
    HOST,
    Ports,
    ServedModel,
    choose_ports,
    environment,
    lay_out,
    served_models,
    store_name,
)
from ts.runner.torchserve.guard import STOP_SECONDS
from ts.runner.torchserve.log import load_failure, server_failure, worker_failure

POLL_SECONDS = 0.2
KILL_SECONDS = 5  # that the guard has left to kill what did not stop
STARTING, LOADING, READY = "server starting", "worker starting", "ready"


class TorchServe:
    """Starts TorchServe on 127.0.0.1 with some archives, and stops it without leaving processes or files.

    However the process ends that started it, a guard (`ts.runner.torchserve.guard`) stops the server.

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
        max_size: Optional[int] = None,
        on_state: Optional[Callable[[str, str], None]] = None,
    ) -> None:
        """Checks the archives; the server starts when the `with` block is entered.

        Args:
            archives: What `open_archive` opens.
            port: Of the inference API; 0 takes a free one. The other ports are always free ones.
            device: "auto" (every GPU, if there is any), "cpu" or "cuda:N".
            python: The interpreter that runs the server and its workers; torchserve must be installed for it.
            env: Environment variables; by default this process's.
            config: More keys for config.properties, or other values for those that are set here.
            log_dir: Where the server's logs stay; by default they are deleted with it.
            max_size: The bytes that each archive may unpack to; see `open_archive`.
            on_state: Called as `on_state(model name, state)` whenever a model's state changes while starting.

        Raises:
            ArchiveError: An archive breaks the format.
            ServerError: No archive, or the same model twice.
        """
        self.models: list[ServedModel] = served_models(archives, max_size)
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
            ArchiveError: An archive is gone meanwhile.
            DeviceError: There is no such device.
            ServerError: TorchServe or Java is missing, the port is taken, or a handler does not start.
        """
        with ExitStack() as stack:
            for model in self.models:
                stack.enter_context(in_use(model.archive))
            folder = stack.enter_context(temporary_folder("torchserve-"))
            try:
                with undisturbed():
                    self._start(folder)
                    stack.callback(stop, self._guard, self._group)
            except OSError as error:
                raise ServerError(f"TorchServe cannot be started: {error}") from error
            self._wait_until_ready()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
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
        self._guard.wait()
        raise ServerError(f"TorchServe ended by itself: {server_failure(self._console)}")

    def _start(self, folder: Folder) -> None:
        if self._python == sys.executable and importlib.util.find_spec("ts.model_server") is None:
            raise ServerError("TorchServe is not installed: pip install 'torchserve-handlers[server]'")
        place = folder.path
        logs = self._log_dir or place / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        env = environment(place, logs, self._device, self._env)
        self._ports = choose_ports(self._port)
        config = lay_out(place, self.models, self._ports, self._device, self._config)
        self._console = logs / "console.log"
        server = [self._python, "-m", "ts.model_server", "--start", "--foreground", "--no-config-snapshots"]
        guarded = [str(os.getpid()), str(place / ".model_server.pid"), str(place.parent)]
        with self._console.open("wb") as console:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", guard.__file__, *guarded, *server, "--ts-config", str(config)],
                cwd=place,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=console,
                start_new_session=True,  # out of reach of the terminal's signals
                pass_fds=()
                if folder.lock is None
                else (folder.lock,),  # so that the folder stays as long as it
            )
        assert self._guard.stdout
        with self._guard.stdout as answer:
            group = answer.readline()
        if not group:
            self._guard.wait()
            raise ServerError(f"TorchServe did not start: {server_failure(self._console)}")
        self._group = int(group)

    def _wait_until_ready(self) -> None:
        states: dict[ServedModel, str] = {}
        while any(states.get(model) != READY for model in self.models):
            if self._guard.poll() is not None:
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
            ServerError: Its archive was not loaded, or its worker failed to start.
        """
        archive = store_name(self.models.index(model), model)
        reason = load_failure(self._console, archive)
        reason = reason or worker_failure(self._console, model.name, model.version)
        if reason:
            raise ServerError(f"TorchServe could not start {model.name!r}: {reason}")
        try:
            description = self._get(f"/models/{quote(model.name, safe='')}/{quote(model.version, safe='')}")
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


def stop(guard: subprocess.Popen[bytes], group: int) -> None:
    """Has the guard end the server; where it was killed, ends the server's process group."""
    with undisturbed():
        guard.terminate()
        try:
            guard.wait(STOP_SECONDS + KILL_SECONDS)
        except subprocess.TimeoutExpired:
            guard.kill()
        if guard.wait() < 0:  # by a signal: it may have left the server behind
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
