"""The setting `engine: openvino` under handlers as people write them: answers are those of the model they have."""

from __future__ import annotations

import copy
import functools
import logging
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable

import pytest
import torch

from ts.handler_utils.models.caller import ModelCaller
from ts.handler_utils.models.openvino import forms
from ts.torch_handler.base_handler import BaseHandler

pytest.importorskip("openvino", reason="needs OpenVINO: pip install 'torchserve-handlers[openvino]'")

MODEL = """
import torch

class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = torch.nn.Linear(4, 8), torch.nn.Linear(8, 3)

    def features(self, numbers):
        return self.first(numbers).relu()

    def forward(self, numbers):
        return self.last(self.features(numbers))
"""
ROWS = [{"data": [1.0, 2.0, 3.0, 4.0]}, {"data": [-1.0, 0.5, 2.0, 1.0]}, {"data": [0.0, 9.0, 1.0, 3.0]}]


@pytest.fixture(autouse=True)
def cache(openvino_cache: Path, caplog: pytest.LogCaptureFixture) -> Path:
    caplog.set_level(logging.INFO, "ts.handler_utils.models")
    return openvino_cache


class Own(BaseHandler):
    """A handler of one's own, which changes its model as a test says."""

    change: Callable[[Any], Any] = staticmethod(lambda model: model)

    def initialize(self, context: Any) -> None:
        super().initialize(context)
        self.model = self.change(self.model)


