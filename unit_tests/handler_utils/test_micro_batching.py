"""MicroBatching: micro batches pass through a handler's hooks at the same time, and never mix."""

from __future__ import annotations

import threading
from typing import Any, Callable

import pytest
import torch

from ts.handler_utils.micro_batching import HANDLER_METHODS, MicroBatching
from ts.handler_utils.requests.options import Options
from ts.torch_handler.base_handler import BaseHandler


class FactorOptions(Options):
    factor: int = 2


class Multiplier(BaseHandler):
    """Answers a number with its product by the option `factor`; notes the rows of each batch that it is given."""

    options_class = FactorOptions
    stateless = True  # to note a batch twice does no harm

    def __init__(self) -> None:
        super().__init__()
        self.initialized = True
        self.model = lambda batch: batch
        self.batches: list[int] = []

    def preprocess(self, data: Any) -> Any:
        self.batches.append(len(data))
        return super().preprocess(data)

    def postprocess(self, data: Any) -> list[Any]:
        factors = [options.factor for options in self.options(len(data))]
        return [value * factor for value, factor in zip(data.tolist(), factors)]


def micro(handler: BaseHandler, size: int = 2, **parallelism: int) -> BaseHandler:
    handler.handle = MicroBatching(handler, size, parallelism)  # type: ignore[method-assign]
    return handler


def rows(*values: Any) -> list[dict[str, Any]]:
    return [{"data": value} for value in values]


def test_a_batch_is_answered_in_micro_batches(make_context: Callable) -> None:
    handler = micro(Multiplier())
    assert handler.handle(rows(1.0, 2.0, 3.0, 4.0, 5.0), make_context()) == [2.0, 4.0, 6.0, 8.0, 10.0]
    assert sorted(handler.batches) == [1, 2, 2]


def test_options_stay_with_their_rows(make_context: Callable) -> None:
    handler = micro(Multiplier(), preprocess=3, inference=3, postprocess=3)
    context = make_context(headers={row: {"ts-factor": str(row)} for row in range(100)})
    data = [{"data": 1.0, **({"factor": 1000} if row == 50 else {})} for row in range(100)]
    expected = [1000.0 if row == 50 else float(row) for row in range(100)]
    for _ in range(5):
        assert handler.handle(data, context) == expected


def test_a_row_that_fails_fails_alone_and_the_next_batch_is_answered(make_context: Callable) -> None:
    handler = micro(Multiplier())
    for _ in range(2):
        context = make_context()
        answers = handler.handle(rows(1.0, 2.0, 3.0, "x"), context)
        assert answers[:3] == [2.0, 4.0, 6.0]
        assert answers[3]["code"] == 400
        assert context.statuses == {3: 400}


def test_each_row_gets_its_own_kind_of_answer(make_context: Callable) -> None:
    class Explainer(Multiplier):
        def get_insights(self, tensor_data: Any, _: Any, target: int = 0) -> list[Any]:
            return [f"{value} because {target}" for value in tensor_data.tolist()]

    context = make_context(headers={1: {"explain": "True"}, 3: {"describe": "True"}})
    answers = micro(Explainer()).handle(rows(1.0, 2.0, 3.0, 4.0), context)
    assert answers[:3] == [2.0, "2.0 because 0", 6.0]
    assert answers[3]["handler"] == "Explainer"


def test_what_a_hook_writes_on_self_belongs_to_its_micro_batch(make_context: Callable) -> None:
    class Remembers(Multiplier):
        def preprocess(self, data: Any) -> Any:
            self.sizes = [row["data"] for row in data]
            return super().preprocess(data)

        def postprocess(self, data: Any) -> list[Any]:
            return self.sizes

    handler = micro(Remembers(), preprocess=4, inference=4, postprocess=4)
    values = [float(value) for value in range(50)]
    assert handler.handle(rows(*values), make_context()) == values


def test_a_hook_that_calls_another_does_not_wait_for_itself(make_context: Callable) -> None:
    class Calls(Multiplier):
        def postprocess(self, data: Any) -> list[Any]:
            return super().postprocess(self.inference(self.preprocess(rows(*data.tolist()))))

    assert micro(Calls()).handle(rows(1.0, 2.0, 3.0), make_context()) == [2.0, 4.0, 6.0]


def test_as_many_micro_batches_as_allowed_are_in_a_hook_at_a_time(make_context: Callable) -> None:
    meeting = threading.Barrier(3, timeout=60)

    class Meets(Multiplier):
        def inference(self, data: Any, *args: Any, **kwargs: Any) -> Any:
            meeting.wait()
            return data

    handler = micro(Meets(), size=1, inference=3)
    assert handler.handle(rows(1.0, 2.0, 3.0), make_context()) == [2.0, 4.0, 6.0]


