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

from ts.handler_utils.images.batches import ImageBatches
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
    """Number for number with Pillow's pixels; else as near as pixels that differ by 1 of 255 here and there."""
    folder = request.getfixturevalue(folder)
    rows = [{"body": photo.read_bytes()} for photo in photos]
    exact, fast = (
        ask(folder, make_context, rows, {"decoder": decoder}, model) for decoder in ("pillow", "auto")
    )
    manifest = {"model": {"modelName": "test", **model}}
    expected = upstream(
        UPSTREAM, folder=str(folder), manifest=manifest, photos=[str(photo) for photo in photos]
    )
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


def test_a_context_of_torchserves_own_tests_is_enough(classifier, kitten, make_context):
    """Its mock answers False for any header, and knows neither request ids nor statuses."""
    mock = SimpleNamespace(get_request_header=lambda *_: False, metrics=make_context().metrics)
    (answer,) = classifier.handle([{"data": kitten}], mock)
    assert next(iter(answer)) == "tiger cat"


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


# Settings of images


def initialized(folder, make_context, **settings):
    handler = ImageClassifier()
    handler.initialize(make_context(folder, config={"handler": settings}, serializedFile="model.pt"))
    return handler


def test_settings_change_the_transform(torchscript_folder, make_context):
    handler = initialized(torchscript_folder, make_context, resize=[64, 80], crop=32, std=[1, 1, 1])
    image = Image.new("RGB", (100, 100), (255, 0, 0))
    tensor = handler.image_processing(image)
    assert tensor.shape == (3, 32, 32)
    assert tensor[:, 0, 0].tolist() == pytest.approx([1 - 0.485, -0.456, -0.406], abs=1e-6)
    assert ImageClassifier.image_processing.crop == 224


def test_a_preset_brings_its_transform_and_settings_win_over_it(torchscript_folder, make_context):
    from torchvision.models import ResNet50_Weights

    preset = ResNet50_Weights.IMAGENET1K_V2
    handler = initialized(torchscript_folder, make_context, preset="ResNet50_Weights.IMAGENET1K_V2")
    image = Image.effect_noise((300, 260), 80).convert("RGB")
    assert torch.equal(handler.image_processing(image), preset.transforms()(image))
    handler = initialized(torchscript_folder, make_context, preset=str(preset), crop=32)
    assert handler.image_processing(image).shape == (3, 32, 32)


def test_grey_models_get_one_channel(torchscript_folder, make_context):
    handler = initialized(torchscript_folder, make_context, channels=1)
    assert handler.image_processing(Image.new("RGB", (300, 300))).shape == (1, 224, 224)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"resize": 0}, r"handler\.resize.*greater than 0, but it is 0"),
        ({"crop": [1, 2, 3]}, r"handler\.crop.*at most 2 items.*\[1, 2, 3\]"),
        ({"interpolation": "cubic"}, r"handler\.interpolation.*'bicubic'.*but it is 'cubic'"),
        ({"std": [1, 0, 1]}, r"handler\.std\.1.*greater than 0, but it is 0"),
        ({"channels": 4}, r"handler\.channels.*1 or 3, but it is 4"),
        ({"preset": "ResNet50_Weights.V3"}, r"no weights of this name; the nearest are .*ResNet50_Weights"),
        ({"max_pixels": "many"}, r"handler\.max_pixels.*but it is 'many'"),
        ({"exif": "sideways"}, r"handler\.exif.*but it is 'sideways'"),
    ],
)
def test_a_wrong_image_setting_stops_the_load(settings, message, torchscript_folder, make_context):
    with pytest.raises(ValueError, match=message):
        initialized(torchscript_folder, make_context, **settings)


def test_an_image_of_more_than_max_pixels_is_a_413_by_its_header(torchscript_folder, kitten, make_context):
    handler = initialized(torchscript_folder, make_context, max_pixels=1000)
    limit = Image.MAX_IMAGE_PIXELS
    context = make_context()
    start = kitten[: kitten.index(b"\xff\xda") + 14]  # the headers, the scan's own too, and no pixel
    (answer,) = handler.handle([{"data": start}], context)
    assert context.statuses == {0: 413}
    assert answer["type"] == "RequestEntityTooLargeException"
    width, height = Image.open(BytesIO(kitten)).size
    assert answer["message"] == (
        f"The image is too large: {width}x{height} pixels, and at most 1000 are allowed"
    )
    assert limit == Image.MAX_IMAGE_PIXELS


