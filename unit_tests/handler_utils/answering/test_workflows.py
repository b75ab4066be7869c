"""A node of a workflow, by the messages that torchserve's own service sends from its worker to the frontend."""

from __future__ import annotations

import struct
from types import SimpleNamespace
from typing import Any, Callable, Optional

import pytest

from ts.handler_utils.answering.batch import BatchAnswering
from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.micro_batching import MicroBatching
from ts.torch_handler.base_handler import BaseHandler

service = pytest.importorskip(
    "ts.service", reason="needs torchserve: pip install 'torchserve-handlers[server]'"
)

HTTP = {"Host": "127.0.0.1"}
DIRECT = {**HTTP, "explain": "False"}  # what the frontend adds where a model is asked, not a workflow
GRPC: dict[str, str] = {}
NODE = "flow__first"


class Numbers(BaseHandler):
    """Answers numbers, and refuses texts."""

    def preprocess(self, data: Any) -> Any:
        return [self.number(bytes(row["body"])) for row in data]

    def number(self, text: bytes) -> int:
        if not text.isdigit():
            raise InvalidInput(f"{text.decode()} is no number", 422)
        return int(text)

    def inference(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        return data

    def postprocess(self, data: Any) -> Any:
        return data


class Fields:
    """Reads what a worker has written, field by field."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def number(self) -> int:
        (number,) = struct.unpack("!i", self.content[:4])
        self.content = self.content[4:]
        return number

    def text(self, length: Optional[int] = None) -> str:
        length = self.number() if length is None else length
        text, self.content = self.content[:length], self.content[length:]
        return bytes(text).decode()


def read(content: bytes) -> tuple[int, str, dict[str, tuple[int, str, dict[str, str]]]]:
    """The code and the phrase of a message, and by request its status, answer and response headers."""
    fields = Fields(bytes(content))
    code, phrase, answers = fields.number(), fields.text(), {}
    while (length := fields.number()) != -1:
        name = fields.text(length)
        _content_type, status, _phrase = fields.text(), fields.number(), fields.text()
        headers = {fields.text(): fields.text() for _ in range(fields.number())}
        answers[name] = (status, fields.text(), headers)
    assert fields.content == b""
    return code, phrase, answers


class Worker:
    """A worker's service without a worker.

    Args:
        entry: what the service calls.
        name: of the model, as the frontend calls it; its archive calls it "first".
    """

    def __init__(self, entry: Callable[..., Any], name: str = NODE) -> None:
        metrics = SimpleNamespace(add_time=lambda *_: None)
        manifest = {"model": {"modelName": "first"}}
        self.service = service.Service(name, ".", manifest, entry, None, 4, metrics_cache=metrics)
        self.service.set_cl_socket(SimpleNamespace(sendall=lambda content: self.sent.append(read(content))))
        self.sent: list[Any] = []

    def answer(self, **requests: tuple[bytes, dict[str, str]]) -> Any:
        """The last message for a batch of requests: by their ids their bodies and headers."""
        return read(self.service.predict([self._request(*named) for named in requests.items()]))

    def _request(self, name: str, request: tuple[bytes, dict[str, str]]) -> dict[str, Any]:
        body, headers = request
        return {
            "requestId": name.encode(),
            "parameters": [{"name": "body", "value": body, "contentType": b""}],
            "headers": [{"name": key.encode(), "value": value.encode()} for key, value in headers.items()],
        }


@pytest.fixture(params=["whole", "in micro batches"])
def worker(request: pytest.FixtureRequest) -> Worker:
    handler = Numbers()
    if request.param != "whole":
        BatchAnswering.of(handler).in_parts = MicroBatching(handler, 1)
    return Worker(handler.handle)


def test_a_row_that_fails_is_answered_with_an_error_after_the_others_have_gone_on(worker: Worker) -> None:
    last = worker.answer(a=(b"1", HTTP), b=(b"x", HTTP), c=(b"3", HTTP))
    more = {"ts_stream_next": "true"}
    assert worker.sent == [(200, "Prediction success", {"a": (200, "1", more), "c": (200, "3", more)})]
    assert last[:2] == (422, "x is no number")


def test_rows_that_fail_together_get_the_error_of_the_first(worker: Worker) -> None:
    last = worker.answer(a=(b"x", HTTP), b=(b"y", HTTP))
    assert worker.sent == []
    assert last[:2] == (422, "x is no number")


def test_where_no_row_fails_there_is_one_message(worker: Worker) -> None:
    last = worker.answer(a=(b"1", HTTP), b=(b"2", HTTP))
    assert worker.sent == []
    assert last == (200, "Prediction success", {"a": (200, "1", {}), "b": (200, "2", {})})


def statuses(message: Any) -> dict[str, int]:
    return {name: status for name, (status, _, _) in message[2].items()}


@pytest.mark.parametrize("headers", [DIRECT, GRPC], ids=["by HTTP", "by gRPC"])
def test_who_asks_a_nodes_model_by_itself_is_answered_row_by_row(
    worker: Worker, headers: dict[str, str]
) -> None:
    last = worker.answer(a=(b"1", headers), b=(b"x", headers))
    assert worker.sent == []
    assert (last[0], statuses(last)) == (200, {"a": 200, "b": 422})


def test_a_request_past_the_workflow_fails_alone_beside_those_of_the_workflow(worker: Worker) -> None:
    last = worker.answer(a=(b"1", HTTP), b=(b"x", DIRECT))
    assert worker.sent == []
    assert (last[0], statuses(last)) == (200, {"a": 200, "b": 422})


@pytest.mark.parametrize("headers", [DIRECT, GRPC], ids=["by HTTP", "by gRPC"])
def test_a_request_past_the_workflow_is_not_blamed_for_what_another_one_sent(
    worker: Worker, headers: dict[str, str]
) -> None:
    last = worker.answer(a=(b"x", HTTP), b=(b"2", headers), c=(b"3", HTTP))
    assert [set(answers) for _, _, answers in worker.sent] == [{"c"}]
    assert last[:2] == (503, "The batch failed, since another request in it did")


@pytest.mark.parametrize("name", ["first", "own__name"])
def test_a_model_of_no_workflow_answers_row_by_row(name: str) -> None:
    worker = Worker(Numbers().handle, name)
    worker.service.context.manifest["model"]["modelName"] = name
    last = worker.answer(a=(b"1", HTTP), b=(b"x", HTTP))
    assert worker.sent == []
    assert (last[0], statuses(last)) == (200, {"a": 200, "b": 422})


class Doubles(Numbers):
    def handle(self, data: Any, context: Any) -> list[Any]:
        return [2 * answer for answer in super().handle(data, context)]


def doubles(data: Any, context: Any) -> list[Any]:
    return [2 * answer for answer in Numbers().handle(data, context)]


@pytest.mark.parametrize("entry", [Doubles().handle, doubles], ids=["a subclass", "another handler"])
def test_answers_that_somebody_changes_first_are_not_sent_as_they_are(entry: Callable[..., Any]) -> None:
    worker = Worker(entry)
    assert worker.answer(a=(b"1", HTTP), b=(b"2", HTTP))[2]["b"][1] == "4"
    last = worker.answer(a=(b"1", HTTP), b=(b"x", HTTP))
    assert worker.sent == []
    assert last[:2] == (503, "The batch failed, since another request in it did")


def test_a_request_fails_whose_rows_an_envelope_has_made() -> None:
    def enveloped(data: Any, context: Any) -> list[Any]:
        rows = [{"body": body} for row in data for body in bytes(row["body"]).split()]
        return [Numbers().handle(rows, context)]

    worker = Worker(enveloped)
    assert worker.answer(a=(b"1 2 3", HTTP))[0] == 200
    assert worker.answer(a=(b"1 2 x", HTTP))[:2] == (422, "x is no number")


def test_an_answer_that_cannot_be_encoded_is_not_sent() -> None:
    class Sets(Numbers):
        def postprocess(self, data: Any) -> Any:
            return [{number} for number in data]

    worker = Worker(Sets().handle)
    assert worker.answer(a=(b"1", HTTP), b=(b"x", HTTP))[0] == 503
    assert worker.sent == []
