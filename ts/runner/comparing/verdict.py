"""What is found for each input: asked alone, and in a batch with others."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Optional

from ts.runner.answering.model import batches
from ts.runner.batch.listing import STDIN
from ts.runner.batch.question import Question, absolute, read_content
from ts.runner.batch.row import shown
from ts.runner.comparing.answers import compare_answers
from ts.runner.comparing.difference import DIFFERS
from ts.runner.comparing.reasons import Case, Reason, why
from ts.runner.comparing.said import Said, Side
from ts.runner.serving.requests import Call

NOT_READ = "not read"


@dataclass(frozen=True)
class Verdict:
    """How the answers to one request differ.

    Attributes:
        input: The file, as it was named.
        rows: How many requests were sent together.
        state: `SAME`, `WITHIN`, `DIFFERS` or `NOT_READ`.
        how: What differs, each in a few words.
        largest: The largest difference between numbers.
        reason: Why that is expected; None if it is not.
        statuses: Of the old and the new answer.
    """

    input: str
    rows: int
    state: str
    how: Sequence[str] = ()
    largest: float = 0.0
    reason: Optional[Reason] = None
    statuses: tuple[int, int] = (0, 0)


class Comparison:
    """Asks two sides the same.

    Args:
        old, new: The sides.
        question: What goes with each file.
        tolerance: Of numbers.
        stdin: What standard input has given.
        has_settings: Whether the archive has settings that only this library reads.
    """

    def __init__(
        self,
        old: Side,
        new: Side,
        question: Question,
        tolerance: float,
        *,
        stdin: bytes = b"",
        has_settings: bool = False,
    ) -> None:
        self._old, self._new, self._question = old, new, question
        self._tolerance, self._stdin, self._has_settings = tolerance, stdin, has_settings
        self._folder = os.getcwd()

    def verdicts(self, paths: Iterable[str], batch_size: int) -> Iterator[Verdict]:
        """Asks each file alone and, if `batch_size` is above 1, so many in a batch."""
        for batch in batches(paths, batch_size):
            asked = [(path, self._call(path)) for path in batch]
            calls = [(path, call) for path, call in asked if isinstance(call, Call)]
            yield from (item for _, item in asked if isinstance(item, Verdict))
            alone = []
            for pair in calls:
                (verdict,), (said,) = self._compared([pair])
                yield verdict
                alone.append(said)
            if len(calls) > 1:
                yield from self._compared(calls, alone)[0]

    def _call(self, path: str) -> Call | Verdict:
        try:
            content = self._stdin if path == STDIN else read_content(absolute(path, self._folder))
        except Exception as error:  # of file systems behind URLs any may come
            return Verdict(shown(path), 1, NOT_READ, [str(error)])
        return self._question.call(path, content)

    def _compared(
        self, asked: Sequence[tuple[str, Call]], alone: Sequence[Said] = ()
    ) -> tuple[list[Verdict], list[Said]]:
        """Sends requests together.

        Args:
            asked: Files, and their requests.
            alone: What the old side says to each of them alone.

        Returns:
            The verdicts, and what the old side says.
        """
        calls = [call for _, call in asked]
        there, here = self._old.answers(calls), self._new.answers(calls)
        verdicts = []
        for (path, call), old, new, by_itself in zip(asked, there, here, alone or there):
            found = compare_answers(old, new, self._tolerance)
            case = Case(call, old, new, found, len(calls), by_itself, self._has_settings)
            reason = why(case) if found.state == DIFFERS else None
            statuses = (old.status, new.status)
            verdicts.append(
                Verdict(shown(path), len(calls), found.state, found.how, found.largest, reason, statuses)
            )
        return verdicts, there
