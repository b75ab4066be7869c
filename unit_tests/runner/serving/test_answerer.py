"""Calls, answered by a model that runs here."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Callable

import pytest

from ts.runner import load_archive
from ts.runner.serving.answerer import answer_calls
from ts.runner.serving.requests import prediction_call

RAISES = """
from ts.utils.util import PredictionException
said = bytes(data[0]["body"]).decode()
if said == "bug":
    raise ValueError("secret")
if said == "wrong":
    raise PredictionException("your fault", 400)
self.context.metrics.add_time("Seconds", 2, unit="s")
self.context.metrics.add_size("Size", 2)
return data
"""


@pytest.fixture
def archive(build_class: Callable[[str], Path]) -> Path:
    return build_class(RAISES)


def test_a_fault_is_logged_with_the_ids_of_its_requests(
    archive: Path, caplog: pytest.LogCaptureFixture
) -> None:
    calls = [prediction_call([], b"bug"), prediction_call([], b"x")]
    with load_archive(archive, device="cpu") as model, caplog.at_level(logging.INFO, "ts.runner.serving"):
        replies, _ = answer_calls(model, calls)
    assert [reply.status for reply in replies] == [503, 503]
    (record,) = caplog.records[-1:]
    assert record.getMessage() == f"requests {calls[0].id}, {calls[1].id} failed"
    assert record.exc_info
    assert str(record.exc_info[1]) == "secret"


def test_what_a_client_did_wrong_has_no_traceback(archive: Path, caplog: pytest.LogCaptureFixture) -> None:
    with load_archive(archive, device="cpu") as model:
        replies, _ = answer_calls(model, [prediction_call([], b"wrong")])
    assert replies[0].status == 400
    assert not [record for record in caplog.records if record.exc_info]


def test_only_times_are_told_and_nothing_is_kept(archive: Path) -> None:
    with load_archive(archive, device="cpu") as model:
        _, times = answer_calls(model, [prediction_call([], b"x")])
        assert times == {"Seconds": [2.0]}
        assert model.metrics.measurements == []
