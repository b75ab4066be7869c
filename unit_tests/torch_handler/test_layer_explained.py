"""Explanations of the segmenter and the detector, by a layer of a real network that the archive names."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from at_hand import or_skip, unpacked
from PIL import Image

from examples.assets import COFFEE, fetch
from examples.image_segmenter.archive import build_archive as build_segmenter
from examples.object_detector.archive import build_archive as build_detector
from ts.torch_handler.image_segmenter import ImageSegmenter
from ts.torch_handler.object_detector import ObjectDetector

SEGMENTER = {"modelFile": "model.py", "serializedFile": "u2netp.pt"}
DETECTOR = {"modelFile": "model.py", "serializedFile": "yolov3_tiny.pt"}


@pytest.fixture(scope="module")
def coffee() -> bytes:
    return or_skip(fetch, COFFEE).read_bytes()


@pytest.fixture(scope="module")
def segmenter_folder(tmp_path_factory):
    return unpacked(build_segmenter, tmp_path_factory.mktemp("segmenter"))


@pytest.fixture(scope="module")
def detector_folder(tmp_path_factory):
    return unpacked(build_detector, tmp_path_factory.mktemp("detector"))


def explain(handler, folder, model, photo, make_context, settings, **options):
    """Loads an archive with settings, and asks for an explanation and a prediction in one batch."""
    context = make_context(folder, config={"handler": settings}, headers={0: {"explain": "True"}}, **model)
    handler.initialize(context)
    explanation, prediction = handler.handle([{"data": photo, **options}, {"data": photo}], context)
    assert 1 not in context.statuses
    return explanation, prediction, context


def test_a_segmentation_is_explained_where_the_object_is(segmenter_folder, coffee, make_context):
    handler = ImageSegmenter()
    settings = {"resize": [320, 320], "crop": None, "explain_layer": "sides.0"}
    found, _, context = explain(handler, segmenter_folder, SEGMENTER, coffee, make_context, settings)
    assert context.statuses == {}
    found = np.array(found)
    assert found.shape == (320, 320)
    assert (found.min(), found.max()) == (0, pytest.approx(1))
    (classes,) = handler.postprocess(handler.inference(handler.preprocess([{"data": coffee}])))
    object_ = np.array(classes)[..., 0] == 1
    assert found[object_].mean() > 3 * found[~object_].mean()


def test_a_detection_is_explained_where_its_box_is(detector_folder, coffee, make_context):
    handler = ObjectDetector()
    settings = {"explain_layer": "coarse_trunk.5"}
    found, prediction, context = explain(handler, detector_folder, DETECTOR, coffee, make_context, settings)
    assert context.statuses == {}
    found = np.array(found)
    assert found.shape == (400, 600)
    left, top, right, bottom = (round(value) for value in prediction[0]["cup"])
    box = np.zeros(found.shape, dtype=bool)
    box[top:bottom, left:right] = True
    assert found[box].mean() > 3 * found[~box].mean()


def test_an_explanation_may_be_a_picture(segmenter_folder, coffee, make_context):
    settings = {"resize": [320, 320], "crop": None, "explain_layer": "sides.0"}
    picture, _, context = explain(
        ImageSegmenter(), segmenter_folder, SEGMENTER, coffee, make_context, settings, format="overlay"
    )
    assert context.content_types[0] == "image/png"
    assert Image.open(BytesIO(picture)).size == (640, 640 + 42)  # enlarged, and its scale


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "png"}, "explanations come as json or overlay"),
        ({"target": "2"}, "target must be from 0 to 1, but it is 2"),
        ({"target": "cat"}, "target: Input should be a valid integer"),
    ],
)
def test_what_cannot_be_explained_is_a_400(options, message, segmenter_folder, coffee, make_context):
    settings = {"explain_layer": "sides.0"}
    answer, _, context = explain(
        ImageSegmenter(), segmenter_folder, SEGMENTER, coffee, make_context, settings, **options
    )
    assert context.statuses == {0: 400}
    assert message in answer["message"]


def test_a_class_that_is_not_in_the_photo_is_a_400(detector_folder, coffee, make_context):
    settings = {"explain_layer": "coarse_trunk.5"}
    answer, _, context = explain(
        ObjectDetector(), detector_folder, DETECTOR, coffee, make_context, settings, target="6"
    )
    assert context.statuses == {0: 400}
    assert answer["message"] == "There is nothing to explain: no class 6 found"


@pytest.mark.parametrize(
    ("handler", "folder", "model"),
    [(ImageSegmenter, "segmenter_folder", SEGMENTER), (ObjectDetector, "detector_folder", DETECTOR)],
)
def test_a_layer_that_is_not_there_stops_the_load(handler, folder, model, request, make_context):
    context = make_context(
        request.getfixturevalue(folder), config={"handler": {"explain_layer": "nowhere"}}, **model
    )
    with pytest.raises(
        ValueError, match=r"handler\.explain_layer: the model has no layer 'nowhere'; the nearest"
    ):
        handler().initialize(context)
