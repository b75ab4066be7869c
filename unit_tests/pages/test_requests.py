"""Each request of a page, by curl, is one that a server here takes: its address, its options and their values."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from curl_in_pages import curl_arguments, options_of
from pages import Command, commands
from pydantic import ValidationError

from ts.handler_utils.embedding.settings import EmbedderOptions
from ts.handler_utils.images.settings import (
    ImageClassifierOptions,
    ImageSegmenterOptions,
    ObjectDetectorOptions,
)
from ts.handler_utils.requests.options import Options
from ts.handler_utils.text.settings import TextClassifierOptions

# What requests to the examples' archives may ask for; `kitten` stands for an archive of the reader's.
OPTIONS: dict[str, type[Options]] = {
    "efficientnet_lite0": ImageClassifierOptions,
    "yolov3_tiny": ObjectDetectorOptions,
    "u2netp": ImageSegmenterOptions,
    "reuters_r8": TextClassifierOptions,
    "minilm": EmbedderOptions,
    "kitten": ImageClassifierOptions,
}
# The paths that servers here answer: TorchServe's inference API and management API, and its metrics.
PATHS = re.compile(
    r"/(?:(?:predictions|explanations)/(?P<asked>[\w.-]+)(?:/[\d.]+)?|ping|metrics"
    r"|models(?:/(?P<shown>[\w.-]+)(?:/[\d.]+)?)?)"
)
PORTS = {8080, 8081, 8082, 8000}


def curls() -> list[Any]:
    return [pytest.param(command, id=str(command)) for command in commands("curl")]


def check(words: tuple[str, ...]) -> None:
    arguments = curl_arguments(words)
    address = urlsplit(arguments.url)
    if address.hostname != "127.0.0.1":
        return
    found = PATHS.fullmatch(address.path)
    assert found, address.path
    assert address.port in PORTS
    name = found["asked"] or found["shown"]
    given = dict(options_of(arguments))
    if name is None or not given:
        assert not given
        return
    kind = OPTIONS[name]
    assert set(given) <= set(kind.model_fields), f"{name} has no {set(given) - set(kind.model_fields)}"
    kind(**given)


@pytest.mark.parametrize("command", curls())
def test_a_server_here_takes_a_request(command: Command) -> None:
    check(command.words)


@pytest.mark.parametrize(
    "line",
    [
        "curl http://127.0.0.1:8080/prediction/u2netp -T coffee.png",
        "curl http://127.0.0.1:8888/predictions/u2netp -T coffee.png",
        "curl http://127.0.0.1:8080/predictions/somebody -F topk=2",
        "curl http://127.0.0.1:8080/predictions/efficientnet_lite0 -F tokp=2",
        "curl http://127.0.0.1:8080/predictions/u2netp -H ts-format:jpeg",
    ],
)
def test_a_request_that_is_wrong_is_found(line: str) -> None:
    with pytest.raises((AssertionError, KeyError, ValidationError)):
        check(tuple(line.split()))


def test_curl_has_no_other_arguments() -> None:
    with pytest.raises(SystemExit):
        check(("curl", "--upload-files", "photo.jpg", "http://127.0.0.1:8080/ping"))
