"""The formats and sizes of a segmenter's answers: on photos of plain colours whose masks are known."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image
from segmenters import PHOTO, decoded, encoded, halves
from torchvision import transforms

from ts.handler_utils.pictures.palette import class_colour

# png, rle, overlay ---------------------------------------------------------------------------------------------


def test_format_png_is_a_palette_png_of_class_indexes(segment):
    [answer] = segment([{"body": PHOTO, "format": "png"}])
    mask = decoded(answer)
    assert (mask.mode, mask.size) == ("P", (224, 224))
    assert sorted(np.unique(mask)) == [1, 3]
    assert mask.getpixel((0, 100)) == 1
    assert segment.context.content_types == {0: "image/png"}


def test_format_rle_is_a_coco_result_for_each_class(segment):
    coco = pytest.importorskip("pycocotools.mask", reason="needs pycocotools: pip install pycocotools")
    rows = [{"body": PHOTO, "format": "rle", "size": "original"}]
    [red, blue] = json.loads(json.dumps(segment(rows)[0]))
    assert (red["category_id"], red["label"], red["area"], red["bbox"]) == (1, "red", 1024, [0, 0, 32, 32])
    assert (blue["category_id"], blue["label"], blue["bbox"]) == (3, "blue", [32, 0, 32, 32])
    assert red["segmentation"]["size"] == [32, 64]
    assert coco.decode(red["segmentation"]).tolist() == [[1] * 32 + [0] * 32] * 32
    assert 0.95 < red["score"] < 1


def tinted(photo: tuple[int, int, int], index: int) -> list[float]:
    return [0.62 * below + 0.38 * colour for below, colour in zip(photo, class_colour(index))]


def test_format_overlay_tints_each_class_and_outlines_it(segment):
    [answer] = segment([{"body": encoded(halves("black", "blue")), "format": "overlay"}])
    drawn = decoded(answer)
    assert (drawn.mode, drawn.size) == ("RGB", (64, 32))
    assert drawn.getpixel((5, 5)) == pytest.approx(tinted((0, 0, 0), 0), abs=1)  # dark is a class here
    assert drawn.getpixel((60, 5)) == pytest.approx(tinted((0, 0, 255), 3), abs=1)
    assert drawn.getpixel((32, 5)) == pytest.approx(class_colour(3), abs=80)
    assert segment.context.content_types == {0: "image/png"}


def test_format_overlay_leaves_the_background_as_it_is_and_names_the_rest(segment):
    def label_0(handler):
        handler.mapping = {**handler.mapping, "0": "__background__"}

    photo = halves("black", "blue", (320, 240))
    [answer] = segment([{"body": encoded(photo), "format": "overlay"}], prepare=label_0)
    drawn = np.asarray(decoded(answer))
    assert (drawn[100:, :155] == 0).all()
    assert drawn[120, 250] == pytest.approx(tinted((0, 0, 255), 3), abs=1)
    assert (drawn[:30, :155] == class_colour(3)).all(axis=2).sum() == 64  # the legend's swatch
    assert (drawn[:30, :155].min(axis=2) > 200).any()  # and its text


def test_an_overlay_of_a_jpeg_is_a_jpeg(segment):
    [answer] = segment([{"body": encoded(halves("black", "blue"), "JPEG"), "format": "overlay"}])
    assert (decoded(answer).format, decoded(answer).size) == ("JPEG", (64, 32))
    assert segment.context.content_types == {0: "image/jpeg"}


def test_rows_of_a_batch_each_have_their_own_format(segment):
    rows = [{"body": PHOTO}, {"data": PHOTO, "format": b"png"}, {"body": PHOTO}]
    as_json, png, overlay = segment(rows, headers={2: {"ts-format": "overlay"}})
    assert np.shape(json.loads(as_json)) == (224, 224, 2)
    assert decoded(png).mode == "P"
    assert decoded(overlay).mode == "RGB"
    assert segment.context.content_types == {0: "application/json", 1: "image/png", 2: "image/png"}


def test_format_and_size_are_settings_too(segment):
    rows = [{"body": PHOTO}, {"body": PHOTO, "size": "model"}]
    original, model = segment(rows, format="png", size="original")
    assert decoded(original).size == (64, 32)
    assert decoded(model).size == (224, 224)


# size: original ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(64, 32), (31, 90), (500, 375)])
def test_size_original_is_that_of_the_photo(segment, size):
    [answer] = segment([{"body": encoded(halves(size=size)), "format": "png", "size": "original"}])
    mask = np.asarray(decoded(answer))
    assert mask.shape == size[::-1]
    middle = size[0] // 2
    assert np.unique(mask[:, : middle - 1]).tolist() == [1]
    assert np.unique(mask[:, middle + 1 :]).tolist() == [3]


def test_size_original_covers_what_the_crop_would_lose(segment):
    photo = Image.new("RGB", (300, 100), "black")
    photo.paste("lime", (0, 0, 60, 100))
    cropped, whole = segment(
        [{"body": encoded(photo), "format": "png", "size": size} for size in ("model", "original")]
    )
    assert np.unique(decoded(cropped)).tolist() == [0]
    assert np.unique(np.asarray(decoded(whole))[:, :58]).tolist() == [2]


def test_size_original_of_a_photo_that_exif_turns_is_that_of_the_upright_one(segment):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right: what is stored on the left is at the top
    turned = encoded(halves(), "JPEG", quality=95, subsampling=0, exif=exif)
    rows = [{"body": turned, "format": kind, "size": "original"} for kind in ("png", "overlay")]
    mask, overlay = (decoded(answer) for answer in segment(rows))
    assert mask.size == overlay.size == (32, 64)
    assert np.unique(np.asarray(mask)[:31]).tolist() == [1]
    assert np.unique(np.asarray(mask)[33:]).tolist() == [3]


def test_size_original_as_json_has_a_pair_for_each_pixel_of_the_photo(segment):
    [answer] = segment([{"body": PHOTO, "size": "original"}])
    assert np.shape(json.loads(answer)) == (32, 64, 2)


def test_size_original_of_nested_lists_is_their_own(segment):
    lists = torch.zeros(3, 20, 30).tolist()
    [answer] = segment([{"body": {"data": lists, "size": "original", "format": "png"}}])
    assert decoded(answer).size == (30, 20)


def test_size_original_drops_the_crop_of_torchvisions_transforms_too(segment):
    steps = [transforms.Resize(48), transforms.CenterCrop(48), transforms.ToTensor()]
    photo = encoded(halves(size=(300, 100)))
    model, original = segment(
        [{"body": photo, "format": "png", "size": size} for size in ("model", "original")],
        prepare=lambda handler: setattr(handler, "image_processing", transforms.Compose(steps)),
    )
    assert decoded(model).size == (48, 48)
    assert decoded(original).size == (300, 100)
    assert np.unique(np.asarray(decoded(original))[:, :140]).tolist() == [1]
