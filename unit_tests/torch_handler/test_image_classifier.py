"""The image classifier, on a real network and real photos, beside torchserve's own."""

from __future__ import annotations

import base64
import subprocess
import sys
from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from ts.torch_handler.image_classifier import ImageClassifier

EAGER = {"modelFile": "model.py", "serializedFile": "efficientnet_lite0.pt"}


@pytest.fixture
def classifier(efficientnet_lite0_folder, make_context):
    handler = ImageClassifier()
    handler.initialize(make_context(efficientnet_lite0_folder, **EAGER))
    return handler


@pytest.mark.parametrize(
    ("folder", "model"),
    [("efficientnet_lite0_folder", EAGER), ("torchscript_folder", {"serializedFile": "model.pt"})],
    ids=["eager", "torchscript"],
)
def test_photos_get_the_answers_of_torchserves_own_handler(
    folder, model, request, photos, ask_torchserve, make_context
):
    """Number for number with Pillow's pixels; else as near as pixels that differ by 1 of 255 here and there."""
    folder = request.getfixturevalue(folder)
    rows = [{"body": photo.read_bytes()} for photo in photos]
    exact, fast = (
        ask(folder, make_context, rows, {"decoder": decoder}, model) for decoder in ("pillow", "auto")
    )
    expected = [
        answer for (answer,) in ask_torchserve("image_classifier", folder, model, [[row] for row in rows])
    ]
    assert [list(answer) for answer in exact] == [list(answer) for answer in expected]
    for answer, its in zip(exact, expected):
        assert answer == pytest.approx(its, abs=1e-4)
    assert [list(answer) for answer in fast] == [list(answer) for answer in expected]
    for answer, its in zip(fast, expected):
        assert answer == pytest.approx(its, abs=2e-3)


def ask(folder, make_context, rows, settings, model):
    handler = ImageClassifier()
    context = make_context(folder, config={"handler": settings}, **model)
    handler.initialize(context)
    return handler.handle(rows, context)


def test_a_cat_is_an_egyptian_cat(classifier, cat, make_context):
    (answer,) = classifier.handle([{"data": cat}], make_context())
    assert list(answer)[:3] == ["Egyptian cat", "tabby", "tiger cat"]
    assert list(answer.values())[:3] == pytest.approx([0.328, 0.309, 0.223], abs=1e-3)


def test_a_corrupt_image_fails_alone(classifier, cat, make_context):
    (alone,) = classifier.handle([{"data": cat}], make_context())
    context = make_context()
    rows = [{"data": cat}, {"data": cat[:1000]}, {"body": bytearray(cat)}, {}]
    answers = classifier.handle(rows, context)
    assert answers[0] == pytest.approx(alone, abs=1e-6)
    assert answers[2] == pytest.approx(alone, abs=1e-6)
    assert context.statuses == {1: 400, 3: 400}
    assert answers[1]["code"] == 400
    assert answers[1]["type"] == "BadRequestException"
    assert "damaged" in answers[1]["message"]
    assert answers[3]["message"] == 'The request has neither "data" nor "body"'


@pytest.mark.parametrize("place", ["form field", "JSON body", "header"])
def test_a_request_chooses_its_topk(place, classifier, cat, make_context):
    row, headers = {"data": cat}, {}
    if place == "form field":
        row["topk"] = b"2"
    elif place == "JSON body":
        row = {"body": {"data": base64.b64encode(cat).decode(), "topk": 2}}
    else:
        headers = {1: {"ts-topk": "2"}}
    answers = classifier.handle([{"data": cat}, row], make_context(headers=headers))
    assert len(answers[0]) == 5
    assert list(answers[1]) == ["Egyptian cat", "tabby"]


def test_a_context_of_torchserves_own_tests_is_enough(classifier, cat, make_context):
    """Its mock answers False for any header, and knows neither request ids nor statuses."""
    mock = SimpleNamespace(get_request_header=lambda *_: False, metrics=make_context().metrics)
    (answer,) = classifier.handle([{"data": cat}], mock)
    assert next(iter(answer)) == "Egyptian cat"


@pytest.mark.parametrize("topk", ["0", "-1", "many", "2.5", ""])
def test_a_wrong_topk_is_a_400_that_says_what_is_allowed(topk, classifier, cat, make_context):
    context = make_context()
    answers = classifier.handle([{"data": cat, "topk": topk}, {"data": cat}], context)
    assert context.statuses == {0: 400}
    assert answers[0]["message"].startswith("Wrong option: topk: Input should be")
    assert repr(topk) in answers[0]["message"]
    assert len(answers[1]) == 5


def test_topk_is_capped_at_the_number_of_classes():
    handler = ImageClassifier()
    (answer,) = handler.postprocess(torch.tensor([[2.0, 1.0, 0.0]]))
    assert list(answer) == ["0", "1", "2"]
    assert list(answer.values()) == pytest.approx([0.6652, 0.2447, 0.0900], abs=1e-4)


def test_nested_lists_are_the_models_input(classifier, make_context):
    tensor = torch.zeros(3, 224, 224)
    (answer,) = classifier.handle([{"body": {"data": tensor.tolist()}}], make_context())
    probabilities = torch.softmax(classifier.model(tensor[None]), dim=1)[0].topk(5).values
    assert list(answer.values()) == pytest.approx(probabilities.tolist(), abs=1e-5)


