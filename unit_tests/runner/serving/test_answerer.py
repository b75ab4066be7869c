"""Calls, answered by a model that runs here."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Callable

import pytest

from ts.runner import load_archive
from ts.runner.answering.metrics import Measurement
from ts.runner.serving.answerer import answer_calls
from ts.runner.serving.replies import Reply
from ts.runner.serving.requests import prediction_call

RAISES = """
from ts.utils.util import PredictionException
said = bytes(data[0]["body"]).decode()
if said == "bug":
    raise ValueError("secret")
if said == "wrong":
    raise PredictionException("your fault", 400)
import numpy
from ts.metrics.dimension import Dimension
self.context.metrics.add_time("OwnSeconds", 2, unit="s")
self.context.metrics.add_size("OwnSize\\ud800", numpy.float32(2.5), dimensions=[Dimension("n", 1)])
self.context.metrics.add_percent("Nan", float("nan"))
return data
"""
IN_PARTS = """
from ts.handler_utils.utils import send_intermediate_predict_response
rows = [bytes(row["body"]).decode() for row in data]
for index in range(len(rows)):
    self.context.set_response_status(201, "", index)
    self.context.set_response_content_type(index, "text/plain")
for part in "12":
    parts = [row + part for row in rows]
    send_intermediate_predict_response(parts, self.context.request_ids, "", 200, self.context)
    for index in range(len(rows)):
        self.context.set_response_status(200, "", index)
if rows[0] == "fail":
    raise ValueError("secret")
return [row + "3" for row in rows]
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


def test_what_is_measured_is_told_in_plain_values_and_not_kept(
    archive: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with load_archive(archive, device="cpu") as model:
        _, measured = answer_calls(model, [prediction_call([], b"x")])
        own = [each for each in measured if each.name.startswith("Own")]
        dimensions = {"ModelName": "tiny", "Level": "Model"}
        assert own == [
            Measurement("OwnSeconds", 2.0, "s", None, dimensions, "gauge"),
            Measurement("OwnSize?", 2.5, "MB", None, {"n": "1", **dimensions}, "gauge"),
        ]
        assert [type(each.value) for each in own] == [float, float]
        assert model.metrics.measurements == []
    assert "metric Nan is dropped: nan is no number" in caplog.text


def test_parts_of_an_answer_are_told_as_they_are_sent(build_class: Callable[[str], Path]) -> None:
    told: list[tuple[int, Reply]] = []
    calls = [prediction_call([], body) for body in (b"a", b"b")]
    with load_archive(build_class(IN_PARTS), device="cpu") as model:
        replies, _ = answer_calls(model, calls, lambda index, part: told.append((index, part)))
        headers = {"ts_stream_next": "true"}
        assert [(index, part.body) for index, part in told] == [
            (0, b"a1"),
            (1, b"b1"),
            (0, b"a2"),
            (1, b"b2"),
        ]
        assert (told[0][1].status, told[0][1].content_type, told[0][1].headers) == (
            201,
            "text/plain",
            headers,
        )
        assert [reply.body for reply in replies] == [b"a3", b"b3"]
        whole, _ = answer_calls(model, calls)
        assert [reply.body for reply in whole] == [b"a1a2a3", b"b1b2b3"]
        assert {(reply.status, reply.content_type) for reply in whole} == {(201, "text/plain")}


def test_a_failure_after_a_part_is_no_part_of_the_answer(build_class: Callable[[str], Path]) -> None:
    told: list[bytes] = []
    with load_archive(build_class(IN_PARTS), device="cpu") as model:
        call = prediction_call([], b"fail")
        replies, _ = answer_calls(model, [call], lambda _, part: told.append(part.body))
    assert told == [b"fail1", b"fail2"]
    assert replies == [Reply(503, b"")]


@pytest.mark.parametrize(("status", "expected", "body"), [(204, 204, b""), (700, 503, b"Prediction failed")])
def test_an_answer_whose_first_part_decides_that_there_is_no_more_is_told_as_a_whole(
    build_class: Callable[[str], Path], status: int, expected: int, body: bytes
) -> None:
    told: list[Any] = []
    with load_archive(build_class(IN_PARTS.replace("201", str(status), 1)), device="cpu") as model:
        replies, _ = answer_calls(model, [prediction_call([], b"a")], lambda *part: told.append(part))
    assert told == []
    assert replies[0].status == expected
    assert body in replies[0].body
