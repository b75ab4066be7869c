from __future__ import annotations

import base64
import io
import json
import shlex

import pytest
from PIL import Image

from ts.runner.torchserve.curl import example_request, file_request

URL = "http://127.0.0.1:8080"


@pytest.mark.parametrize("handler", ["image_classifier", "image_segmenter", "object_detector"])
def test_an_image_handler_is_sent_a_pixel(handler: str) -> None:
    words = shlex.split(example_request(URL, "tiny", handler))
    assert words[:4] == ["curl", f"{URL}/predictions/tiny", "-H", "Content-Type: application/json"]
    image = Image.open(io.BytesIO(base64.b64decode(json.loads(words[-1])["data"])))
    image.load()
    assert image.size == (1, 1)


def test_a_segmenter_is_asked_for_a_picture() -> None:
    words = shlex.split(example_request(URL, "tiny", "image_segmenter"))
    assert words[-4:-1] == ["-o", "mask.png", "-d"]
    assert json.loads(words[-1])["format"] == "png"


def test_another_handler_is_sent_a_sentence() -> None:
    words = shlex.split(example_request(URL, "tiny", "text_classifier"))
    assert words[2:] == [
        "-H",
        "Content-Type: text/plain",
        "-d",
        "The home team won the cup final in extra time.",
    ]


def test_a_name_is_quoted_for_the_url() -> None:
    assert file_request(URL, "my model") == f"curl {URL}/predictions/my%20model -T FILE"
