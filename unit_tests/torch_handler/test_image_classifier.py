"""The image classifier, on a real network and real photos, beside torchserve's own."""

from __future__ import annotations

import base64
import subprocess
import sys

import pytest
import torch
from PIL import Image

from ts.torch_handler.image_classifier import ImageClassifier

UPSTREAM = """
from pathlib import Path
from types import SimpleNamespace
from ts.context import Context, RequestProcessor
from ts.torch_handler.image_classifier import ImageClassifier

metrics = SimpleNamespace(add_time=lambda *arguments: None)
context = Context("test", arguments["folder"], arguments["manifest"], 1, None, "0.12.0", True, metrics, {})
context.request_ids = {0: "request"}
context._request_processor = [RequestProcessor({})]
sys.path.append(arguments["folder"])  # as the server does
handler = ImageClassifier()
handler.initialize(context)
answer([handler.handle([{"body": Path(photo).read_bytes()}], context)[0] for photo in arguments["photos"]])
"""

EAGER = {"modelFile": "model.py", "serializedFile": "efficientnet_lite0.pt"}


@pytest.fixture
def classifier(efficientnet_lite0_folder, make_context):
    handler = ImageClassifier()
    handler.initialize(make_context(efficientnet_lite0_folder, **EAGER))
    return handler


@pytest.fixture(scope="module")
def kitten(shared_data):
    return (shared_data / "images" / "kitten.jpg").read_bytes()


@pytest.mark.parametrize(
    ("folder", "model"),
    [("efficientnet_lite0_folder", EAGER), ("torchscript_folder", {"serializedFile": "model.pt"})],
    ids=["eager", "torchscript"],
)
def test_photos_get_the_answers_of_torchserves_own_handler(
    folder, model, request, photos, upstream, make_context
):
    folder = request.getfixturevalue(folder)
    handler = ImageClassifier()
    context = make_context(folder, **model)
    handler.initialize(context)
    answers = handler.handle([{"body": photo.read_bytes()} for photo in photos], context)
    manifest = {"model": {"modelName": "test", **model}}
    expected = upstream(
        UPSTREAM, folder=str(folder), manifest=manifest, photos=[str(photo) for photo in photos]
    )
    assert [list(answer) for answer in answers] == [list(answer) for answer in expected]
    for answer, its in zip(answers, expected):
        assert answer == pytest.approx(its, abs=1e-4)


def test_a_kitten_is_a_tiger_cat(classifier, kitten, make_context):
    (answer,) = classifier.handle([{"data": kitten}], make_context())
    assert list(answer)[:3] == ["tiger cat", "tabby", "Egyptian cat"]
    assert list(answer.values())[:3] == pytest.approx([0.480, 0.414, 0.076], abs=1e-3)


def test_a_corrupt_image_fails_alone(classifier, kitten, make_context):
    (alone,) = classifier.handle([{"data": kitten}], make_context())
    context = make_context()
    rows = [{"data": kitten}, {"data": kitten[:1000]}, {"body": bytearray(kitten)}, {}]
    answers = classifier.handle(rows, context)
    assert answers[0] == pytest.approx(alone, abs=1e-6)
    assert answers[2] == pytest.approx(alone, abs=1e-6)
    assert context.statuses == {1: 400, 3: 400}
    assert answers[1]["code"] == 400
    assert answers[1]["type"] == "BadRequestException"
    assert "damaged" in answers[1]["message"]
    assert answers[3]["message"] == 'The request has neither "data" nor "body"'


@pytest.mark.parametrize("place", ["form field", "JSON body", "header"])
def test_a_request_chooses_its_topk(place, classifier, kitten, make_context):
    row, headers = {"data": kitten}, {}
    if place == "form field":
        row["topk"] = b"2"
    elif place == "JSON body":
        row = {"body": {"data": base64.b64encode(kitten).decode(), "topk": 2}}
    else:
        headers = {1: {"ts-topk": "2"}}
    answers = classifier.handle([{"data": kitten}, row], make_context(headers=headers))
    assert len(answers[0]) == 5
    assert list(answers[1]) == ["tiger cat", "tabby"]


@pytest.mark.parametrize("topk", ["0", "-1", "many", "2.5", ""])
def test_a_wrong_topk_is_a_400_that_says_what_is_allowed(topk, classifier, kitten, make_context):
    context = make_context()
    answers = classifier.handle([{"data": kitten, "topk": topk}, {"data": kitten}], context)
    assert context.statuses == {0: 400}
    assert answers[0]["message"].startswith("Wrong option: topk: Input should be")
    assert repr(topk) in answers[0]["message"]
    assert len(answers[1]) == 5


def test_topk_is_capped_at_the_number_of_classes():
    handler = ImageClassifier()
    (answer,) = handler.postprocess(torch.tensor([[2.0, 1.0, 0.0]]))
    assert list(answer) == ["0", "1", "2"]
    assert list(answer.values()) == pytest.approx([0.6652, 0.2447, 0.0900], abs=1e-4)


def test_the_setting_topk_wins_over_the_class_attribute(torchscript_folder, make_context):
    class TopThree(ImageClassifier):
        topk = 3

    assert TopThree().get_max_result_classes() == 3
    handler = TopThree()
    handler.initialize(
        make_context(torchscript_folder, config={"handler": {"topk": 2}}, serializedFile="model.pt")
    )
    assert handler.get_max_result_classes() == 2
    handler.set_max_result_classes(1)
    (answer,) = handler.postprocess(torch.tensor([[2.0, 1.0, 0.0]]))
    assert len(answer) == 1


def test_a_wrong_setting_stops_the_load(torchscript_folder, make_context):
    context = make_context(torchscript_folder, config={"handler": {"topk": "few"}}, serializedFile="model.pt")
    with pytest.raises(ValueError, match=r"handler\.topk: Input should be a valid integer.*but it is 'few'"):
        ImageClassifier().initialize(context)


def test_nested_lists_are_the_models_input(classifier, make_context):
    tensor = torch.zeros(3, 224, 224)
    (answer,) = classifier.handle([{"body": {"data": tensor.tolist()}}], make_context())
    probabilities = torch.softmax(classifier.model(tensor[None]), dim=1)[0].topk(5).values
    assert list(answer.values()) == pytest.approx(probabilities.tolist(), abs=1e-5)


def test_a_subclass_gets_a_pil_image_for_its_image_processing(torchscript_folder, kitten, make_context):
    seen = []

    class Custom(ImageClassifier):
        def image_processing(self, image):
            seen.append((type(image), image.mode))
            return torch.zeros(3, 224, 224)

    handler = Custom()
    context = make_context(torchscript_folder, serializedFile="model.pt")
    handler.initialize(context)
    assert len(handler.handle([{"data": kitten}], context)[0]) == 5
    ((kind, mode),) = seen
    assert issubclass(kind, Image.Image)
    assert mode == "RGB"


def test_an_explanation_has_the_shape_of_the_input(classifier, kitten, make_context):
    pytest.importorskip("captum")
    context = make_context(headers={0: {"explain": "True"}})
    explanation, prediction = classifier.handle([{"data": kitten}, {"data": kitten}], context)
    assert torch.tensor(explanation).shape == (3, 224, 224)
    assert next(iter(prediction)) == "tiger cat"


def test_only_what_is_asked_for_is_imported(tmp_path):
    optional = {"captum", "matplotlib", "onnxruntime"}
    code = f"import ts.torch_handler.image_classifier, sys; print({optional} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stdout.strip() == "set()"
