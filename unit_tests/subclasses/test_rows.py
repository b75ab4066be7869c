"""Subclasses that pass on other rows than they got, read them in their own way, or explain them themselves."""

from __future__ import annotations

import io
import json
from typing import Any, Callable

import pytest
import torch
from PIL import Image
from tiny_archives import PHOTOS, TINY, photo
from torchvision import transforms

from ts.handler_utils.errors import InvalidInput
from ts.torch_handler.base_handler import BaseHandler
from ts.torch_handler.image_classifier import ImageClassifier

BAD = {"data": b"no photo at all"}
RED, BLUE = {"data": photo("red")}, {"data": photo("blue")}


@pytest.fixture
def start(make_context: Callable, tmp_path: Any) -> Callable:
    """`start(kind)` is a handler of a class with the tiny archive of its base, and its context."""

    def load(kind: Any, name: str = "classifier", **settings: Any) -> Any:
        archive = TINY[name]
        config = {"handler": {**archive.settings, **settings}}
        context = make_context(archive.write(tmp_path), config=config, modelFile="model.py")
        handler = kind()
        handler.initialize(context)
        return handler, context

    return load


def best(answer: dict[str, float]) -> str:
    return max(answer, key=answer.__getitem__)


class Skips(ImageClassifier):
    """Answers marked rows itself, and passes on the others."""

    def preprocess(self, data: Any) -> Any:
        self.passed = [index for index, row in enumerate(data) if "skip" not in row]
        self.count = len(data)
        return super().preprocess([data[index] for index in self.passed])

    def postprocess(self, data: Any) -> Any:
        answers: list[Any] = ["skipped"] * self.count
        for index, answer in zip(self.passed, super().postprocess(data)):
            answers[index] = answer
        return answers


def test_a_fault_is_laid_to_the_row_that_it_came_of_where_rows_are_dropped(start: Callable) -> None:
    handler, context = start(Skips)
    rows = [{"data": b"", "skip": True}, BLUE, BAD, RED]
    answers = handler.handle(rows, context)
    assert answers[0] == "skipped"
    assert [best(answers[1]), best(answers[3])] == ["c", "a"]
    assert (answers[2]["code"], context.statuses) == (400, {2: 400})


def test_options_stay_with_their_rows_where_rows_are_dropped(start: Callable) -> None:
    handler, context = start(Skips)
    context.headers = {2: {"ts-topk": "1"}}
    rows = [{"skip": True}, {**BLUE, "topk": "2"}, RED]
    assert [len(answer) for answer in handler.handle(rows, context)[1:]] == [2, 1]


class Frames(ImageClassifier):
    """Makes several rows of each, and counts what is seen in them."""

    def preprocess(self, data: Any) -> Any:
        self.counts = [len(row["frames"]) for row in data]
        return super().preprocess([{"data": frame} for row in data for frame in row["frames"]])

    def postprocess(self, data: Any) -> Any:
        seen = iter(super().postprocess(data))
        return [[best(next(seen)) for _ in range(count)] for count in self.counts]


def test_where_rows_are_made_a_fault_is_found_by_itself(start: Callable) -> None:
    handler, context = start(Frames)
    rows = [
        {"frames": [photo("red"), photo("blue")]},
        {"frames": [photo("red"), b"bad"]},
        {"frames": [photo("blue")]},
    ]
    answers = handler.handle(rows, context)
    assert answers[0] == ["a", "c"]
    assert answers[2] == ["c"]
    assert (answers[1]["code"], context.statuses) == (400, {1: 400})


def test_where_rows_are_made_and_must_not_run_again_nobody_is_blamed(start: Callable) -> None:
    handler, context = start(type("Once", (Frames,), {"stateless": False}))
    answers = handler.handle([{"frames": [photo("red")]}, {"frames": [b"bad"]}], context)
    assert [answer["code"] for answer in answers] == [503, 503]
    assert "bad" not in json.dumps(answers)


def test_a_default_transform_lends_its_steps(start: Callable) -> None:
    class Grey(ImageClassifier):
        image_processing = transforms.Compose(  # type: ignore[assignment]
            [transforms.Grayscale(3), *ImageClassifier.image_processing.transforms]
        )

    image = Image.radial_gradient("L").convert("RGB")
    steps = transforms.Compose(ImageClassifier.image_processing.transforms)
    assert torch.allclose(steps(image), ImageClassifier.image_processing(image), atol=1e-6)
    handler, context = start(Grey)
    assert len(handler.handle([RED], context)[0]) == 3


class Explains(BaseHandler):
    """Explains what its preprocess made, whatever that is."""

    form: Any = staticmethod(lambda tensor: tensor)

    def preprocess(self, data: Any) -> Any:
        return self.form(torch.tensor([[float(len(str(row)))] for row in data]))

    def get_insights(self, batch: Any, text: Any, target: Any) -> Any:
        self.asked.append((batch, text, target))
        return [[str(text), str(target)]]