def test_one_micro_batch_is_in_a_hook_at_a_time_unless_more_are_allowed(make_context: Callable) -> None:
    class Alone(Multiplier):
        lock = threading.Lock()

        def inference(self, data: Any, *args: Any, **kwargs: Any) -> Any:
            assert self.lock.acquire(blocking=False)
            torch.rand(100, 100) @ torch.rand(100, 100)
            self.lock.release()
            return data

    handler = micro(Alone(), size=1, preprocess=4, postprocess=4)
    values = [1.0] * 40
    assert handler.handle(rows(*values), make_context()) == [2.0] * 40


def test_the_time_of_a_batch_is_reported_once(make_context: Callable) -> None:
    context = make_context()
    micro(Multiplier()).handle(rows(1.0, 2.0, 3.0), context)
    assert [name for name, _, _ in context.metrics.times] == ["HandlerTime"]


def test_hooks_can_ask_for_the_index_of_their_micro_batch(make_context: Callable) -> None:
    class Indexed(Multiplier):
        def postprocess(self, data: Any) -> list[Any]:
            return [batching.get_micro_batch_idx()] * len(data)

    batching = MicroBatching(Indexed(), 2)
    assert batching(rows(1.0, 2.0, 3.0), make_context()) == [0, 0, 1]


def test_a_hook_that_asks_for_its_index_has_the_context_of_the_whole_batch(make_context: Callable) -> None:
    class Named(Multiplier):
        def postprocess(self, data: Any) -> list[Any]:
            first = self.context.get_request_id(0)  # as long as nothing is asked, that of this micro batch
            start = self.handle.get_micro_batch_idx() * self.handle.micro_batch_size  # type: ignore[attr-defined]
            names = [self.context.get_request_id(start + row) for row in range(len(data))]
            return [(first, name, value) for name, value in zip(names, super().postprocess(data))]

    context = make_context(headers={row: {"ts-factor": str(row)} for row in range(5)})
    answers = micro(Named()).handle(rows(1.0, 1.0, 1.0, 1.0, 1.0), context)
    assert answers == [(f"request-{row - row % 2}", f"request-{row}", float(row)) for row in range(5)]


def test_the_profiler_traces_one_micro_batch_at_a_time(
    make_context: Callable, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("ENABLE_TORCH_PROFILER", "true")
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    context = make_context()
    handler = micro(Multiplier(), preprocess=2, inference=2)
    handler.manifest = context.manifest
    assert handler.handle(rows(1.0, 2.0, 3.0, 4.0), context) == [2.0, 4.0, 6.0, 8.0]
    assert len(list((tmp_path / "pytorch_profiler" / "test").glob("*.pt.trace.json"))) == 2


def test_an_empty_batch_has_no_answers(make_context: Callable) -> None:
    assert micro(Multiplier()).handle([], make_context()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"micro_batch_size": 0}, "micro_batch_size must be a whole number from 1 up, not 0"),
        (
            {"parallelism": {"inference": "2"}},
            "parallelism: inference must be a whole number from 0 up, not '2'",
        ),
        (
            {"parallelism": {"postproces": 2}},
            "parallelism is of preprocess, inference, postprocess: not 'postp",
        ),
    ],
)
def test_a_wrong_setting_is_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"micro_batching: {message}"):
        MicroBatching(Multiplier(), **arguments)


def test_only_what_has_the_hooks_can_be_driven() -> None:
    with pytest.raises(TypeError, match="a handler with preprocess, inference, postprocess, not a dict"):
        MicroBatching({})


def test_a_handler_that_is_no_base_handler_is_driven_by_its_hooks(make_context: Any) -> None:
    class Doubler:
        def preprocess(self, data: Any) -> Any:
            return [row["data"] for row in data]

        def inference(self, data: Any) -> Any:
            return [2 * value for value in data]

        def postprocess(self, data: Any) -> Any:
            return [(value, self.context.get_request_id(0)) for value in data]

    answers = MicroBatching(Doubler(), 2)([{"data": value} for value in range(3)], make_context())
    assert answers == [(0, "request-0"), (2, "request-0"), (4, "request-2")]


def test_the_hooks_are_named_as_torchserve_names_them() -> None:
    assert HANDLER_METHODS == ["preprocess", "inference", "postprocess"]