def test_exif_can_be_left_alone(torchscript_folder, make_context):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown a quarter turn clockwise
    file = BytesIO()
    Image.new("RGB", (20, 10)).save(file, "PNG", exif=exif)
    row = {"data": file.getvalue()}
    for settings, size in (({}, (10, 20)), ({"exif": False}, (20, 10))):
        handler = initialized(torchscript_folder, make_context, **settings)
        assert ImageBatches.of(handler).reader.photo(row["data"]).size == size


def test_a_subclass_with_its_own_transform_gets_the_image_as_it_was_sent(make_context):
    from torchvision import transforms

    class Digits(ImageClassifier):
        image_processing = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1,), (0.3,))])

    class Colours(ImageClassifier):
        image_processing = transforms.Compose(
            [transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)]
        )

    def shape(handler, mode):
        file = BytesIO()
        Image.new(mode, (28, 28)).save(file, "PNG")
        return tuple(handler.preprocess([{"data": file.getvalue()}]).shape)

    assert shape(Digits(), "L") == (1, 1, 28, 28)
    assert [shape(Colours(), mode) for mode in ("RGB", "RGBA", "L", "LA", "P", "I;16")] == [
        (1, 3, 28, 28)
    ] * 6


# Explanations


@pytest.fixture
def explain(classifier, kitten, make_context):
    pytest.importorskip("captum")

    def run(**options):
        context = make_context(headers={0: {"explain": "True"}})
        answers = classifier.handle([{"data": kitten, **options}, {"data": kitten}], context)
        assert next(iter(answers[1])) == "tiger cat"
        return answers[0], context

    return run


def test_an_explanation_is_of_the_top_class_unless_a_target_is_named(explain):
    top, context = explain()
    tiger_cat, _ = explain(target=b"282")
    tench, _ = explain(target="0")
    assert context.statuses == {}
    assert torch.tensor(top).shape == (3, 224, 224)
    assert torch.allclose(torch.tensor(top), torch.tensor(tiger_cat), atol=1e-6)
    assert not torch.allclose(torch.tensor(top), torch.tensor(tench), atol=1e-3)


def test_an_explanation_is_that_of_torchserves_own_handler(
    torchscript_folder, photos, upstream, make_context
):
    pytest.importorskip("captum")
    code = UPSTREAM.replace("RequestProcessor({})", 'RequestProcessor({"explain": "True"})')
    code = code.replace('"body": ', '"target": 7, "body": ')
    model = {"serializedFile": "model.pt"}
    manifest = {"model": {"modelName": "test", **model}}
    (expected,) = upstream(code, folder=str(torchscript_folder), manifest=manifest, photos=[str(photos[0])])
    handler = ImageClassifier()
    context = make_context(torchscript_folder, headers={0: {"explain": "True"}}, **model)
    handler.initialize(context)
    (explanation,) = handler.handle([{"target": 7, "body": photos[0].read_bytes()}], context)
    assert torch.allclose(torch.tensor(explanation), torch.tensor(expected), atol=1e-4)


def test_an_explanation_may_be_a_picture(explain):
    png, context = explain(format="heatmap")
    picture = Image.open(BytesIO(png))
    assert (picture.format, picture.mode, picture.size) == ("PNG", "RGB", (224, 224))
    assert context.content_types[0] == "image/png"
    red, _, blue = np.moveaxis(np.asarray(picture, dtype=int), -1, 0)
    assert (red - blue).max() > 200
    assert (red - blue).min() == 0


@pytest.mark.parametrize("target", ["1000", "-1", "cat"])
def test_a_wrong_target_is_a_400(target, explain):
    answer, context = explain(target=target)
    assert context.statuses[0] == 400
    assert "target" in answer["message"]
    assert target in answer["message"]


def test_a_model_without_gradients_says_why_it_is_not_explained(kitten, make_context):
    pytest.importorskip("captum")
    handler = ImageClassifier()
    handler.device = "cpu"

    def forward(batch):
        with torch.no_grad():
            return batch.mean(dim=(2, 3))

    handler.model = forward
    context = make_context(headers={0: {"explain": "True"}})
    (answer,) = handler.handle([{"data": kitten}], context)
    assert context.statuses == {0: 400}
    assert "lets no gradient through" in answer["message"]


def test_only_what_is_asked_for_is_imported(tmp_path):
    optional = {"captum", "matplotlib", "onnxruntime", "torchvision", "torch._dynamo"}
    code = f"import ts.torch_handler.image_classifier, sys; print({optional} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stdout.strip() == "set()"