FORMS = {
    "a tensor": lambda tensor: tensor,
    "a dictionary": lambda tensor: {"ids": tensor, "names": ["kept", "whole"]},
    "a tuple": lambda tensor: (tensor, tensor + 1, 7),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize(
    ("row", "text", "target"),
    [
        ({"data": "a", "target": "2"}, "a", "2"),
        ({"body": {"text": "a", "target": 1}}, {"text": "a", "target": 1}, 0),
        ({"body": b"a", "target": 0}, b"a", 0),
        ({"text": "a", "target": 3}, None, 3),
    ],
)
def test_one_row_is_explained_as_it_came(
    row: Any, text: Any, target: Any, form: Any, make_context: Callable
) -> None:
    handler = type("Own", (Explains,), {"form": staticmethod(form), "asked": []})()
    context = make_context(headers={0: {"explain": "True"}})
    assert handler.handle([row], context) == [[str(text), str(target)]]
    batch, *rest = handler.asked[-1]
    assert rest == [text, target]
    assert repr(batch) == repr(handler.preprocess([row]))


def test_of_several_rows_only_tensors_of_as_many_are_cut(make_context: Callable) -> None:
    def form(tensor: Any) -> Any:
        return {"ids": tensor, "pair": (tensor, "whole"), "other": torch.zeros(5)}

    handler = type("Own", (Explains,), {"form": staticmethod(form), "asked": [], "stateless": True})()
    context = make_context(headers={index: {"explain": "True"} for index in range(2)})
    rows = [{"data": "a", "target": 1}, {"data": "bcd"}]
    assert handler.handle(rows, context) == [["a", "1"], ["bcd", "0"]]
    (first, _, _), (second, _, _) = handler.asked
    whole = handler.preprocess(rows)["ids"]
    assert torch.equal(first["ids"], whole[:1])
    assert torch.equal(second["pair"][0], whole[1:])
    assert second["pair"][1] == "whole"
    assert len(second["other"]) == 5


class Linear(BaseHandler):
    def initialize(self, context: Any) -> None:
        self.initialized = True
        self.device = torch.device("cpu")
        self.model = torch.nn.Linear(2, 1, bias=False, dtype=self.dtype)  # type: ignore[attr-defined]
        torch.nn.init.ones_(self.model.weight)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "payload", [[1, 2], [1.0, 2.0], b"[1, 2]", bytearray(b"[1.0, 2.0]"), "[1, 2]"], ids=str
)
def test_numbers_are_taken_in_the_type_of_the_model(payload: Any, dtype: Any, make_context: Callable) -> None:
    handler = type("Own", (Linear,), {"dtype": dtype})()
    handler.initialize(None)
    assert handler.handle([{"body": payload}, {"data": payload}], make_context()) == [[3.0], [3.0]]


@pytest.mark.parametrize("payload", [b"letters", "letters", {"a": 1}, [[1], [2, 3]], ["a"], None], ids=str)
def test_what_is_no_numbers_is_a_400_of_its_row(payload: Any, make_context: Callable) -> None:
    handler, context = type("Own", (Linear,), {"dtype": torch.float32})(), make_context()
    handler.initialize(None)
    good, bad = handler.handle([{"data": [1, 2]}, {"data": payload}], context)
    assert good == [3.0]
    assert (bad["code"], context.statuses) == (400, {1: 400})


def test_pixels_are_not_limited_where_the_server_says_so(
    start: Callable, make_context: Callable, tmp_path: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    file = io.BytesIO()
    Image.new("RGB", (40, 40)).save(file, "PNG")
    handler, context = start(ImageClassifier)
    assert handler.handle([{"data": file.getvalue()}], context)[0]["code"] == 413
    unlimited = make_context(TINY["classifier"].write(tmp_path), modelFile="model.py")
    unlimited.system_properties["limit_max_image_pixels"] = False
    handler = ImageClassifier()
    handler.initialize(unlimited)
    assert len(handler.handle([{"data": file.getvalue()}, *PHOTOS], unlimited)[0]) == 3


class Instances(BaseHandler):
    """Takes requests apart that hold several instances, in its own `handle`."""

    def handle(self, data: Any, context: Any) -> Any:
        flat = [{"data": instance} for row in data for instance in row["instances"]]
        found = iter(super().handle(flat, context))
        return [[next(found) for _ in row["instances"]] for row in data]


def test_an_error_of_a_row_that_nobody_can_place_fails_the_batch(start: Callable) -> None:
    handler, context = start(Instances, "base")
    context.request_ids = {0: "a", 1: "b"}
    answers = handler.handle([{"instances": [[1.0], [2.0]]}, {"instances": [[3.0]]}], context)
    assert answers == [[[2.0], [4.0]], [[6.0]]]
    with pytest.raises(InvalidInput, match="nested lists cannot be read as a tensor"):
        handler.handle([{"instances": [[1.0], ["x"]]}, {"instances": [[3.0]]}], context)
    context.request_ids = {0: "a"}
    ((good, bad),) = handler.handle([{"instances": [[1.0], ["x"]]}], context)
    assert (good, bad["code"], context.statuses) == ([2.0], 400, {0: 400})
