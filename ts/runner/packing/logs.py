"""What libraries and handlers log while they work for a packing, of which only errors are told."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager


@contextmanager
def only_errors(*names: str) -> Iterator[None]:
    """Keeps what loggers say below an error from the terminal, inside a `with` block."""
    with ExitStack() as stack:
        for logger in map(logging.getLogger, names):
            stack.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.ERROR)
        yield
