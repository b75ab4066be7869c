"""What libraries and handlers say while they work for an export or a packing, kept from the terminal."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps back torch's warnings, logs and prints of an export, which are for its makers, in a `with` block."""
    logger = logging.getLogger("torch")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


@contextmanager
def only_errors(*names: str) -> Iterator[None]:
    """Keeps back what loggers say below an error, in a `with` block."""
    with ExitStack() as stack:
        for logger in map(logging.getLogger, names):
            stack.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.ERROR)
        yield


@contextmanager
def kept_errors(name: str) -> Iterator[list[str]]:
    """Keeps all that a logger and those below it say from the terminal, in a `with` block.

    Yields:
        What was wrong, by the exceptions that they logged.
    """
    errors: list[str] = []
    logger, keeper = logging.getLogger(name), _Keeper(errors)
    propagates, logger.propagate = logger.propagate, False
    logger.addHandler(keeper)
    try:
        yield errors
    finally:
        logger.removeHandler(keeper)
        logger.propagate = propagates


class _Keeper(logging.Handler):
    def __init__(self, errors: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._errors = errors

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            self._errors.append(" ".join(str(error).split()) or type(error).__name__)