def test_a_subclass_gets_a_pil_image_for_its_image_processing(torchscript_folder, cat, make_context):
    seen = []

    class Custom(ImageClassifier):
        def image_processing(self, image):
            seen.append((type(image), image.mode))
            return torch.zeros(3, 224, 224)

    handler = Custom()
    context = make_context(torchscript_folder, serializedFile="model.pt")
    handler.initialize(context)
    assert len(handler.handle([{"data": cat}], context)[0]) == 5
    ((kind, mode),) = seen
    assert issubclass(kind, Image.Image)
    assert mode == "RGB"


# What a model may return


@pytest.mark.parametrize(
    "wrap",
    [
        lambda logits: logits,
        lambda logits: {"logits": logits},
        lambda logits: (logits, None),
        lambda logits: SimpleNamespace(logits=logits),
        lambda logits: logits[0],
    ],
    ids=["[N, C]", "dict", "tuple", "object", "[C]"],
)
def test_each_form_of_logits_is_read(wrap):
    (answer,) = ImageClassifier().postprocess(wrap(torch.tensor([[2.0, 1.0, 0.0]])))
    assert answer == pytest.approx({"0": 0.6652, "1": 0.2447, "2": 0.0900}, abs=1e-4)


@pytest.mark.parametrize("shape", [(2, 1), (2,)])
def test_a_single_logit_tells_class_1_from_class_0(shape, make_context):
    handler = ImageClassifier()
    handler.device = "cpu"
    handler.model = lambda _: torch.tensor([2.0, -1.0]).reshape(shape)
    rows = [{"data": torch.zeros(3, 4, 4).tolist()}] * 2
    answers = handler.handle(rows, make_context())
    assert answers == [
        pytest.approx({"1": 0.8808, "0": 0.1192}, abs=1e-4),
        pytest.approx({"0": 0.7311, "1": 0.2689}, abs=1e-4),
    ]


def test_a_model_without_logits_is_said(caplog, make_context):
    handler = ImageClassifier()
    handler.device = "cpu"
    handler.model = lambda batch: {"features": batch}
    context = make_context()
    handler.handle([{"data": torch.zeros(3, 4, 4).tolist()}], context)
    assert context.statuses == {0: 503}
    assert "The model's output holds no logits: dict" in caplog.text


# Explanations


@pytest.fixture
def explain(classifier, cat, make_context):
    pytest.importorskip("captum")

    def run(**options):
        context = make_context(headers={0: {"explain": "True"}})
        answers = classifier.handle([{"data": cat, **options}, {"data": cat}], context)
        assert next(iter(answers[1])) == "Egyptian cat"
        return answers[0], context

    return run


def test_an_explanation_is_of_the_top_class_unless_a_target_is_named(explain):
    top, context = explain()
    egyptian_cat, _ = explain(target=b"285")
    tench, _ = explain(target="0")
    assert context.statuses == {}
    assert torch.tensor(top).shape == (3, 224, 224)
    assert torch.allclose(torch.tensor(top), torch.tensor(egyptian_cat), atol=1e-6)
    assert not torch.allclose(torch.tensor(top), torch.tensor(tench), atol=1e-3)


def test_an_explanation_is_that_of_torchserves_own_handler(
    torchscript_folder, photos, ask_torchserve, make_context
):
    pytest.importorskip("captum")
    model = {"serializedFile": "model.pt"}
    rows = [{"target": 7, "body": photos[0].read_bytes()}]
    ((expected,),) = ask_torchserve(
        "image_classifier", torchscript_folder, model, [rows], headers={"explain": "True"}
    )
    handler = ImageClassifier()
    context = make_context(torchscript_folder, headers={0: {"explain": "True"}}, **model)
    handler.initialize(context)
    (explanation,) = handler.handle(rows, context)
    assert torch.allclose(torch.tensor(explanation), torch.tensor(expected), atol=1e-4)


def test_an_explanation_may_be_a_picture(explain):
    png, context = explain(format="heatmap")
    picture = Image.open(BytesIO(png))
    assert (picture.format, picture.mode, picture.width) == ("PNG", "RGB", 3 * 224)
    assert 3 * 224 < picture.height < 3 * 224 + 60  # its scale
    assert context.content_types[0] == "image/png"
    red, _, blue = np.moveaxis(np.asarray(picture, dtype=int), -1, 0)[:, :672]
    assert (red - blue).max() > 100  # what matters is orange
    assert np.median(np.abs(red - blue)) < 40  # most is nearly grey


@pytest.mark.parametrize("target", ["1000", "-1", "cat"])
def test_a_wrong_target_is_a_400(target, explain):
    answer, context = explain(target=target)
    assert context.statuses[0] == 400
    assert "target" in answer["message"]
    assert target in answer["message"]


def test_a_model_without_gradients_says_why_it_is_not_explained(cat, make_context):
    pytest.importorskip("captum")
    handler = ImageClassifier()
    handler.device = "cpu"

    def forward(batch):
        with torch.no_grad():
            return batch.mean(dim=(2, 3))

    handler.model = forward
    context = make_context(headers={0: {"explain": "True"}})
    (answer,) = handler.handle([{"data": cat}], context)
    assert context.statuses == {0: 400}
    assert "lets no gradient through" in answer["message"]


def test_only_what_is_asked_for_is_imported(tmp_path):
    optional = {"captum", "matplotlib", "onnxruntime", "torchvision", "torch._dynamo"}
    code = f"import ts.torch_handler.image_classifier, sys; print({optional} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stdout.strip() == "set()"
