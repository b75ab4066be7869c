"""The image classifier's settings: they change the transform and the answer, and a wrong one stops the load."""

from __future__ import annotations

from io import BytesIO

import pytest
import torch
from PIL import Image

from ts.handler_utils.images.batches import ImageBatches
from ts.torch_handler.image_classifier import ImageClassifier


def initialized(folder, make_context, **settings):
    handler = ImageClassifier()
    handler.initialize(make_context(folder, config={"handler": settings}, serializedFile="model.pt"))
    return handler


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


def test_an_image_of_more_than_max_pixels_is_a_413_by_its_header(torchscript_folder, cat, make_context):
    handler = initialized(torchscript_folder, make_context, max_pixels=1000)
    limit = Image.MAX_IMAGE_PIXELS
    context = make_context()
    start = cat[: cat.index(b"\xff\xda") + 14]  # the headers, the scan's own too, and no pixel
    (answer,) = handler.handle([{"data": start}], context)
    assert context.statuses == {0: 413}
    assert answer["type"] == "RequestEntityTooLargeException"
    width, height = Image.open(BytesIO(cat)).size
    assert answer["message"] == (
        f"The image is too large: {width}x{height} pixels, and max_pixels is 1000: send a smaller one, or"
        " raise handler.max_pixels in model-config.yaml"
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
