"""The traceback of a fault is written once."""

from __future__ import annotations

import logging
import sys

from ts.runner.serving.embedded.faults import FaultsOnce


def record(request: int, error: type[Exception] = ValueError) -> logging.LogRecord:
    try:
        raise error(f"no price for {request}\nnor a name")
    except error:
        return logging.LogRecord(
            "own", logging.ERROR, __file__, 1, "Request %d failed", (request,), sys.exc_info()
        )


def test_a_fault_that_comes_again_is_one_line() -> None:
    formatter = FaultsOnce("kitten.mar: %(name)s: %(message)s")
    first = formatter.format(record(1))
    assert first.startswith("kitten.mar: own: Request 1 failed\nTraceback (most recent call last):\n")
    assert first.endswith("ValueError: no price for 1\nnor a name")
    again = formatter.format(record(2))
    assert again == "kitten.mar: own: Request 2 failed: ValueError: no price for 2 nor a name"
    assert "Traceback" in formatter.format(record(3, KeyError))


def test_a_handler_after_it_still_has_the_traceback() -> None:
    formatter, failed = FaultsOnce("%(message)s"), record(1)
    formatter.format(record(0))
    formatter.format(failed)
    assert "Traceback" in logging.Formatter().format(failed)


def test_what_is_no_fault_is_as_it_was() -> None:
    plain = logging.LogRecord("own", logging.WARNING, __file__, 1, "slow", (), None)
    assert FaultsOnce("%(message)s").format(plain) == "slow"
