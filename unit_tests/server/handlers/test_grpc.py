"""gRPC predictions of our image_classifier: the same JSON as by REST, and the error of a bad row in its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

import pytest

grpc = pytest.importorskip("grpc", reason="grpcio is not installed: pip install grpcio")
PREDICTIONS = "/org.pytorch.serve.grpc.inference.InferenceAPIsService/Predictions"

# Protocol buffers' wire format (https://protobuf.dev/programming-guides/encoding): all fields here are of wire
# type 2: a tag, the length of the content, and the content. PredictionsRequest: 1 is the model's name, 3 an entry
# of the input, in which 1 is the key and 2 the value. PredictionResponse: 1 is the answer.
BYTES = 2


def varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | BYTES) + varint(len(content)) + content


def predictions_request(model: str, **values: bytes) -> bytes:
    entries = (field(1, key.encode()) + field(2, value) for key, value in values.items())
    return field(1, model.encode()) + b"".join(field(3, entry) for entry in entries)


def answer_of(response: bytes) -> Any:
    start = response.index(b"{")
    assert response == field(1, response[start:])
    return json.loads(response[start:])


@pytest.fixture(scope="module")
def together(served: Any) -> Iterator[Callable[[list[bytes]], list[Any]]]:
    """`together(requests)` are the answers to PredictionsRequests that are sent at the same time."""
    options = [("grpc.enable_http_proxy", 0)]
    with grpc.insecure_channel(f"127.0.0.1:{served.server.grpc_port}", options=options) as channel:
        call = channel.unary_unary(PREDICTIONS)

        def send(requests: list[bytes]) -> list[Any]:
            with ThreadPoolExecutor(len(requests)) as pool:
                return [answer_of(found) for found in pool.map(lambda one: call(one, timeout=120), requests)]

        yield send


def test_a_corrupt_image_fails_alone(together: Any, image: Callable[[str], bytes], alone: Callable) -> None:
    red, green = image("red"), image("green")
    answers = together(
        [
            predictions_request("colours", data=red),
            predictions_request("colours", data=b"no photo"),
            predictions_request("colours", body=green),
            predictions_request("colours", data=green, topk=b"1"),
        ]
    )
    assert answers == [
        pytest.approx(alone(red), abs=1e-6),
        {
            "code": 400,
            "type": "BadRequestException",
            "message": "The 8 bytes received are not an image of a known format",
        },
        pytest.approx(alone(green), abs=1e-6),
        pytest.approx(alone(green, topk=1), abs=1e-6),
    ]


def test_requests_by_grpc_and_rest_share_a_batch(
    served: Any, together: Any, image: Callable[[str], bytes], alone: Callable
) -> None:
    red = image("red")
    with ThreadPoolExecutor(1) as pool:
        rest = pool.submit(served.together, "colours", [{"data": red}, {"data": b"no photo"}])
        by_grpc = together([predictions_request("colours", data=data) for data in (red, b"no photo")])
    good, bad = rest.result()
    assert (good.status, bad.status) == (200, 400)
    assert by_grpc == [good.response, bad.response]
