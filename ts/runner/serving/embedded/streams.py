"""Answers that clients get in parts, as a handler sends them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Callable, Optional

from ts.runner.serving.replies import Reply

Begin = Callable[[int, Reply], None]  # gets the reply to one of a batch's calls, by its index


class Stream:
    """The bodies that follow the first of an answer, to be iterated over once, as they come."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Optional[bytes]] = asyncio.Queue()
        self._is_whole = False

    def add(self, body: bytes) -> None:
        self._queue.put_nowait(body)

    def end(self, *, is_whole: bool) -> None:
        self._is_whole = is_whole
        self._queue.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """The bodies.

        Raises:
            ConnectionError: The handler failed, or its worker ended, before the answer did.
        """
        while (body := await self._queue.get()) is not None:
            yield body
        if not self._is_whole:
            raise ConnectionError("the answer breaks off")


class Streams:
    """Those of a batch, for the time of a `with` block, at whose end they have all come to one.

    Args:
        begin: Gets each reply of which there is a first part.
    """

    def __init__(self, begin: Optional[Begin]) -> None:
        self._begin = begin
        self._streams: dict[int, Stream] = {}  # by a call's index

    def __enter__(self) -> Streams:
        return self

    def __exit__(self, *error: object) -> None:
        for stream in self._streams.values():
            stream.end(is_whole=False)

    def add(self, index: int, part: Reply) -> None:
        """Takes the next part of a reply."""
        if index in self._streams:
            self._streams[index].add(part.body)
        elif self._begin:
            stream = self._streams[index] = Stream()
            self._begin(index, replace(part, more=stream))

    def end(self, replies: Sequence[Reply]) -> None:
        """Takes the last part of each; another status than 200 means that the handler failed before it."""
        for index in list(self._streams):
            stream, reply = self._streams.pop(index), replies[index]
            stream.add(reply.body)
            stream.end(is_whole=reply.status == 200)
