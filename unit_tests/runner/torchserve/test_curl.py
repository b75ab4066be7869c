from __future__ import annotations

import base64
import io
import json
import shlex

import pytest
from model_archiver.model_packaging import model_handlers
from PIL import Image

from ts.runner.torchserve.curl import example_request, file_request

URL = "http://127.0.0.1:8080"


def words_of(line: str) -> list[str]:
    """The words of the curl command, which is shown as much of as fits a terminal."""
    command, _, shown = line.rpartition(" | ")
    assert shown == "head -c 1000"
    return shlex.split(command)


@pytest.mark.parametrize("handler", [name for name, kind in model_handlers.items() if kind == "vision"])
def test_a_handler_of_images_is_sent_a_pixel(handler: str) -> None:
    words = words_of(example_request(URL, "tiny", handler))
    assert words[:5] == ["curl", "-s", f"{URL}/predictions/tiny", "-H", "Content-Type: application/json"]
    image = Image.open(io.BytesIO(base64.b64decode(json.loads(words[-1])["data"])))
    image.load()
    assert image.size == (1, 1)


@pytest.mark.parametrize("handler", ["base_handler", "embedder"])
def test_a_handler_of_anything_has_no_example(handler: str) -> None:
    assert example_request(URL, "tiny", handler) is None


@pytest.mark.parametrize("handler", ["text_classifier", "own.py"])
def test_another_handler_is_sent_a_sentence(handler: str) -> None:
    assert words_of(example_request(URL, "tiny", handler))[3:] == [
        "-H",
        "Content-Type: text/plain",
        "-d",
        "The home team won the cup final in extra time.",
    ]


def test_a_name_is_quoted_for_the_url() -> None:
    assert file_request(URL, "my model") == f"curl {URL}/predictions/my%20model -T FILE"
