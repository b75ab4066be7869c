"""The embedded engine: archives served over HTTP by this process and its workers."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Optional, Union

from ts.runner.answering.metrics_file import read_metrics_file
from ts.runner.answering.model import check_integrity
from ts.runner.archives.archive import Archive, open_archive
from ts.runner.errors import ArchiveError, ServerError
from ts.runner.serving.app import url_of
from ts.runner.serving.embedded.front import Front, OnStart, ignore
from ts.runner.serving.embedded.process import WorkerProcess, start_worker
from ts.runner.serving.embedded.supervisor import Start
from ts.runner.serving.embedded.threads import threads_of_a_worker
from ts.runner.serving.embedded.worker import WorkerOptions
from ts.runner.serving.settings import MAX_REQUEST_SIZE, ServingSettings, serving_settings

try:
    import uvloop as loops  # with which a request costs a seventh less
except ImportError:  # it is for CPython on Linux and macOS
    import asyncio as loops  # type: ignore[no-redef]

HOST = "127.0.0.1"
BACKLOG = 2048  # connections that wait to be accepted
THREADS = "OMP_NUM_THREADS"


class EmbeddedServer:
    """Serves archives as TorchServe does, for the time of a `with` block; this process needs no Java and no torch.

    Each archive has `minWorkers` processes of its own, which end with this one, however it ends.

    Example:
        with EmbeddedServer(["kitten.mar"]) as server:
            requests.post(f"{server.url}/predictions/kitten", data=photo)

    Attributes:
        archives: The archives, unpacked, in the order in which they were named.
        failures: Why models are not served, by name and version (`kitten/1.0`), where others are.
    """

    def __init__(
        self,
        archives: Sequence[Union[str, Path]],
        *,
        host: str = HOST,
        port: int = 0,
        device: str = "auto",
        batch_size: Optional[int] = None,
        metrics_file: Union[str, Path, None] = None,
        max_size: Optional[int] = None,
        max_request_size: int = MAX_REQUEST_SIZE,
        env: Optional[Mapping[str, str]] = None,
        on_start: OnStart = ignore,
    ) -> None:
        """Takes note of what is wanted; all happens when the `with` block is entered.

        Args:
            archives: Zips (.mar), tars (.tar.gz) or folders.
            host: The address to listen on, or a name of it.
            port: 0 takes a free one.
            device: "auto" (every GPU, if there is any), "cpu" or "cuda:N".
            batch_size: Of each model, in place of the archives' `batchSize`.
            metrics_file: Defines metrics that handlers find.
            max_size: The bytes that each archive may unpack to; see `open_archive`.
            max_request_size: The bytes that the body of a request may have.
            env: Environment variables of the workers; by default this process's.
            on_start: Called in another thread as `on_start("kitten/1.0", None)`, or with the reason of a failure.
        """
        self.archives: list[Archive] = []
        self.failures: dict[str, str] = {}
        self._paths = archives
        self._host, self._port = host, port
        self._device, self._batch_size = device, batch_size
        self._metrics_file = metrics_file
        self._max_size, self._max_request_size = max_size, max_request_size
        self._env = dict(os.environ if env is None else env)
        self._on_start, self._stack = on_start, ExitStack()
        self._thread: Optional[threading.Thread] = None
        self._front: Optional[Front] = None
        self._ended: Future[None] = Future()

    def __enter__(self) -> EmbeddedServer:
        """Unpacks the archives, listens, and returns when each model has all its workers or has failed.

        Raises:
            ArchiveError: An archive breaks the format.
            FolderError: There is no place to unpack them.
            InputError: The file of metrics cannot be read.
            ServerError: The port is taken, or no model has started.
        """
        if os.name != "posix":
            raise ServerError("the embedded engine needs Linux or macOS")
        if not self._paths:
            raise ServerError("there is no archive to serve")
        with ExitStack() as stack:
            if self._metrics_file is not None:
                read_metrics_file(self._metrics_file)
            for path in self._paths:
                refuse_workflow(path)
                archive = stack.enter_context(open_archive(path, max_size=self._max_size))
                check_integrity(archive)
                self.archives.append(archive)
            settings = [serving_settings(archive, self._batch_size) for archive in self.archives]
            listener = stack.enter_context(listening(self._host, self._port))
            self._port = listener.getsockname()[1]
            stack.callback(self._stop)
            self._start(listener, settings)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        """Answers what is being answered, and ends the workers."""
        self._stack.close()

    @property
    def url(self) -> str:
        """Where it answers, e.g. "http://127.0.0.1:8080"."""
        return url_of(self._host, self._port)

    def wait(self) -> None:
        """Blocks as long as the server runs.

        Raises:
            ServerError: It ended.
        """
        try:
            self._ended.result()
        except Exception as error:
            raise ServerError(f"the server ended by itself: {type(error).__name__}: {error}") from error
        raise ServerError("the server ended by itself")

    def _start(self, listener: socket.socket, settings: Sequence[ServingSettings]) -> None:
        env = self._env
        env.setdefault(THREADS, str(threads_of_a_worker(sum(each.min_workers for each in settings))))
        starts = [self._start_of(*each, env) for each in zip(self.archives, settings)]
        front = self._front = Front(list(zip(self.archives, settings, starts)), self._max_request_size)
        ready: Future[dict[str, str]] = Future()

        def run() -> None:
            try:
                loops.run(front.run(listener, ready, self._on_start))
                self._ended.set_result(None)
            except BaseException as error:
                self._ended.set_exception(error)
                if not ready.done():
                    ready.set_exception(error)

        self._thread = threading.Thread(target=run, name="http")
        self._thread.start()
        self.failures = ready.result()

    def _start_of(self, archive: Archive, settings: ServingSettings, env: Mapping[str, str]) -> Start:
        """Starts workers of one archive, each given its index."""
        options = WorkerOptions(
            source=str(archive.source),
            origin=archive.origin,
            root=str(archive.root),
            index=0,
            device=self._device,
            batch_size=self._batch_size,
            metrics_file=str(Path(self._metrics_file).resolve()) if self._metrics_file else None,
            log_level=logging.getLogger().getEffectiveLevel(),
        )

        async def start(index: int) -> WorkerProcess:
            return await start_worker(
                replace(options, index=index),
                env,
                startup_timeout=settings.startup_timeout,
                response_timeout=settings.response_timeout,
            )

        return start

    def _stop(self) -> None:
        if self._front and self._thread:
            self._front.stop()
            self._thread.join()


def refuse_workflow(path: Union[str, Path]) -> None:
    if Path(path).suffix.lower() == ".war":
        raise ArchiveError(
            f"{path} is a workflow, which only TorchServe itself runs: register it there (POST /workflows),"
            " and serve the archives of its models here"
        )


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens on an address.

    Raises:
        ServerError: It cannot.
    """
    listener = None
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(
            family, kind, protocol
        )  # asyncio sets TCP_NODELAY where the protocol is given
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        if listener:
            listener.close()
        raise ServerError(f"port {port} of {host} cannot be listened on: {error}") from error
    return listener
