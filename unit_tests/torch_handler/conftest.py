"""Photos, and the handlers and models that tests of several files ask."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
from at_hand import or_skip
from detectors import FASTER_RCNN, Detections, make_detector
from PIL import Image
from segmenters import COLOURS, PLAIN, write_model

from examples.assets import ASTRONAUT, CHELSEA, COFFEE, fetch
from ts.torch_handler.image_segmenter import ImageSegmenter
from ts.torch_handler.object_detector import ObjectDetector


@pytest.fixture(scope="session")
def cat():
    """A JPEG of a cat, 451x300."""
    return jpeg(Image.open(or_skip(fetch, CHELSEA)))


@pytest.fixture(scope="session")
def astronaut():
    """A photo of a person, 512x512."""
    return or_skip(fetch, ASTRONAUT).read_bytes()


@pytest.fixture(scope="session")
def person_and_cup():
    """A JPEG of a person on the left and a cup on the right, 1024x512."""
    both = Image.new("RGB", (1024, 512))
    for left, asset in ((0, ASTRONAUT), (512, COFFEE)):
        both.paste(Image.open(or_skip(fetch, asset)).convert("RGB").resize((512, 512)), (left, 0))
    return jpeg(both)


def jpeg(image):
    file = BytesIO()
    image.save(file, "JPEG", quality=90)
    return file.getvalue()


@pytest.fixture
def detector() -> ObjectDetector:
    return make_detector(Detections())


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
