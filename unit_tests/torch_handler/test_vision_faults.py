"""Classifiers, and explanations of all vision handlers: NaN is no class, and what is large is refused early."""

from __future__ import annotations

import io
import logging
import math
from typing import Any

import pytest
import torch
from detectors import photo
from PIL import Image
from torch import nn

from ts.handler_utils.explaining import images, layer_explained
from ts.handler_utils.images.settings import ImageSegmenterSettings, ObjectDetectorSettings
from ts.torch_handler.image_classifier import ImageClassifier
from ts.torch_handler.image_segmenter import ImageSegmenter
from ts.torch_handler.object_detector import ObjectDetector


class Brightness(nn.Module):
    """Two classes: bright or dark. For photos that are red the logits are what it is made with."""

    def __init__(self, spoilt: Any = None) -> None:
        super().__init__()
        self.spoilt = spoilt
        self.layer = nn.Conv2d(3, 1, 1, bias=False)
        nn.init.ones_(self.layer.weight)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        bright = self.layer(batch).mean(dim=(1, 2, 3))
        logits = torch.stack([bright, -bright], dim=1)
        if self.spoilt is not None:
            red = batch[:, 0].mean(dim=(1, 2)) > batch[:, 1].mean(dim=(1, 2)) + 1
            logits = torch.where(red[:, None], torch.tensor(self.spoilt), logits)
        return logits


def handler_of(kind: Any, model: Any, settings: Any = None) -> Any:
    handler = kind()
    handler.model, handler.device, handler.initialized = model, torch.device("cpu"), True
    if settings is not None:
        handler.settings = settings
    return handler


def red(width: int = 40, height: int = 30) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "red").save(file, "PNG")
    return file.getvalue()


NAN, INF = math.nan, math.inf

# A classifier's answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("logits", [[NAN, 0.0], [NAN, NAN], [INF, 0.0], [INF, INF], [-INF, -INF]])
def test_logits_without_probabilities_are_that_rows_503(logits, make_context, caplog):
    handler, context = handler_of(ImageClassifier, Brightness(logits)), make_context()
    with caplog.at_level(logging.WARNING):
        first, second, third = handler.handle([{"data": data} for data in (photo(), red(), photo())], context)
    assert context.statuses == {1: 503}
    assert second["message"] == "Prediction failed"
    assert first == third == handler.handle([{"data": photo()}], make_context())[0]
    assert "the model returned logits that are not finite" in caplog.text


def test_a_class_that_is_ruled_out_has_probability_0(make_context):
    handler, context = handler_of(ImageClassifier, Brightness([-INF, 3.0])), make_context()
    assert handler.handle([{"data": red()}], context) == [{"1": 1.0, "0": 0.0}]
    assert context.statuses == {}


@pytest.mark.parametrize("shape", [(2, 3, 4), (), (2, 0), (3, 5), (1, 5)])
def test_logits_of_another_shape_are_an_error_that_the_log_tells(shape, make_context, caplog):
    handler, context = handler_of(ImageClassifier, lambda _: torch.zeros(shape)), make_context()
    handler.handle([{"data": photo()}, {"data": photo()}], context)
    wrong = {0: 503, 1: 503} if shape != (1, 5) else {}  # which is right for each row alone
    assert context.statuses == wrong
    assert not wrong or "shape" in caplog.text or "results for" in caplog.text


# Explanations ------------------------------------------------------------------------------------------------


def explained(handler: Any, make_context: Any, *rows: dict[str, Any]) -> tuple[list[Any], Any]:
    pytest.importorskip("captum")
    context = make_context(headers={index: {"explain": "True"} for index in range(len(rows))})
    return handler.handle(list(rows), context), context


class Unsteady(Brightness):
    """Its logits are finite, and its gradients are not."""

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        logits = super().forward(batch)
        red = batch[:, 0].mean(dim=(1, 2)) > batch[:, 1].mean(dim=(1, 2)) + 1
        logits[red] += (0 * batch[red]).sum(dim=(1, 2, 3)).sqrt()[:, None]
        return logits


@pytest.mark.parametrize("form", ["json", "heatmap"])
@pytest.mark.parametrize("model", [Brightness([NAN, 0.0]), Unsteady()], ids=["logits", "gradients"])
def test_an_explanation_that_is_not_finite_is_that_rows_503(model, form, make_context, caplog):
    handler = handler_of(ImageClassifier, model)
    rows = [{"data": data, "format": form} for data in (photo(), red(), photo())]
    answers, context = explained(handler, make_context, *rows)
    assert context.statuses == {1: 503}
    assert answers[0] == answers[2] == explained(handler, make_context, rows[0])[0][0]
    assert "that are not finite" in caplog.text


