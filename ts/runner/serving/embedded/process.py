"""A worker process, seen from the process that speaks HTTP."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Optional, cast

from ts.runner.serving.answerer import Answered
from ts.runner.serving.embedded.messages import Message, pack_calls, unpack_answered
from ts.runner.serving.embedded.worker import WorkerOptions
from ts.runner.serving.replies import no_response, worker_died
from ts.runner.serving.requests import Call

STOP_SECONDS = 5  # that a worker has to end in order, before it is killed


class StartError(Exception):
    """A worker did not start; the text says why in one sentence."""


class Channel(asyncio.Protocol):
    """A worker's end of a socket: one message goes there, then one comes back."""

    def __init__(self) -> None:
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport
        self._message = Message()
        self._answer: Optional[asyncio.Future[Message]] = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._message.feed(data):
            message, self._message = self._message, Message()
            if self._answer and not self._answer.done():
                self._answer.set_result(message)

    def connection_lost(self, error: Optional[Exception]) -> None:
        if not self.closed.done():
            self.closed.set_result(None)
        if self._answer and not self._answer.done():
            self._answer.set_exception(ConnectionError())

    async def next(self, seconds: float) -> Message:
        """The next message.

        Raises:
            ConnectionError: The worker has ended.
            TimeoutError: None came within so many seconds.
        """
        loop = asyncio.get_running_loop()
        answer = self._answer = loop.create_future()
        if self.closed.done():
            raise ConnectionError
        timer = loop.call_later(seconds, expire, answer)
        try:
            return await answer
        finally:
            timer.cancel()

    def send(self, message: bytes) -> None:
        self._transport.write(message)

    def close(self) -> None:
        self._transport.close()


def expire(answer: asyncio.Future[Message]) -> None:
    if not answer.done():
        answer.set_exception(TimeoutError())


class WorkerProcess:
    """Answers batches in a process of its own, one at a time. Get one from `start_worker`.

    Attributes:
        pid: Of the process.
        closed: Done as soon as the process has ended.
    """

    def __init__(
        self, process: asyncio.subprocess.Process, channel: Channel, response_timeout: float
    ) -> None:
        self._process = process
        self._channel = channel
        self._response_timeout = response_timeout
        self.pid = process.pid
        self.closed = channel.closed

    async def answer(self, calls: Sequence[Call]) -> Answered:
        """The replies to a batch.

        Raises:
            Refused: The process has ended, or did not answer in time. It can be used no more.
        """
        self._channel.send(pack_calls(calls))
        try:
            return unpack_answered(await self._channel.next(self._response_timeout))
        except ConnectionError:
            raise worker_died() from None
        except TimeoutError:
            raise no_response(self._response_timeout) from None

    async def stop(self, *, seconds: float = STOP_SECONDS) -> Optional[int]:
        """Ends the process and those that it started, after some seconds by force.

        Returns:
            Its exit status; negative for a signal that ended it.
        """
        self._channel.close()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._process.wait(), seconds)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        return await self._process.wait()


async def start_worker(
    options: WorkerOptions, env: Mapping[str, str], *, startup_timeout: float, response_timeout: float
) -> WorkerProcess:
    """Starts a worker, and waits until its handler has started.

    Raises:
        StartError: It has not.
    """
    ours, theirs = socket.socketpair()
    with theirs:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *options.arguments(theirs.fileno()),
            stdin=asyncio.subprocess.PIPE,  # ends with this process
            stdout=2,  # what handlers print is no output of the server's
            env=env,
            pass_fds=(theirs.fileno(),),
            start_new_session=True,  # no signals of the terminal, and one group with all that it starts
        )
    _, channel = await asyncio.get_running_loop().create_connection(Channel, sock=ours)
    worker = WorkerProcess(process, channel, response_timeout)
    try:
        head = (await channel.next(startup_timeout)).head
    except ConnectionError:
        raise StartError(ending(await worker.stop())) from None
    except TimeoutError:
        await worker.stop(seconds=0)
        raise StartError(f"it was not ready within {startup_timeout:g} seconds, its startupTimeout") from None
    except asyncio.CancelledError:
        await worker.stop(seconds=0)
        raise
    if not head["ready"]:
        await worker.stop()
        raise StartError(head["reason"])
    return worker


def ending(status: Optional[int]) -> str:
    """How a worker ended, by its exit status."""
    if status is None or status >= 0:
        return f"its process ended with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"its process was ended by {name}"
