"""A worker process, seen from the process that speaks HTTP."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Optional, cast

from ts.runner.serving.answerer import Answered
from ts.runner.serving.embedded.messages import Message, Messages, pack_calls, unpack_answered, unpack_part
from ts.runner.serving.embedded.streams import Begin, Streams
from ts.runner.serving.embedded.worker import WorkerOptions
from ts.runner.serving.replies import no_response, worker_died
from ts.runner.serving.requests import Call

STOP_SECONDS = 5  # that a worker has to end in order, before it is killed


class StartError(Exception):
    """A worker did not start; the text says why in one sentence."""


class Channel(asyncio.Protocol):
    """A worker's end of a socket: one message goes there, then one or more come back."""

    def __init__(self) -> None:
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport
        self._messages = Messages()
        self._arrived: deque[Message] = deque()
        self._arrival: Optional[asyncio.Future[None]] = None  # that `next` waits for

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._arrived.extend(self._messages.feed(data))
        if self._arrived and self._arrival and not self._arrival.done():
            self._arrival.set_result(None)

    def connection_lost(self, error: Optional[Exception]) -> None:
        if not self.closed.done():
            self.closed.set_result(None)
        if self._arrival and not self._arrival.done():
            self._arrival.set_exception(ConnectionError())

    async def next(self, seconds: float) -> Message:
        """The next message.

        Raises:
            ConnectionError: The worker has ended.
            TimeoutError: None came within so many seconds.
        """
        if not self._arrived:
            if self.closed.done():
                raise ConnectionError
            loop = asyncio.get_running_loop()
            self._arrival = loop.create_future()
            timer = loop.call_later(seconds, expire, self._arrival)
            try:
                await self._arrival
            finally:
                timer.cancel()
        return self._arrived.popleft()

    def send(self, message: bytes) -> None:
        self._transport.write(message)

    def close(self) -> None:
        self._transport.close()


def expire(arrival: asyncio.Future[None]) -> None:
    if not arrival.done():
        arrival.set_exception(TimeoutError())


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

    async def answer(self, calls: Sequence[Call], begin: Optional[Begin] = None) -> Answered:
        """The replies to a batch.

        Args:
            calls: The batch.
            begin: Gets the reply to a call, by its index, when there is a first part of it, and `more` of it is to
                come; the last of it is what is returned for that call. By default replies are whole.

        Raises:
            Refused: The process has ended, or did not go on in time. It can be used no more.
        """
        self._channel.send(pack_calls(calls, in_parts=begin is not None))
        try:
            with Streams(begin) as streams:
                while said := unpack_part(message := await self._channel.next(self._response_timeout)):
                    streams.add(*said)
                answered = unpack_answered(message)
                streams.end(answered.replies)
            return answered
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
