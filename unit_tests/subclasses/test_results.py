"""What subclasses answer and raise goes out as it was meant, or is an error of its own row."""

from __future__ import annotations

import json
from argparse import Namespace
from types import SimpleNamespace
from typing import Any, Callable
from unittest.mock import MagicMock

import numpy as np
import pytest
import torch

from ts.handler_utils.errors import InvalidInput
from ts.torch_handler.base_handler import BaseHandler
from ts.torch_handler.image_classifier import ImageClassifier
from ts.utils.util import PredictionException


class Says(BaseHandler):
    """Answers with what it is told to, or raises it."""

    def __init__(self) -> None:
        super().__init__()
        self.initialized = True

    def preprocess(self, data: Any) -> Any:
        return [row["data"] for row in data]

    def inference(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        for value in data:
            if isinstance(value, Exception):
                raise value
        return data

    def postprocess(self, data: Any) -> Any:
        return data


def rows(*values: Any) -> list[dict[str, Any]]:
    return [{"data": value} for value in values]


@pytest.mark.parametrize("status", [400, 404, 418, 429, 513, 520, 599, 999])
def test_any_status_is_that_of_its_row(status: int, make_context: Callable) -> None:
    context = make_context()
    good, bad = Says().handle(rows("fine", PredictionException("as it is", status)), context)
    assert good == "fine"
    assert (bad["code"], bad["message"]) == (status, "as it is")
    assert context.statuses == {1: status}


@pytest.mark.parametrize("status", [None, "no number", 0, 42, 1000, -1])
def test_what_is_no_status_is_a_500(status: Any, make_context: Callable) -> None:
    context = make_context()
    (bad,) = Says().handle(rows(PredictionException("as it is", status)), context)
    assert (bad["code"], context.statuses) == (500, {0: 500})


@pytest.mark.parametrize(
    "error",
    [
        KeyError("text"),
        TypeError("no"),
        ValueError("no"),
        FileNotFoundError("/srv/secret/vocab.txt"),
        OSError(5),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_fault_of_the_handler_is_no_clients_and_gives_nothing_away(
    error: Any, make_context: Callable
) -> None:
    class Faulty(Says):
        def preprocess(self, data: Any) -> Any:
            raise error

    context = make_context()
    (answer,) = Faulty().handle(rows("x"), context)
    assert answer == {"code": 503, "type": "InternalServerException", "message": "Prediction failed"}


def test_an_image_processing_that_fails_is_the_handlers_fault(make_context: Callable, tmp_path: Any) -> None:
    from tiny_archives import TINY

    class Own(ImageClassifier):
        def image_processing(self, image: Any) -> Any:  # type: ignore[override]
            raise KeyError("mode")

    archive = TINY["classifier"]
    context = make_context(archive.write(tmp_path), modelFile="model.py")
    handler = Own()
    handler.initialize(context)
    handler.handle(archive.rows[:1], context)
    assert context.statuses == {0: 503}
    handler.handle([{"data": b"no photo"}], context)
    assert context.statuses == {0: 400}


WRITTEN = [
    (np.float32(0.5), 0.5),
    (np.int64(3), 3),
    (np.bool_(True), True),
    (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
    ({"scores": np.array([0.5]), np.int64(1): torch.tensor(2)}, {"scores": [0.5], "1": 2}),
    ([{"box": (torch.tensor([1.0, 2.0]), np.float64(3.0))}], [{"box": [[1.0, 2.0], 3.0]}]),
    ({"plain": [1, 2.5, "x", None, True]}, {"plain": [1, 2.5, "x", None, True]}),
    ([0.25, 1, -3.5], [0.25, 1, -3.5]),
    ([10**400, 1.0], [10**400, 1.0]),
]


@pytest.mark.parametrize(("result", "written"), WRITTEN, ids=lambda value: type(value).__name__)
def test_numbers_of_numpy_and_torch_are_written(result: Any, written: Any, make_context: Callable) -> None:
    (answer,) = Says().handle(rows(result), make_context())
    assert json.loads(json.dumps(answer)) == written


@pytest.mark.parametrize("result", ["text", b"\x89PNG", bytearray(b"x"), torch.tensor([1.0])], ids=str)
def test_what_torchserve_sends_as_it_is_stays_as_it_is(result: Any, make_context: Callable) -> None:
    (answer,) = Says().handle(rows(result), make_context())
    assert answer is result


INVALID = [
    float("nan"),
    [1.0, float("inf")],
    {"cat": float("-inf")},
    {"a": [{"b": np.float32("nan")}]},
    torch.tensor([[float("nan")]]).numpy(),
    {1, 2},
    object(),
    "\ud800",
]


@pytest.mark.parametrize("result", INVALID, ids=lambda value: type(value).__name__)
def test_what_json_has_no_form_for_is_its_rows_error(result: Any, make_context: Callable) -> None:
    context = make_context()
    first, second = Says().handle(rows(result, [1.0]), context)
    assert first == {"code": 503, "type": "InternalServerException", "message": "Prediction failed"}
    assert (second, context.statuses) == ([1.0], {0: 503})


PROPERTIES = {"model_dir": "/tmp", "gpu_id": None, "batch_size": 1}
MANIFEST = {"model": {"modelName": "own"}}
CONTEXTS = {
    "what 0.12 reads": lambda: SimpleNamespace(
        system_properties=PROPERTIES, manifest=MANIFEST, get_request_header=lambda *_: None
    ),
    "a Namespace": lambda: Namespace(system_properties=PROPERTIES, manifest=MANIFEST),
    "without metrics": lambda: Namespace(system_properties=PROPERTIES, manifest=MANIFEST, metrics=None),
    "a MagicMock": lambda: MagicMock(system_properties=PROPERTIES, manifest=MANIFEST),
}


@pytest.mark.parametrize("make", CONTEXTS.values(), ids=CONTEXTS)
def test_a_context_of_a_test_need_not_have_all_that_the_servers_has(make: Callable) -> None:
    handler, context = Says(), make()
    handler.initialize(context)
    assert handler.handle(rows("a", {"b": 1}), context) == ["a", {"b": 1}]


OWN_ERRORS = [KeyError("its own"), PredictionException("its own", 404), InvalidInput("its own")]


@pytest.mark.parametrize("error", OWN_ERRORS)
@pytest.mark.parametrize("make", CONTEXTS.values(), ids=CONTEXTS)
def test_a_context_that_takes_no_status_gets_the_hooks_own_error(make: Callable, error: Exception) -> None:
    with pytest.raises(type(error), match="its own"):
        Says().handle(rows("a", error), make())
