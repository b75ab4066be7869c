"""Why a handler failed at whole batches, which no answer says."""

from __future__ import annotations

import logging
import sys
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Optional

from ts.runner.answering.answer import Answer
from ts.runner.answering.model import one_line

MOST_KINDS = 100  # that are counted
MOST_TOLD = 5
LOGGER = "ts.runner.answering.model"  # which has a line for each of them


class Failures:
    """Counts the batches that failed, by why they did; or prints a traceback of each at once.

    Args:
        at_once: Whether to print them.
    """

    def __init__(self, at_once: bool) -> None:
        self._at_once = at_once
        self._counts: Counter[str] = Counter()

    def __call__(self, answered: Sequence[tuple[str, Answer]]) -> None:
        """Takes the answers of a batch."""
        last: Optional[BaseException] = None
        for _, answer in answered:
            if answer.reason is not None and answer.reason is not last:
                last = answer.reason
                self._add(last)

    def _add(self, reason: BaseException) -> None:
        if self._at_once:
            traceback.print_exception(type(reason), reason, reason.__traceback__)
        text = one_line(reason)
        if text in self._counts or len(self._counts) < MOST_KINDS:
            self._counts[text] += 1

    @contextmanager
    def instead_of_log(self) -> Iterator[None]:
        """Keeps the log silent of them for the time of a `with` block, and tells of them after it."""
        logger = logging.getLogger(LOGGER)
        level = logger.level
        if not self._at_once:
            logger.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            logger.setLevel(level)
            for text, times in self._counts.most_common(MOST_TOLD):
                batches = "a batch" if times == 1 else f"{times:,} batches"
                sys.stderr.write(f"torch-model-runner: the handler failed at {batches}: {text}\n")
