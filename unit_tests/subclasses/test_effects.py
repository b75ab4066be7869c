"""Rows of a subclass fail alone where that can be, and no hook's effect is ever applied twice."""

from __future__ import annotations

import array
import collections
import itertools
import multiprocessing
import queue
import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from ts.handler_utils.answering import effects
from ts.handler_utils.micro_batching import MicroBatching
from ts.torch_handler.base_handler import BaseHandler

TOTALS: dict[str, int] = {"all": 0}
calls = 0


class Meter:
    def __init__(self) -> None:
        self.total = 0
        self.log: list[int] = []


class Adder(BaseHandler):
    """Adds each number to what it has kept, and answers with the sum so far."""

    total = 0

    def __init__(self) -> None:
        super().__init__()
        self.initialized = True
        self.model = lambda batch: batch

    def preprocess(self, data: Any) -> Any:
        return [self.add(int(row["data"])) for row in data]

    def inference(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        return data

    def postprocess(self, data: Any) -> Any:
        return data

    def add(self, number: int) -> int:
        self.total += number
        return self.total


def keeping(make: Any, add: Any, read: Any) -> type[Adder]:
    """An Adder that keeps its sum in some other way."""

    class Keeping(Adder):
        def __init__(self) -> None:
            super().__init__()
            self.kept = make()

        def add(self, number: int) -> int:
            add(self.kept, number)
            return read(self.kept)

    return Keeping


class OnTheClass(Adder):
    def add(self, number: int) -> int:
        type(self).total += number
        return type(self).total


class InTheModule(Adder):
    def __init__(self) -> None:
        super().__init__()
        TOTALS["all"] = 0

    def add(self, number: int) -> int:
        global calls
        calls += 1
        TOTALS["all"] += number
        return TOTALS["all"]


def add_to_counter(kept: Any, number: int) -> None:
    kept["all"] += number


def put(kept: Any, number: int) -> None:
    kept.total += number
    kept.log.append(number)


def nest(kept: Any, number: int) -> None:
    kept["a"][0].append(number)


class Remembers(torch.nn.Module):
    """A model with a state of its own, beside layers and weights that have none."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.Linear(1000, 100)
        self.total = 0

    def forward(self, number: int) -> None:
        self.total += number


def add_to_local(kept: Any, number: int) -> None:
    kept.total = getattr(kept, "total", 0) + number


UNDONE = {
    "an attribute": Adder,
    "a list": keeping(list, lambda kept, number: kept.append(number), sum),
    "nested containers": keeping(lambda: {"a": ([],)}, nest, lambda kept: sum(kept["a"][0])),
    "a default": keeping(lambda: collections.defaultdict(int), add_to_counter, lambda kept: kept["all"]),
    "a counter": keeping(collections.Counter, add_to_counter, lambda kept: kept["all"]),
    "a deque": keeping(lambda: collections.deque(maxlen=9), lambda kept, n: kept.append(n), sum),
    "a queue": keeping(queue.Queue, lambda kept, number: kept.put(number), lambda kept: sum(kept.queue)),
    "a set": keeping(set, lambda kept, number: kept.add(number), sum),
    "bytes": keeping(bytearray, lambda kept, number: kept.append(number), sum),
    "an object": keeping(Meter, put, lambda kept: kept.total + 0 * sum(kept.log)),
    "a model that remembers": keeping(Remembers, lambda kept, number: kept(number), lambda kept: kept.total),
    "a thread's own": keeping(threading.local, add_to_local, lambda kept: kept.total),
    "a namespace": keeping(lambda: SimpleNamespace(total=0, log=[]), put, lambda kept: kept.total),
    "the class": OnTheClass,
    "the module": InTheModule,
}


def add_in_place(kept: Any, number: int) -> None:
    kept += number


class Numbers:
    """Gives numbers by a generator, which shows nothing of its state."""

    def __init__(self) -> None:
        self.numbers = itertools.accumulate(itertools.repeat(1))


def add_to_value(kept: Any, number: int) -> None:
    kept.value += number


def add_to_first(kept: Any, number: int) -> None:
    kept[0] += number


FAIL_WHOLE = {
    "a tensor": keeping(lambda: torch.zeros(1), add_in_place, lambda kept: int(kept)),
    "an array": keeping(lambda: np.zeros(1), add_in_place, lambda kept: int(kept[0])),
    "an array of Python's": keeping(lambda: array.array("l", [0]), add_to_first, lambda kept: kept[0]),
    "memory that processes share": keeping(
        lambda: multiprocessing.Value("i", 0), add_to_value, lambda kept: kept.value
    ),
    "a generator": keeping(lambda: itertools.count(1), lambda kept, _: next(kept), lambda _: 0),
    "a generator of an object": keeping(Numbers, lambda kept, _: next(kept.numbers), lambda _: 0),
    "more than is looked at": keeping(lambda: dict.fromkeys(range(effects.LIMIT), 0), add_to_first, min),
}


def rows(*values: Any) -> list[dict[str, Any]]:
    return [{"data": value} for value in values]


@pytest.mark.parametrize("kind", UNDONE.values(), ids=UNDONE)
def test_what_a_failed_try_has_changed_is_undone_before_rows_run_again(kind: Any, make_context: Any) -> None:
    handler, context = kind(), make_context()
    kind.total = 0
    answers = handler.handle(rows(2, 10, "x", 5), context)
    assert answers[:2] + answers[3:] == [2, 12, 17]
    assert context.statuses == {2: 503}
    assert handler.handle(rows(3), make_context()) == [20]


def test_what_a_model_or_a_context_keeps_in_private_is_left_as_it_is(make_context: Any) -> None:
    made = []

    class Caches(torch.nn.Module):
        def forward(self, numbers: Any) -> Any:
            if not hasattr(self, "_cache"):
                self._cache = len(made)
                made.append("a cache")
            return numbers

    class Keeps(Adder):
        def __init__(self) -> None:
            super().__init__()
            self.model = Caches()

        def inference(self, data: Any, *args: Any, **kwargs: Any) -> Any:
            if not hasattr(self.context, "_note"):
                self.context._note = made.append("a note")
            return self.model(data)

        def postprocess(self, data: Any) -> Any:
            if 3 in data:
                raise ValueError("three")
            return data

    handler = Keeps()
    first, second, third = handler.handle(rows(1, 2, 4), make_context())  # sums 1, 3, 7, of which 3 fails
    assert (first, second["code"], third) == (1, 503, 7)
    assert made == ["a note", "a cache"]


def test_a_handler_whose_module_was_not_imported_by_name_is_looked_at_too(make_context: Any) -> None:
    source = """
from ts.handler_utils.timer import timed
from ts.torch_handler.base_handler import BaseHandler

TOTALS = {"all": 0}

class Adds(BaseHandler):
    @timed
    def preprocess(self, data):
        for row in data:
            TOTALS["all"] += int(row["data"])
        return [TOTALS["all"]] * len(data)

    def inference(self, data):
        return data

    def postprocess(self, data):
        return data
"""
    variables: dict[str, Any] = {"__name__": "a_notebook"}
    exec(source, variables)
    answers = variables["Adds"]().handle(rows(2, "x", 10), make_context())
    assert (answers[0], answers[2]) == (2, 12)
    assert variables["TOTALS"] == {"all": 12}


@pytest.mark.parametrize("kind", FAIL_WHOLE.values(), ids=FAIL_WHOLE)
def test_where_it_cannot_be_undone_or_seen_the_batch_fails_as_a_whole(
    kind: Any, make_context: Any, caplog: Any
) -> None:
    handler, context = kind(), make_context()
    answers = handler.handle(rows(2, 10, "x", 5), context)
    assert [answer["code"] for answer in answers] == [503] * 4
    assert context.statuses == dict.fromkeys(range(4), 503)
    assert "`stateless = True`" in caplog.text
    assert len(handler.handle(rows(3), make_context())) == 1


def test_a_batch_without_a_failure_runs_once(make_context: Any) -> None:
    class Counts(Adder):
        count = 0

        def preprocess(self, data: Any) -> Any:
            self.count += 1
            return super().preprocess(data)

    handler = Counts()
    assert handler.handle(rows(2, 10), make_context()) == [2, 12]
    assert handler.count == 1


@pytest.mark.parametrize("how", ["a header", "sequence batching", "continuous batching"])
def test_rows_of_sequences_never_run_again(how: str, make_context: Any) -> None:
    handler, context = Adder(), make_context()
    if how == "a header":
        context.headers = {1: {"ts_request_sequence_id": "a"}}
    else:
        handler.model_yaml_config = {how.replace(" b", "B").replace(" ", ""): True}
    answers = handler.handle(rows(2, "x"), context)
    assert [answer["code"] for answer in answers] == [503, 503]
    assert handler.total == 2


def test_rows_do_not_run_again_once_a_part_of_an_answer_was_sent(make_context: Any) -> None:
    context = make_context()
    context.get_response_headers = lambda index: {"ts_stream_next": "true"} if index == 0 else {}
    answers = Adder().handle(rows(2, "x"), context)
    assert [answer["code"] for answer in answers] == [503, 503]


@pytest.mark.parametrize("place", ["class", "setting"])
@pytest.mark.parametrize("stateless", [True, False])
def test_a_handler_may_say_itself_whether_a_second_run_is_harmless(
    stateless: bool, place: str, make_context: Any, tmp_path: Any
) -> None:
    class Doubler(BaseHandler):
        def initialize(self, context: Any) -> None:
            super().initialize(context)
            self.model = lambda batch: batch * 2
            self.seen = torch.zeros(1)

        def preprocess(self, data: Any) -> Any:
            self.seen += len(data)
            return torch.tensor([float(row["data"]) for row in data])

    handler = Doubler()
    if place == "class":
        Doubler.stateless = stateless
    context = make_context(
        tmp_path, config={"handler": {"stateless": stateless}} if place == "setting" else {}
    )
    handler.initialize(context)
    first, second = handler.handle(rows(2, "x"), context)
    assert second["code"] == 503
    assert first == 4.0 if stateless else first["code"] == 503


def test_an_error_that_names_its_rows_is_theirs_and_the_others_fail_where_they_cannot_run_again(
    make_context: Any,
) -> None:
    class Refuses(FAIL_WHOLE["a tensor"]):  # type: ignore[misc,name-defined]
        def inference(self, data: Any, *args: Any, **kwargs: Any) -> Any:
            from ts.handler_utils.errors import InvalidInput, RowErrors

            raise RowErrors({1: InvalidInput("not this one")})

    context = make_context()
    answers = Refuses().handle(rows(1, 2, 3), context)
    assert [answer["code"] for answer in answers] == [503, 400, 503]
    assert answers[1]["message"] == "not this one"


def test_micro_batches_that_change_their_handler_fail_as_a_whole(make_context: Any) -> None:
    handler = Adder()
    handler.handle = MicroBatching(handler, 2)  # type: ignore[method-assign]
    answers = handler.handle(rows(1, 2, 3, "x"), make_context())
    assert answers[:2] == [1, 3]
    assert [answer["code"] for answer in answers[2:]] == [503, 503]


def test_micro_batches_share_a_counter_and_the_place_where_it_is_asked_for(make_context: Any) -> None:
    class Counts(Adder):
        def postprocess(self, data: Any) -> Any:
            self.note = len(data)
            return [(self.handle.get_micro_batch_idx(), self.note)] * self.note  # type: ignore[attr-defined]

    handler = Counts()
    handler.handle = MicroBatching(handler, 2, {"preprocess": 1})  # type: ignore[method-assign]
    handler.handle.parallelism = {"inference": 2}  # type: ignore[attr-defined]
    handler.handle.parallelism = {"postprocess": 0}  # type: ignore[attr-defined]
    assert handler.handle(rows(1, 2, 3, 4, 5), make_context()) == [(0, 2), (0, 2), (1, 2), (1, 2), (2, 1)]
    assert handler.total == 15
    assert handler.handle.parallelism == {"preprocess": 1, "inference": 2, "postprocess": 0}  # type: ignore[attr-defined]
    assert handler.handle.get_micro_batch_idx() is None  # type: ignore[attr-defined]


def test_what_is_chained_deeper_than_calls_may_nest_is_looked_at_and_undone(make_context: Any) -> None:
    class Chained(Adder):
        def __init__(self) -> None:
            super().__init__()
            self.last = self.first = SimpleNamespace(total=0, next=None)
            for _ in range(1500):
                self.first = SimpleNamespace(total=0, next=self.first)

        def add(self, number: int) -> int:
            self.last.total += number
            return self.last.total

    handler, context = Chained(), make_context()
    assert handler.handle([{"data": "1"}, {"data": "none"}, {"data": "2"}], context)[::2] == [1, 3]
    assert context.statuses == {1: 503}


def test_a_state_that_fails_to_be_looked_at_is_unknown(make_context: Any, caplog: Any) -> None:
    class Closed:
        @property
        def __dict__(self) -> Any:
            raise ValueError("closed")

    class Keeping(Adder):
        def __init__(self) -> None:
            super().__init__()
            self.kept = Closed()

    context = make_context()
    Keeping().handle([{"data": "1"}, {"data": "none"}], context)
    assert context.statuses == {0: 503, 1: 503}
    assert "might change something twice: closed" in caplog.text
