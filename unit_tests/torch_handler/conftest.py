"""Photos, and the handlers and models that tests of several files ask."""

from __future__ import annotations

import json

import pytest
from detectors import FASTER_RCNN, Detections, make_detector
from segmenters import COLOURS, PLAIN, write_model

from ts.torch_handler.image_segmenter import ImageSegmenter
from ts.torch_handler.object_detector import ObjectDetector


@pytest.fixture(scope="session")
def kitten(shared_data):
    return (shared_data / "images" / "kitten.jpg").read_bytes()


@pytest.fixture
def detector() -> ObjectDetector:
    return make_detector(Detections())


@pytest.fixture(scope="session")
def persons(shared_data):
    return shared_data / "images" / "persons.jpg"


@pytest.fixture(scope="session")
def faster_rcnn_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faster_rcnn")
    (folder / "model.py").write_text(FASTER_RCNN)
    (folder / "index_to_name.json").write_text(json.dumps({"1": "cat", "2": "dog", "3": "sheep"}))
    return folder


@pytest.fixture
def segment(tmp_path, make_context):
    """Answers rows with a handler whose model tells plain colours: `segment(rows, format="png")`."""

    def run(rows, *, kind=ImageSegmenter, headers=None, prepare=None, **config):
        write_model(tmp_path, COLOURS)
        context = make_context(
            tmp_path, config={"handler": {**PLAIN, **config}}, headers=headers, modelFile="model.py"
        )
        handler = kind()
        handler.initialize(context)
        if prepare:
            prepare(handler)
        run.context = context
        return handler.handle(rows, context)

    return run
