"""What runs in the event loop of the embedded engine: HTTP, and the supervision of workers."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Callable, Optional

import uvicorn

from ts.runner.archives.archive import Archive
from ts.runner.errors import ServerError
from ts.runner.serving.app import build_app
from ts.runner.serving.embedded.protocol import BoundedProtocol
from ts.runner.serving.embedded.supervisor import ServedArchive, Start
from ts.runner.serving.metrics import Meter
from ts.runner.serving.registry import Models
from ts.runner.serving.settings import ServingSettings

logger = logging.getLogger(__name__)

# For what is being answered at the end, before workers have theirs to end; Kubernetes gives a pod 30.
DRAIN_SECONDS = 20
KEEP_ALIVE_SECONDS = 60  # that a connection without requests stays open

OnStart = Callable[[str, Optional[str]], None]  # a model by name and version, and why it failed, or None


def ignore(model: str, failure: Optional[str]) -> None:
    """Nobody wants to know."""


class Front:
    """Serves archives, each with its settings and with what starts a worker of it.

    Args:
        served: The archives.
        max_request_size: The bytes that the body of a request may have.
    """

    def __init__(
        self, served: Sequence[tuple[Archive, ServingSettings, Start]], max_request_size: int
    ) -> None:
        self._served = served
        self._max_request_size = max_request_size
        self._is_to_end = False
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._end: asyncio.Future[None]

    def stop(self) -> None:
        """Has `run` come to its end; from any thread, before or while it runs or after it."""
        self._is_to_end = True
        if self._loop:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._note_end)

    def _note_end(self) -> None:
        if self._is_to_end and not self._end.done():
            self._end.set_result(None)

    async def run(
        self, listener: socket.socket, ready: Future[dict[str, str]], on_start: OnStart = ignore
    ) -> None:
        """Serves until it is to stop, and then answers what it has begun.

        Args:
            listener: Listens already.
            on_start: Is told of each model that has started or failed.
            ready: Gets why models are not served, see `failures_of`, when each has started or failed.

        Raises:
            ServerError: No model has started, or two have the same name and version.
        """
        self._loop = asyncio.get_running_loop()
        self._end = self._loop.create_future()
        self._note_end()
        meter = Meter()
        archives = [
            ServedArchive(archive, settings, start, meter.of(archive.name, archive.model["modelVersion"]))
            for archive, settings, start in self._served
        ]
        app = build_app(Models(archives), meter, max_request_size=self._max_request_size)
        http = http_server(app)
        serving = asyncio.create_task(http.serve(sockets=[listener]))
        try:
            for archive in archives:
                archive.begin()
            decided = asyncio.gather(*(told(archive, on_start) for archive in archives))
            ends: set[asyncio.Future[Any]] = {serving, self._end}
            await asyncio.wait({*ends, decided}, return_when=asyncio.FIRST_COMPLETED)
            if decided.done():
                ready.set_result(failures_of(archives))
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            decided.cancel()
        finally:
            http.should_exit = True
            await asyncio.gather(serving, return_exceptions=True)
            await asyncio.gather(*(archive.close() for archive in archives))
        serving.result()


async def told(archive: ServedArchive, on_start: OnStart) -> None:
    """Waits until an archive has started or failed, and tells it."""
    await archive.decided()
    on_start(f"{archive.name}/{archive.version}", archive.failure)


def failures_of(archives: Sequence[ServedArchive]) -> dict[str, str]:
    """Why models did not start, by name and version: `kitten/1.0`.

    Raises:
        ServerError: None did.
    """
    failures = {
        f"{archive.name}/{archive.version}": archive.failure
        for archive in archives
        if archive.failure is not None
    }
    if all(archive.has_failed for archive in archives):
        raise ServerError("; ".join(failures.values()))
    return failures


def http_server(app: object) -> uvicorn.Server:
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        lifespan="off",
        proxy_headers=False,
        http=BoundedProtocol,
        ws="none",
        log_config=None,
        log_level="error",  # what clients send wrong is no line each
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    return uvicorn.Server(config)
