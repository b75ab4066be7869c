"""A request suits what the handler says of itself."""

from __future__ import annotations

import json
import shlex
from typing import Any

import pytest
from PIL import Image

from ts.runner.samples.curl import DIGIT, PHOTO, example_request, file_request
from ts.torch_handler.base_handler import BaseHandler
from ts.torch_handler.embedder import Embedder
from ts.torch_handler.image_classifier import ImageClassifier
from ts.torch_handler.image_segmenter import ImageSegmenter
from ts.torch_handler.object_detector import ObjectDetector
from ts.torch_handler.text_classifier import TextClassifier

URL = "http://127.0.0.1:8080"


class Own(ImageClassifier):
    def preprocess(self, data: Any) -> Any:
        return data


def words_of(about: dict[str, Any]) -> list[str]:
    """The words of the curl command, which is shown as much of as fits a terminal."""
    line = example_request(URL, "tiny", about)
    assert line is not None
    command, _, shown = line.rpartition(" | ")
    assert shown == "head -c 1000"
    words = shlex.split(command)
    assert words[:3] == ["curl", "-s", f"{URL}/predictions/tiny"]
    return words[3:]


@pytest.mark.parametrize("handler", [ImageClassifier, ObjectDetector, Embedder])
def test_a_handler_of_images_is_sent_a_photo(handler: type[BaseHandler]) -> None:
    assert words_of(handler().describe_handle()) == ["-T", str(PHOTO)]
    assert words_of({**handler().describe_handle(), "input": [3, None, None]}) == ["-T", str(PHOTO)]


def test_a_model_of_one_channel_is_sent_a_digit() -> None:
    assert words_of({**ImageClassifier().describe_handle(), "input": [1, None, None]}) == ["-T", str(DIGIT)]


def test_the_samples_are_small_pictures() -> None:
    with Image.open(PHOTO) as photo, Image.open(DIGIT) as digit:
        assert (photo.format, photo.size, photo.mode) == ("JPEG", (300, 200), "RGB")
        assert (digit.format, digit.size, digit.mode) == ("PNG", (28, 28), "L")
    assert PHOTO.stat().st_size < 15_000


def test_a_segmenter_is_asked_for_a_picture() -> None:
    line = example_request(URL, "u2netp", ImageSegmenter().describe_handle())
    picture = f"curl -s {URL}/predictions/u2netp -T {PHOTO} -H 'ts-format: overlay' -o u2netp.jpg"
    assert line == picture


@pytest.mark.parametrize(
    ("labels", "begins"),
    [
        (None, "The home team won"),
        ({"0": "Negative", "1": "Positive"}, "A wonderful film"),
        ({"0": "acq", "1": "crude"}, "Oil prices rose"),
        ({"0": "ham", "1": "spam"}, "Congratulations"),
        ({"0": "Sports", "1": "World"}, "The home team won"),
    ],
)
def test_a_handler_of_texts_is_sent_a_sentence_about_its_labels(labels: Any, begins: str) -> None:
    words = words_of({**TextClassifier().describe_handle(), "labels": labels})
    assert words[:3] == ["-H", "Content-Type: text/plain", "-d"]
    assert words[3].startswith(begins)


def test_a_handler_of_numbers_is_sent_a_row_where_the_model_tells_its_shape() -> None:
    about = BaseHandler().describe_handle()
    words = words_of({**about, "input": [2, 3]})
    assert words[:3] == ["-H", "Content-Type: application/json", "-d"]
    assert json.loads(words[3]) == {"data": [[0.5] * 3] * 2}
    assert example_request(URL, "tiny", about) is None
    assert example_request(URL, "tiny", {**about, "input": [3, None, None]}) is None
    assert example_request(URL, "tiny", {**about, "input": [10_000]}) is None


def test_who_reads_requests_by_code_of_ones_own_gets_no_example() -> None:
    assert example_request(URL, "tiny", Own().describe_handle()) is None
    assert example_request(URL, "tiny", {}) is None


def test_a_name_is_quoted_for_the_url() -> None:
    assert file_request(URL, "my model") == f"curl {URL}/predictions/my%20model -T FILE"