def test_a_model_whose_output_holds_logits_is_explained_as_one_that_returns_them(make_context):
    plain = Brightness()
    found = [
        explained(handler_of(ImageClassifier, model), make_context, {"data": photo()})[0]
        for model in (plain, lambda batch: {"logits": plain(batch)})
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize("target", ["2", "-1", "9" * 30, "cat"])
def test_a_wrong_target_is_that_rows_400(target, make_context):
    rows = [{"data": photo(), "target": target}, {"data": photo(), "target": "1"}]
    answers, context = explained(handler_of(ImageClassifier, Brightness()), make_context, *rows)
    assert context.statuses == {0: 400}
    assert answers[0]["message"].startswith("Wrong option: target")
    assert torch.tensor(answers[1]).shape == (3, 224, 224)


def test_a_model_that_does_not_compute_in_torch_is_not_explained(make_context):
    handler = handler_of(ImageClassifier, lambda batch: torch.from_numpy(batch.detach().numpy().mean((2, 3))))
    (answer,), context = explained(handler, make_context, {"data": photo()})
    assert context.statuses == {0: 400}
    assert "models of ONNX and AOTInductor" in answer["message"]


def test_numbers_that_would_be_too_many_are_refused_before_they_are_worked_out(make_context):
    handler = handler_of(ImageClassifier, Brightness())
    handler.get_insights = None  # which then is not reached
    handler.image_processing = handler.image_processing.replace(resize=1000, crop=1000)
    (answer,), context = explained(handler, make_context, {"data": photo(), "target": "0"})
    assert context.statuses == {0: 413}
    assert answer["message"].startswith(
        "The answer is too large: 12000000 bytes or more, and max_answer_bytes is 6553500: ask for format heatmap,"
    )


@pytest.mark.parametrize("values", [1, 3 * 4 * 5 * 4, 10**6])
def test_a_large_image_goes_through_the_model_in_parts_and_is_explained_alike(values, monkeypatch):
    pytest.importorskip("captum")
    sizes = []
    model = nn.Sequential(nn.Conv2d(3, 2, 1), nn.Tanh(), nn.AdaptiveAvgPool2d(1), nn.Flatten())

    def forward(batch: torch.Tensor) -> torch.Tensor:
        sizes.append(len(batch))
        return model(batch)

    image = torch.rand(1, 3, 4, 5)
    whole = images.attribute_pixels(images.integrated_gradients(model), image, 1)
    monkeypatch.setattr(images, "_VALUES_AT_ONCE", values)
    found = images.attribute_pixels(images.integrated_gradients(forward), image, 1)
    assert torch.allclose(found, whole, atol=1e-6)
    assert max(sizes) <= max(1, min(15, values // 60))


# Explanations by a layer -------------------------------------------------------------------------------------


class Boxes(nn.Module):
    def __init__(self, factor: float = 1.0) -> None:
        super().__init__()
        self.layer, self.factor = nn.Conv2d(3, 2, 1), factor

    def forward(self, images: list[torch.Tensor]) -> list[dict[str, torch.Tensor]]:
        scores = [self.layer(image[None]).mean().sigmoid()[None] * self.factor for image in images]
        return [{"boxes": torch.ones(1, 4), "labels": torch.ones(1), "scores": score} for score in scores]


class Classes(nn.Module):
    def __init__(self, factor: float = 1.0) -> None:
        super().__init__()
        self.layer, self.factor = nn.Conv2d(3, 2, 1), factor
        nn.init.constant_(self.layer.bias, 0.0)
        self.layer.bias.data[1] = 9.0

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return self.layer(batch) * self.factor


def by_layer(kind: str, factor: float = 1.0, **settings: Any) -> Any:
    settings = {"explain_layer": "layer", **settings}
    if kind == "detector":
        handler = handler_of(ObjectDetector, Boxes(factor), ObjectDetectorSettings(stack=False, **settings))
    else:
        handler = handler_of(ImageSegmenter, Classes(factor), ImageSegmenterSettings(**settings))
        handler.image_processing = handler.image_processing.replace(resize=None, crop=None)
    return handler


@pytest.mark.parametrize("kind", ["detector", "segmenter"])
@pytest.mark.parametrize("form", ["json", "overlay"])
def test_a_map_that_is_not_finite_is_a_503(kind, form, make_context, caplog):
    handler = by_layer(kind, factor=NAN)
    _, context = explained(handler, make_context, {"data": photo(), "format": form})
    assert context.statuses == {0: 503}
    assert "that are not finite" in caplog.text


@pytest.mark.parametrize("kind", ["detector", "segmenter"])
def test_a_map_in_numbers_is_refused_before_the_model_runs_and_drawn_it_is_an_answer(
    kind, make_context, monkeypatch
):
    rows = [{"data": photo(100, 50), "format": form} for form in ("json", "overlay")]
    answers, context = explained(by_layer(kind, max_answer_bytes=19_999), make_context, *rows)
    assert context.statuses == {0: 413}
    assert (
        "20000 bytes or more, and max_answer_bytes is 19999: ask for format overlay" in answers[0]["message"]
    )
    assert Image.open(io.BytesIO(answers[1])).size[0] == 400
    monkeypatch.setattr(layer_explained, "class_activation", None)
    assert explained(by_layer(kind, max_answer_bytes=19_999), make_context, rows[0])[1].statuses == {0: 413}


@pytest.mark.parametrize("form", ["json", "overlay"])
def test_a_map_of_too_many_pixels_is_refused_before_the_model_runs(form, make_context, monkeypatch):
    monkeypatch.setattr(layer_explained, "class_activation", None)
    handler = by_layer("detector", max_answer_pixels=4999)
    (answer,), context = explained(handler, make_context, {"data": photo(100, 50), "format": form})
    assert context.statuses == {0: 413}
    assert answer["message"].startswith(
        "The answer is too large: 100x50 pixels, and max_answer_pixels is 4999:"
    )


@pytest.mark.parametrize("kind", ["detector", "segmenter"])
@pytest.mark.parametrize("form", ["json", "overlay"])
def test_nested_lists_are_explained(kind, form, make_context):
    lists = torch.rand(3, 4, 5).tolist()
    (answer,), context = explained(by_layer(kind), make_context, {"data": lists, "format": form})
    assert context.statuses == {}
    shape = torch.tensor(answer).shape if form == "json" else Image.open(io.BytesIO(answer)).size[::-1]
    assert tuple(shape) == ((4, 5) if form == "json" else (16, 20))


def test_by_hand_a_map_is_nested_lists():
    torch.manual_seed(0)
    (found,) = by_layer("segmenter").get_insights(torch.rand(1, 3, 4, 5), None, 1)
    assert isinstance(found, list)
    assert torch.tensor(found).shape == (4, 5)
