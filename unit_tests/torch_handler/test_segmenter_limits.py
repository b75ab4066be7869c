"""What a segmenter answers is bounded before it is made, and true: NaN is no class."""

from __future__ import annotations

import json
import logging
import math

import numpy as np
import pytest
import torch
from segmenters import PHOTO, decoded, encoded, halves

from ts.handler_utils.requests.json_encoding import encode_json
from ts.handler_utils.segmentation import pixel_scores
from ts.handler_utils.segmentation.answers import fewest_bytes
from ts.torch_handler.image_segmenter import ImageSegmenter

LARGE = encoded(halves(size=(1200, 900)))

# Too large ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 7), (224, 224), (30, 2)])
@pytest.mark.parametrize("probability", [1.0, 0.5])
def test_the_fewest_bytes_of_json_are_those_of_the_shortest_numbers(height, width, probability):
    pixels = np.broadcast_to(np.array([0, probability], dtype=np.float32), (height, width, 2))
    assert fewest_bytes(height, width) == len(encode_json(np.ascontiguousarray(pixels)))


def test_json_of_a_photo_is_refused_before_its_mask_is_made(segment, monkeypatch):
    monkeypatch.setattr(pixel_scores, "most_probable_at", None)
    [answer] = segment([{"body": LARGE, "size": "original"}])
    assert segment.context.statuses == {0: 413}
    assert answer["message"] == (
        "The answer is too large: 10801801 bytes or more, and max_answer_bytes is 6553500: ask for format png or"
        " rle, or raise handler.max_answer_bytes in model-config.yaml and max_response_size in config.properties"
    )


@pytest.mark.parametrize("form", ["png", "rle"])
def test_the_way_out_that_the_message_names_is_one(form, segment):
    if form == "rle":
        pytest.importorskip("pycocotools")
    [answer] = segment([{"body": LARGE, "size": "original", "format": form}])
    assert segment.context.statuses == {}
    if form == "png":
        assert decoded(answer).size == (1200, 900)
    else:
        assert answer[0]["segmentation"]["size"] == [900, 1200]


def test_json_is_refused_by_its_exact_size_too(segment):
    size = len(segment([{"body": PHOTO}])[0])
    assert fewest_bytes(224, 224) < size
    assert len(segment([{"body": PHOTO}], max_answer_bytes=size)[0]) == size
    segment([{"body": PHOTO}], max_answer_bytes=size - 1)
    assert segment.context.statuses == {0: 413}


@pytest.mark.parametrize(
    ("form", "way_out"),
    [
        ("overlay", "ask for format png and size model"),
        ("png", "ask for size model"),
        ("rle", "ask for size model"),
    ],
)
def test_a_mask_of_more_pixels_than_the_limit_is_refused_before_the_photo_is_decoded(
    form, way_out, segment, monkeypatch
):
    monkeypatch.setattr(ImageSegmenter, "inference", None)  # which then is not reached
    [answer] = segment([{"body": LARGE, "size": "original", "format": form}], max_answer_pixels=1_000_000)
    assert segment.context.statuses == {0: 413}
    assert answer["message"] == (
        "The answer is too large: 1200x900 pixels, which count 2 times in its format, and max_answer_pixels is"
        f" 1000000: {way_out}, send a smaller photo, or raise handler.max_answer_pixels in model-config.yaml"
    )


def test_of_a_photo_beyond_the_limit_the_mask_of_the_models_input_is_answered(segment):
    rows = [{"body": LARGE, "format": "png"}, {"body": LARGE}, {"body": LARGE, "format": "overlay"}]
    png, pixels, _ = segment(rows, max_answer_pixels=1_000_000)
    assert segment.context.statuses == {2: 413}
    assert decoded(png).size == (224, 224)
    assert np.shape(json.loads(pixels)) == (224, 224, 2)


def test_run_lengths_are_refused_before_they_are_encoded(segment, monkeypatch):
    coco = pytest.importorskip("pycocotools.mask", reason="needs pycocotools: pip install pycocotools")
    monkeypatch.setattr(coco, "frPyObjects", None)
    striped = torch.zeros(3, 224, 224)
    striped[0, ::2], striped[2, 1::2] = 1, 1
    rows = [{"body": striped.tolist(), "format": "rle"}]
    [answer] = segment(rows, max_answer_bytes=100_000)
    assert segment.context.statuses == {0: 413}
    assert answer["message"].startswith("The answer is too large: 100352 bytes or more")
    assert "ask for format png" in answer["message"]


def test_a_picture_is_refused_by_its_bytes(segment):
    [answer] = segment([{"body": LARGE, "format": "overlay"}], max_answer_bytes=1000)
    assert segment.context.statuses == {0: 413}
    assert "ask for format png or rle" in answer["message"]


# Untrue ------------------------------------------------------------------------------------------------------


def spoil(value, where=(slice(None), 5, 6)):
    """Makes the model return a value for photos that are more blue than red."""

    def prepare(handler):
        plain = handler.model

        def model(images):
            logits = plain(images)["out"].clone()
            for row, image in zip(logits, images):
                if image[2].sum() > image[0].sum():
                    row[where] = value
            return {"out": logits}

        handler.model = model

    return prepare


RED, BLUE = encoded(halves("red", "red")), encoded(halves("blue", "blue"))


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("options", [{}, {"format": "png"}, {"size": "original", "format": "png"}])
def test_a_pixel_whose_class_cannot_be_told_is_that_rows_503(value, options, segment, caplog):
    rows = [{"body": photo, **options} for photo in (RED, BLUE, RED)]
    with caplog.at_level(logging.WARNING):
        first, second, third = segment(rows, prepare=spoil(value))
    assert segment.context.statuses == {1: 503}
    assert second == {"code": 503, "type": "InternalServerException", "message": "Prediction failed"}
    assert first == third == segment([{"body": RED, **options}])[0]
    assert "the model returned probabilities that are not finite" in caplog.text


def test_a_class_that_is_ruled_out_has_probability_0(segment):
    masked = segment([{"body": BLUE, "format": "png"}], prepare=spoil(-math.inf, where=3))
    assert segment.context.statuses == {}
    assert sorted(np.unique(decoded(masked[0]))) == [0]


def test_a_model_that_answers_for_other_rows_is_an_error_that_the_log_tells(segment, caplog):
    def prepare(handler):
        plain = handler.model
        handler.model = lambda images: {"out": plain(images)["out"].repeat(3, 1, 1, 1)}

    segment([{"body": RED}, {"body": BLUE}], prepare=prepare)
    assert segment.context.statuses == {0: 503, 1: 503}
    assert "3 results for 1 rows" in caplog.text


@pytest.mark.parametrize("form", ["png", "overlay"])
def test_a_photo_that_is_no_jpeg_counts_twice(form, segment):
    photos = [encoded(halves(size=(40, 30)), kind) for kind in ("JPEG", "PNG")]
    rows = [{"body": photo, "size": "original", "format": form} for photo in photos]
    png = segment(rows, max_answer_pixels=1200)[1]
    assert segment.context.statuses == {1: 413}
    assert "40x30 pixels, which count 2 times in its format, and max_answer_pixels is 1200" in png["message"]
    segment(rows, max_answer_pixels=2400)
    assert segment.context.statuses == {}