class ByItself(BaseHandler):
    """Calls its model as most handlers in the wild do."""

    def inference(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        with torch.no_grad():
            return self.model(data)


@pytest.fixture
def start(make_context: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Starts a handler: `start(kind, setting=...)`; of TorchScript if there is a model.pt."""

    def started(kind: type[BaseHandler], **settings: Any) -> tuple[Any, Any]:
        if not (tmp_path / "model.py").exists():
            (tmp_path / "model.py").write_text(MODEL)
        names = (
            {"serializedFile": "model.pt"} if (tmp_path / "model.pt").exists() else {"modelFile": "model.py"}
        )
        context = make_context(tmp_path, config={"handler": {"engine": "openvino", **settings}}, **names)
        handler = kind()
        handler.initialize(context)
        return handler, context

    return started


def computed(handler: Any) -> int:
    """How many forms of calls OpenVINO answers."""
    caller = ModelCaller.of(handler)._engine._caller
    return 0 if caller is None else len(caller._forms)


def assert_answers_as(handler: Any, context: Any, model: Any) -> None:
    """That three batches of several sizes are answered as a model does."""
    for rows in (ROWS, ROWS[:1], ROWS[1:]):
        answers = handler.handle(rows, context)
        assert context.statuses == {}, answers
        with torch.no_grad():
            wanted = model(torch.tensor([row["data"] for row in rows]))
        assert torch.tensor(answers) == pytest.approx(wanted, abs=1e-5)


class Wrapper:
    """A class around a module, as handlers have it."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def __call__(self, numbers: torch.Tensor) -> torch.Tensor:
        return self.model(numbers) * 2


def with_other_weights(model: Any) -> Any:
    with torch.no_grad():
        model.last.weight.mul_(3)
    return model


CONVERTED = {
    "DataParallel": torch.nn.DataParallel,
    "deepcopy": copy.deepcopy,
    "sequential": lambda model: torch.nn.Sequential(model, torch.nn.Softmax(dim=1)),
    "weights": with_other_weights,
    "script": torch.jit.script,
    "eval": lambda model: model.eval().to("cpu"),
}
TORCHS = {
    "partial": (lambda model: functools.partial(model), "has put a partial in its place"),
    "lambda": (lambda model: lambda numbers: model(numbers) + 1, "has put a function in its place"),
    "class": (Wrapper, "has put a Wrapper in its place"),
}


@pytest.mark.filterwarnings("ignore:.*torch.jit")
@pytest.mark.parametrize("change", CONVERTED.values(), ids=CONVERTED)
def test_a_module_in_the_place_of_the_model_is_converted(change: Any, start: Callable[..., Any]) -> None:
    handler, context = start(type("Changed", (Own,), {"change": staticmethod(change)}))
    assert_answers_as(handler, context, handler.model)
    assert computed(handler) == 1


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_frozen_torchscript_in_its_place_is_torchs(
    start: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    freeze = staticmethod(lambda model: torch.jit.freeze(torch.jit.script(model).eval()))
    handler, context = start(type("Changed", (Own,), {"change": freeze}))
    assert_answers_as(handler, context, handler.model)
    assert caplog.text.count("torch computes the model, and not OpenVINO") == 1


@pytest.mark.parametrize(("change", "reason"), TORCHS.values(), ids=TORCHS)
def test_what_is_no_module_is_torchs_and_one_line_says_so(
    change: Any, reason: str, start: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    handler, context = start(type("Changed", (Own,), {"change": staticmethod(change)}))
    assert_answers_as(handler, context, handler.model)
    assert computed(handler) == 0
    assert caplog.text.count(reason) == 1


def test_a_model_in_the_place_of_torchscript_answers_from_the_first_call_on(
    start: Callable[..., Any], tmp_path: Path
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(torch.nn.Linear(4, 3)).save(str(tmp_path / "model.pt"))
    handler, context = start(
        type("Changed", (Own,), {"change": staticmethod(lambda _: torch.nn.Linear(4, 3).eval())})
    )
    assert_answers_as(handler, context, handler.model)
    assert computed(handler) == 1
    assert ModelCaller.of(handler).differentiable is handler.model


def test_a_model_that_is_replaced_after_the_first_answer_answers(
    start: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    handler, context = start(Own)
    assert_answers_as(handler, context, handler.model)
    handler.model = torch.nn.Linear(4, 3).eval()
    assert_answers_as(handler, context, handler.model)
    assert caplog.text.count("another was put in its place after its first answer") == 1


def test_a_handler_that_calls_its_model_by_itself_is_told_so_once(
    start: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    handler, context = start(ByItself)
    assert_answers_as(handler, context, handler.model)
    assert caplog.text.count("ByItself calls it by itself, and not by super().inference") == 1


def test_hooks_of_the_model_are_called(start: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    handler, context = start(Own)
    assert_answers_as(handler, context, handler.model)
    seen: list[int] = []
    handler.model.first.register_forward_hook(lambda *call: seen.append(len(call[2])))
    handler.handle(ROWS, context)
    assert seen == [3]
    assert caplog.text.count("it was changed after its first answer") == 1


def test_methods_and_layers_of_the_model_are_torchs(start: Callable[..., Any]) -> None:
    class Features(BaseHandler):
        def inference(self, data: Any, *args: Any, **kwargs: Any) -> Any:
            with torch.no_grad():
                return super().inference(data) + self.model.last(self.model.features(data))

    handler, context = start(Features)
    assert_answers_as(handler, context, lambda numbers: 2 * handler.model(numbers))
    assert computed(handler) == 1


def test_under_autocast_the_answer_is_that_of_autocast(
    start: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    class Half(BaseHandler):
        def inference(self, data: Any, *args: Any, **kwargs: Any) -> Any:
            with torch.autocast("cpu", torch.bfloat16):
                return super().inference(data).float()

    handler, context = start(Half)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        wanted = handler.model(torch.tensor([row["data"] for row in ROWS])).float()
    assert torch.equal(torch.tensor(handler.handle(ROWS, context)), wanted)
    assert caplog.text.count("it is called within torch.autocast") == 1


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_model_that_a_handler_halves_is_torchs(
    dtype: torch.dtype, start: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    handler, context = start(type("Changed", (Own,), {"change": staticmethod(lambda model: model.to(dtype))}))
    with torch.no_grad():
        wanted = handler.model(torch.tensor([row["data"] for row in ROWS], dtype=dtype))
    assert torch.equal(torch.tensor(handler.handle(ROWS, context)), wanted.float())
    assert caplog.text.count(f"its weights are {dtype}, and only float32 is converted") == 1


@pytest.mark.parametrize("kind", [BaseHandler, Own])
def test_micro_batches_share_what_was_converted(
    kind: type[BaseHandler], start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []
    convert = forms.convert
    monkeypatch.setattr(forms, "convert", lambda *args: made.append(args) or convert(*args))
    handler, context = start(kind, micro_batch=1)
    for _ in range(2):
        assert_answers_as(handler, context, handler.model)
    assert len(made) == computed(handler) == 1


def test_threads_of_a_handler_get_their_own_answers(start: Callable[..., Any]) -> None:
    handler, _ = start(Own)
    batches = [torch.rand(rows, 4) for rows in range(1, 9)] * 20
    with ThreadPoolExecutor(4) as pool:
        found = [*pool.map(handler.inference, batches)]
    with torch.no_grad():
        for answer, batch in zip(found, batches):
            assert torch.allclose(answer, handler.model(batch), atol=1e-5)
    assert computed(handler) == 1


def test_a_worker_of_a_gpu_where_there_is_none_computes_on_the_cpu(
    start: Callable[..., Any], make_context: Any
) -> None:
    handler, context = start(Own)
    context.system_properties["gpu_id"] = 0
    handler.initialize(context)
    assert_answers_as(handler, context, handler.model)
    assert computed(handler) == 1
