"""What a handler sends before it returns, by torchserve's own function and by its stand-in."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from ts.runner import Answer, Model, load_archive

STREAMING = """
from ts.handler_utils.utils import send_intermediate_predict_response

class Handler:
    def initialize(self, context):
        pass

    def handle(self, data, context):
        def send(*results, code=200):
            send_intermediate_predict_response(list(results), context.request_ids, "said", code, context)

        rows = [bytes(row["body"]).decode() for row in data]
        send(*({"of": text} for text in rows))
        context.set_response_content_type(0, "image/png")
        context.set_response_header(0, "X-Own", "v")
        context.set_response_status(201, "Made", 0)
        send(*(b"\\xff" for _ in rows))
        if rows[0] == "refuse":
            send(*rows, code=409)
        if rows[0] == "raise":
            raise ValueError("boom")
        return rows
"""
NEXT = {"ts_stream_next": "true"}


@pytest.fixture(params=["torchserve's", "stand-in"], autouse=True)
def function(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The module that handlers find under the name `ts.handler_utils.utils`."""
    if request.param == "stand-in":
        module = importlib.import_module("ts.runner.standins.handler_utils.utils")
        monkeypatch.setitem(sys.modules, "ts.handler_utils.utils", module)
    elif importlib.util.find_spec("ts.model_server") is None:
        pytest.skip("torchserve is not installed")


@pytest.fixture
def model(build: Callable[..., Path]) -> Iterator[Model]:
    with load_archive(build("own.py", {"own.py": STREAMING}), device="cpu") as model:
        yield model


def test_what_is_sent_before_is_kept_in_order(model: Model) -> None:
    (answer,) = model.predict([b"a"])
    first, second = answer.intermediate
    assert first == Answer(200, b'{\n  "of": "a"\n}', headers=NEXT)
    assert second == Answer(201, b"\xff", "Made", "image/png", {"X-Own": "v", **NEXT})
    assert (first.response, second.response) == ({"of": "a"}, b"\xff")
    assert (answer.status, answer.body) == (201, b"a")
    assert answer.headers == {"X-Own": "v", "ts_stream_next": "false"}


def test_each_row_has_its_own(model: Model) -> None:
    answers = model.predict([b"a", b"b", b"c"], batch_size=2)
    assert [[part.response for part in answer.intermediate] for answer in answers] == [
        [{"of": text}, b"\xff"] for text in "abc"
    ]
    assert [answer.body for answer in answers] == [b"a", b"b", b"c"]


def test_a_part_that_is_an_error_is_the_error_of_a_batch(model: Model) -> None:
    (answer,) = model.predict([b"refuse"])
    error = answer.intermediate[-1]
    assert (error.status, error.content_type) == (409, "application/json")
    assert error.response == {"code": 409, "type": "InternalServerException", "message": "said"}


def test_what_was_sent_before_a_failure_is_there(model: Model) -> None:
    (answer,) = model.predict([b"raise"])
    assert answer.status == 503
    assert len(answer.intermediate) == 2


def test_a_handler_that_sends_none_has_none(build_class: Callable[[str], Path]) -> None:
    with load_archive(build_class("return ['whole']"), device="cpu") as model:
        assert [answer.intermediate for answer in model.predict([b"x"])] == [()]


SUBCLASS = """
from ts.handler_utils.utils import send_intermediate_predict_response
from ts.torch_handler.base_handler import BaseHandler

class Handler(BaseHandler):
    def initialize(self, context):
        self.initialized = True

    def preprocess(self, data):
        return [bytes(row["body"]).decode() for row in data]

    def inference(self, data):
        parts = [f"part of {text}" for text in data]
        send_intermediate_predict_response(parts, self.context.request_ids, "said", 200, self.context)
        return data

    def postprocess(self, data):
        return data
"""


def test_a_subclass_of_base_handler_sends_them_to_the_right_rows(build: Callable[..., Path]) -> None:
    with load_archive(build("own.py", {"own.py": SUBCLASS}), device="cpu") as model:
        answers = model.predict([b"a", b"b"], batch_size=2)
    parts: list[Any] = [[part.response for part in answer.intermediate] for answer in answers]
    assert parts == [["part of a"], ["part of b"]]
