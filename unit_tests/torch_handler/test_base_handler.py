"""BaseHandler: how it answers a batch, whatever its rows and its subclass do."""

from __future__ import annotations

import pytest
import torch

from ts.handler_utils.errors import InvalidInput, RowErrors
from ts.torch_handler.base_handler import BaseHandler
from ts.utils.util import PredictionException


class Doubler(BaseHandler):
    """Answers a number with its double; the model is Python's."""

    def __init__(self):
        super().__init__()
        self.initialized = True
        self.model = lambda batch: batch * 2
        self.batches = []

    def inference(self, data, *args, **kwargs):
        self.batches.append(data.tolist())
        return super().inference(data)


class FailsInPreprocess(Doubler):
    def preprocess(self, data):
        return torch.tensor([float(row["data"]) for row in data])


class FailsInInference(Doubler):
    def inference(self, data, *args, **kwargs):
        if (data < 0).any():
            raise RuntimeError("a negative number")
        return super().inference(data)


class FailsInPostprocess(Doubler):
    def postprocess(self, data):
        if (data < 0).any():
            raise PredictionException("a negative number", 422)
        return super().postprocess(data)


class NamesItsBadRows(Doubler):
    def preprocess(self, data):
        bad = {i: InvalidInput("a negative number") for i, row in enumerate(data) if row["data"] < 0}
        if bad:
            raise RowErrors(bad)
        return super().preprocess(data)


class ForgetsRows(Doubler):
    def postprocess(self, data):
        return super().postprocess(data)[:1]


def rows(*values):
    return [{"data": value} for value in values]


@pytest.mark.parametrize(
    ("handler", "bad", "status"),
    [
        (FailsInPreprocess, "x", 503),
        (FailsInInference, -1, 503),
        (FailsInPostprocess, -1, 422),
        (NamesItsBadRows, -1, 400),
    ],
)
def test_a_row_that_fails_in_any_hook_fails_alone(handler, bad, status, make_context):
    context = make_context()
    answers = handler().handle(rows(1.0, 2.0, bad, 4.0, 5.0), context)
    assert answers[:2] + answers[3:] == [2.0, 4.0, 8.0, 10.0]
    assert answers[2].keys() == {"code", "type", "message"}
    assert answers[2]["code"] == status
    assert context.statuses == {2: status}


def test_named_rows_are_left_out_and_the_others_stay_one_batch(make_context):
    handler = NamesItsBadRows()
    handler.handle(rows(1.0, -2.0, 3.0, -4.0), make_context())
    assert handler.batches == [[1.0, 3.0]]


def test_a_handler_that_answers_only_the_first_row_answers_each(make_context):
    assert ForgetsRows().handle(rows(1.0, 2.0, 3.0), make_context()) == [2.0, 4.0, 6.0]


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.cuda.OutOfMemoryError("CUDA out of memory"),
        RuntimeError(
            "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes"
        ),
    ],
)
def test_out_of_memory_halves_the_batch(error, make_context):
    class HoldsTwo(Doubler):
        def inference(self, data, *args, **kwargs):
            if len(data) > 2:
                raise error
            return super().inference(data)

    handler = HoldsTwo()
    assert handler.handle(rows(1.0, 2.0, 3.0, 4.0), make_context()) == [2.0, 4.0, 6.0, 8.0]
    assert handler.batches == [[1.0, 2.0], [3.0, 4.0]]


def test_a_row_that_does_not_fit_alone_gets_507(make_context):
    class HoldsNothing(Doubler):
        def inference(self, data, *args, **kwargs):
            raise MemoryError

    context = make_context()
    (answer,) = HoldsNothing().handle(rows(1.0), context)
    assert (answer["code"], context.statuses) == (507, {0: 507})


def test_hooks_see_the_headers_and_set_the_statuses_of_the_rows_they_were_given(make_context):
    class Polite(NamesItsBadRows):
        def postprocess(self, data):
            names = [self.context.get_request_header(row, "name") for row in range(len(data))]
            for row, name in enumerate(names):
                self.context.set_response_status(201, "Created", row)
                assert self.context.get_request_id(row) == f"request-{name}"
            return names

    context = make_context(headers={i: {"name": str(i)} for i in range(4)})
    answers = Polite().handle(rows(1.0, -2.0, 3.0, 4.0), context)
    assert [answers[0], *answers[2:]] == ["0", "2", "3"]
    assert context.statuses == {0: 201, 1: 400, 2: 201, 3: 201}


def test_each_row_gets_its_own_kind_of_answer(make_context):
    class Explainer(Doubler):
        def get_insights(self, tensor_data, _, target=0):
            return [f"{value} because {target}" for value in tensor_data.tolist()]

    context = make_context(headers={1: {"explain": "True"}, 2: {"describe": "True"}})
    answers = Explainer().handle(rows(1.0, 2.0, 3.0), context)
    assert answers[:2] == [2.0, "2.0 because 0"]
    assert answers[2]["handler"] == "Explainer"
    assert context.statuses == {}


def test_a_handler_without_insights_refuses_to_explain(make_context):
    context = make_context(headers={0: {"explain": "True"}})
    answers = Doubler().handle(rows(1.0, 2.0), context)
    assert context.statuses == {0: 400}
    assert answers[0]["message"] == "Doubler gives no explanations"
    assert answers[1] == 4.0


def test_nothing_of_a_batch_is_left_for_the_next(make_context):
    handler = NamesItsBadRows()
    handler.handle(rows(-1.0, 2.0), make_context(headers={1: {"explain": "True"}}))
    context = make_context()
    assert handler.handle(rows(1.0, 2.0), context) == [2.0, 4.0]
    assert context.statuses == {}


def test_no_rows_no_answers(make_context):
    assert Doubler().handle([], make_context()) == []


def test_the_time_of_each_batch_is_reported_in_milliseconds(make_context):
    context = make_context()
    Doubler().handle(rows(1.0), context)
    ((name, value, unit),) = context.metrics.times
    assert (name, unit) == ("HandlerTime", "ms")
    assert value >= 0


def test_profile_reports_the_time_of_each_hook(make_context):
    context = make_context(config={"handler": {"profile": True}})
    Doubler().handle(rows(1.0), context)
    names = [name for name, _, _ in context.metrics.times]
    assert names == [
        "ts_handler_preprocess",
        "ts_handler_inference",
        "ts_handler_postprocess",
        "HandlerTime",
    ]


def test_enable_torch_profiler_writes_a_trace(make_context, tmp_path, monkeypatch):
    monkeypatch.setenv("ENABLE_TORCH_PROFILER", "true")
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    context = make_context()
    handler = Doubler()
    handler.manifest = context.manifest
    assert handler.handle(rows(1.0), context) == [2.0]
    assert list((tmp_path / "pytorch_profiler" / "test").glob("*.pt.trace.json"))
