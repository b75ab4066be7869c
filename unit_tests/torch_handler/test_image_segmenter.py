"""The image segmenter: beside torchserve's own, and on photos of plain colours whose masks are known."""

from __future__ import annotations

import json
import sys
import warnings
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image
from segmenters import COLOURS, CORRUPT, LABELS, PHOTO, decoded, encoded, write_model
from torchvision.models.segmentation import lraspp_mobilenet_v3_large

from ts.torch_handler.image_segmenter import ImageSegmenter

LRASPP = """
    from torch import nn
    from torchvision.models.segmentation import lraspp_mobilenet_v3_large

    class Segmenter(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=21)

        def forward(self, images):
            return self.net(images)
"""

# Beside torchserve's own ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["eager", "torchscript"])
def lraspp(request, tmp_path_factory):
    """A folder with a torchvision network of 21 classes, and the manifest's entries for it."""
    folder = tmp_path_factory.mktemp("lraspp")
    write_model(folder, LRASPP)
    torch.manual_seed(0)
    net = lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=21).eval()
    if request.param == "eager":
        torch.save({f"net.{name}": values for name, values in net.state_dict().items()}, folder / "net.pt")
        return folder, {"modelFile": "model.py", "serializedFile": "net.pt"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(net).save(str(folder / "net.pt"))
    return folder, {"serializedFile": "net.pt"}


def test_an_answer_is_that_of_torchserves_own_handler(lraspp, ask_torchserve, make_context):
    folder, model = lraspp
    pixels = np.random.default_rng(0).integers(0, 256, (2, 12, 16, 3), dtype=np.uint8)
    photos = [
        encoded(Image.fromarray(pixels[0]).resize((320, 240), Image.Resampling.BICUBIC), "JPEG"),
        encoded(Image.fromarray(pixels[1]).resize((180, 300), Image.Resampling.BICUBIC)),
    ]
    handler, context = ImageSegmenter(), make_context(folder, **model)
    handler.initialize(context)
    rows = [{"body": photo} for photo in photos]
    answers = handler.handle(rows, context)
    (expected,) = ask_torchserve("image_segmenter", folder, model, [rows])
    for answer, theirs in zip(answers, np.array(expected)):
        ours = np.array(json.loads(answer))
        assert ours.shape == theirs.shape == (224, 224, 2)
        assert np.array_equal(ours[..., 0], theirs[..., 0])
        assert np.abs(ours[..., 1] - theirs[..., 1]).max() <= 1e-4


# json ----------------------------------------------------------------------------------------------------------


def test_by_default_an_answer_is_the_class_and_probability_of_each_pixel(segment):
    [answer] = segment([{"body": PHOTO}])
    pixels = json.loads(answer)
    assert np.shape(pixels) == (224, 224, 2)
    assert pixels[100][0] == [1.0, pytest.approx(0.993218, abs=1e-6)]
    assert pixels[100][223] == [3.0, pytest.approx(0.993218, abs=1e-6)]
    assert segment.context.content_types == {0: "application/json"}
    assert segment.context.statuses == {}


def test_postprocess_by_hand_returns_lists():
    logits = torch.tensor([[[[0.0, 5.0]], [[1.0, 0.0]]]])
    [answer] = ImageSegmenter().postprocess({"out": logits})
    assert answer == [[[1.0, pytest.approx(0.731059)], [0.0, pytest.approx(0.993307)]]]


def count_classes(results):
    return [sorted({int(pixel[0]) for line in result for pixel in line}) for result in results]


class OwnPostprocess(ImageSegmenter):
    def postprocess(self, data):
        return count_classes(super().postprocess(data))


class OwnHandle(ImageSegmenter):
    def handle(self, data, context):
        return count_classes(super().handle(data, context))


@pytest.mark.parametrize("kind", [OwnPostprocess, OwnHandle])
def test_a_subclass_works_on_lists_as_with_torchserve(kind, segment):
    assert segment([{"body": PHOTO}], kind=kind) == [[1, 3]]


def test_a_handle_that_is_set_on_the_handler_gets_lists(segment):
    """As MicroBatching is, in torchserve's example of it."""

    def replace_handle(handler):
        handle = handler.handle
        handler.handle = lambda data, context: count_classes(handle(data, context))

    assert segment([{"body": PHOTO}], prepare=replace_handle) == [[1, 3]]


def test_a_request_envelope_gets_lists(segment, monkeypatch):
    name = "ts.torch_handler.request_envelope.base"
    monkeypatch.setitem(sys.modules, name, ModuleType(name))
    assert count_classes(segment([{"body": PHOTO}])) == [[1, 3]]


# What torchserve's own segmenter fails at (its defects are listed in README.md) ----------------------------------


def test_one_corrupt_image_of_four_fails_alone(segment):
    rows = [{"body": PHOTO}, {"body": PHOTO}, {"body": CORRUPT}, {"body": PHOTO}]
    [alone] = segment([{"body": PHOTO}])
    answers = segment(rows)
    assert [answers[index] for index in (0, 1, 3)] == [alone] * 3
    assert (answers[2]["code"], answers[2]["type"]) == (400, "BadRequestException")
    assert segment.context.statuses == {2: 400}


def test_an_explanation_is_refused_clearly(segment):
    asks = {"explain": "True"}
    explanation, prediction = segment([{"body": PHOTO}, {"body": PHOTO}], headers={0: asks})
    assert explanation == {
        "code": 400,
        "type": "BadRequestException",
        "message": "ImageSegmenter gives no explanations, unless its archive names a layer to explain by:"
        " handler.explain_layer in model-config.yaml",
    }
    assert segment.context.statuses == {0: 400}
    assert np.shape(json.loads(prediction)) == (224, 224, 2)


def test_describe_names_the_settings_and_labels(segment):
    [answer] = segment([{}], headers={0: {"describe": "True"}}, format="png")
    assert answer["handler"] == "ImageSegmenter"
    assert answer["settings"]["format"] == "png"
    assert answer["settings"]["size"] == "model"
    assert answer["labels"] == LABELS


@pytest.mark.parametrize("mode", ["RGBA", "LA", "CMYK", "L", "P", "1"])
def test_photos_of_every_mode_are_answered(segment, mode):
    photo = Image.new("RGB", (40, 40), "white").convert(mode)
    kind = "TIFF" if mode == "CMYK" else "PNG"
    rows = [{"body": encoded(photo, kind), "format": name} for name in ("png", "overlay")]
    mask, overlay = (decoded(answer) for answer in segment(rows))
    assert np.unique(mask).tolist() == [1]
    assert overlay.size == (40, 40)


@pytest.mark.parametrize(
    ("model", "blue"),
    [
        (lambda images: images, 2),
        (lambda images: [images, None], 2),
        (lambda images: {"out": images[:, 2:] - 0.5}, 1),
    ],
    ids=["a tensor", "a list", "a single channel"],
)
def test_other_forms_of_logits_are_taken(segment, model, blue):
    rows = [{"body": PHOTO, "format": "png"}]
    [answer] = segment(rows, prepare=lambda handler: setattr(handler, "model", model))
    assert sorted(np.unique(decoded(answer))) == [0, blue]


# Bad requests --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"format": "jpg"}, "format: Input should be 'json', 'png', 'rle' or 'overlay', but it is 'jpg'"),
        ({"size": "800"}, "size: Input should be 'model' or 'original', but it is '800'"),
    ],
)
def test_a_bad_option_is_a_400_of_its_row(segment, option, message):
    bad, good = segment([{"body": PHOTO, **option}, {"body": PHOTO, "format": "png"}])
    assert bad["code"] == 400
    assert bad["message"] == f"Wrong option: {message}"
    assert decoded(good).size == (224, 224)
    assert segment.context.statuses == {0: 400}
    assert segment.context.content_types == {0: "application/json", 1: "image/png"}


def test_nested_lists_have_no_photo_to_draw_on(segment):
    [answer] = segment([{"body": {"data": torch.zeros(3, 20, 30).tolist(), "format": "overlay"}}])
    assert answer["code"] == 400
    assert "needs a photo to draw on" in answer["message"]


def test_a_class_above_255_fails_as_png_only(segment):
    def many_classes(handler):
        handler.model = lambda images: images.new_zeros(len(images), 300, 8, 8).index_fill_(
            1, torch.tensor(299), 5.0
        )

    png, as_json = segment([{"body": PHOTO, "format": "png"}, {"body": PHOTO}], prepare=many_classes)
    assert png["code"] == 400
    assert "ask for format json or rle" in png["message"]
    assert json.loads(as_json)[0][0][0] == 299.0
    assert segment.context.content_types == {0: "application/json", 1: "application/json"}


def test_a_wrong_setting_stops_the_load(tmp_path, make_context):
    write_model(tmp_path, COLOURS)
    context = make_context(tmp_path, config={"handler": {"format": "gif"}}, modelFile="model.py")
    with pytest.raises(ValueError, match=r"handler\.format: Input should be 'json', .* but it is 'gif'"):
        ImageSegmenter().initialize(context)
