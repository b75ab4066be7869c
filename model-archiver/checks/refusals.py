"""What becomes of a check that finds something: an error where it is certain, a warning where it is not."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ..model_archiver_error import ModelArchiverError

logger = logging.getLogger(__name__)


@contextmanager
def refusals(certain: bool) -> Iterator[None]:
    """Lets a `ModelArchiverError` of the block through if it is `certain`, and else logs it as a warning."""
    try:
        yield
    except ModelArchiverError as error:
        if certain:
            raise
        logger.warning("%s", error)
