"""Each request of a page, by curl, is one that a server here takes: its address, its options and their values."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
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


def curl_arguments(words: tuple[str, ...]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="curl", exit_on_error=True)
    parser.add_argument("url")
    parser.add_argument("-T", "--upload-file", dest="file")
    parser.add_argument("-F", "--form", action="append", dest="fields", default=[])
    parser.add_argument("-H", "--header", action="append", dest="headers", default=[])
    parser.add_argument("-d", "--data", dest="body")
    parser.add_argument("-o", "--output")
    parser.add_argument("-X", "--request", dest="method", choices=["GET", "POST", "PUT", "DELETE"])
    for flag in ("-s", "-f", "-S", "-i"):
        parser.add_argument(flag, action="store_true")
    return parser.parse_args(list(words[1:]))


def options_of(arguments: argparse.Namespace) -> Iterator[tuple[str, Any]]:
    """The options that a request gives, by form, header or JSON."""
    for field in arguments.fields:
        name, _, value = field.partition("=")
        if name not in ("data", "body"):
            yield name, value
    for header in arguments.headers:
        name, _, value = header.partition(":")
        if name.lower().startswith("ts-"):
            yield name[3:].lower(), value.strip()
    if any("application/json" in header for header in arguments.headers):
        yield from (
            (name, value)
            for name, value in json.loads(arguments.body).items()
            if name not in ("data", "body")
        )


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
