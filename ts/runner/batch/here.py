"""Answers inputs by a handler in this process; the next batch is read while one is answered."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Callable, Optional, Union

from ts.runner.answering.answer import Answer
from ts.runner.answering.model import Model
from ts.runner.batch.listing import STDIN
from ts.runner.batch.question import Question, absolute, read_content, unread
from ts.runner.batch.row import Row
from ts.runner.fetching.reference import URL
from ts.runner.serving.replies import reply_of
from ts.runner.serving.requests import Call

READERS = 16  # files that are read at once
# Of a batch of which nobody said how large it is, so that photos of many megapixels fit in memory, too.
FILES_AT_ONCE, BYTES_AT_ONCE = 16, 16 << 20

# A question, or what stands in place of an answer to it.
Asked = Union[Call, Answer]

# Some inputs with their answers.
Answered = list[tuple[str, Answer]]


class Here:
    """Answers inputs by a model.

    Args:
        model: It answers in the thread that asks.
        question: What goes with each input.
        batch_size: The inputs that the handler gets at once; None for a number that suits files of their sizes.
        stdin: What standard input has given.
    """

    def __init__(
        self, model: Model, question: Question, batch_size: Optional[int], stdin: bytes = b""
    ) -> None:
        self._model, self._question, self._batch_size, self._stdin = model, question, batch_size, stdin
        self._folder = os.getcwd()  # while the handler is at work, it is the archive's

    def answers(self, paths: Iterable[str]) -> Iterator[Answered]:
        """Each input with its answer, batch by batch; that of a file which cannot be read says so."""
        with ThreadPoolExecutor(READERS) as readers:
            ahead: Optional[list[tuple[str, Future[Asked]]]] = None
            for batch in self._batches(paths):
                reading = [(path, readers.submit(self._read, path)) for path in batch]
                if ahead is not None:
                    yield self._answered(ahead)
                ahead = reading
            if ahead is not None:
                yield self._answered(ahead)

    def rows(
        self, paths: Iterable[str], seen: Callable[[Answered], None] = lambda _: None
    ) -> Iterator[list[Row]]:
        """As `answers`, as what a client would get; `seen` is told of each batch before."""
        for answered in self.answers(paths):
            seen(answered)
            yield [row_of(path, answer) for path, answer in answered]
            self._model.metrics.measurements.clear()  # which would grow with each batch

    def _answered(self, asked: Sequence[tuple[str, Future[Asked]]]) -> Answered:
        found = [(path, future.result()) for path, future in asked]
        calls = [item for _, item in found if isinstance(item, Call)]
        answers = iter(self._model.answer([call.request() for call in calls]) if calls else ())
        return [(path, next(answers) if isinstance(item, Call) else item) for path, item in found]

    def _read(self, path: str) -> Asked:
        try:
            content = self._stdin if path == STDIN else read_content(absolute(path, self._folder))
            return self._question.call(path, content)
        except Exception as error:
            reply = unread(error)
            return Answer(reply.status, reply.body, content_type=reply.content_type)

    def _batches(self, paths: Iterable[str]) -> Iterator[list[str]]:
        most, room = self._batch_size or FILES_AT_ONCE, 0 if self._batch_size else BYTES_AT_ONCE
        return groups(paths, most, room, lambda path: size_of(absolute(path, self._folder)))


def row_of(path: str, answer: Answer) -> Row:
    reply = reply_of(answer)
    return Row(path, reply.status, reply.content_type, reply.body)


def groups(paths: Iterable[str], most: int, room: int, size: Callable[[str], int]) -> Iterator[list[str]]:
    """Some paths at a time: `most`, of `room` bytes unless that is 0; a larger one alone."""
    some: list[str] = []
    bytes_of_some = 0
    for path in paths:
        more = size(path) if room else 0
        if some and (len(some) == most or bytes_of_some + more > room > 0):
            yield some
            some, bytes_of_some = [], 0
        some.append(path)
        bytes_of_some += more
    if some:
        yield some


def size_of(path: str) -> int:
    """The bytes of a file; 0 where they are not known."""
    with suppress(OSError):
        return 0 if URL.match(path) else os.stat(path).st_size
    return 0
