"""What a worker's log has of faults: a request that fails as others have is one line."""

from __future__ import annotations

import logging
import traceback

MOST = 1000  # faults that are remembered


class FaultsOnce(logging.Formatter):
    """Writes a traceback where a fault first comes, and after that the exception alone, behind the message."""

    def __init__(self, form: str) -> None:
        super().__init__(form)
        self._seen: set[tuple[object, ...]] = set()

    def format(self, record: logging.LogRecord) -> str:
        kind, error, trace = record.exc_info or (None, None, None)
        if kind is None:
            return super().format(record)
        fault = (kind, *((frame.filename, frame.lineno) for frame in traceback.extract_tb(trace)))
        if fault not in self._seen:
            if len(self._seen) < MOST:
                self._seen.add(fault)
            return super().format(record)
        said = " ".join(str(error).split())
        again = logging.makeLogRecord(
            {
                **vars(record),
                "msg": "%s: %s: %s",
                "args": (record.getMessage(), kind.__name__, said),
                "exc_info": None,
                "exc_text": None,
            }
        )
        return super().format(again)
