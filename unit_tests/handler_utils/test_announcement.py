"""What a handler that starts says in the log."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import Any, Callable

import pytest

from ts import HANDLERS_VERSION
from ts.handler_utils.announcement import announce
from ts.torch_handler.base_handler import BaseHandler
from ts.torch_handler.image_classifier import ImageClassifier


def line_of(handler: BaseHandler, caplog: pytest.LogCaptureFixture) -> str:
    with caplog.at_level(logging.INFO, "ts.handler_utils.announcement"):
        announce(handler)
    [record] = [record for record in caplog.records if record.name == "ts.handler_utils.announcement"]
    assert record.levelno == logging.INFO
    return record.getMessage()


def test_a_default_handler_is_named_by_its_module(caplog: pytest.LogCaptureFixture) -> None:
    handler = ImageClassifier()
    handler.manifest = {"model": {"modelName": "cats"}}
    said = "cats uses ts.torch_handler.image_classifier of torchserve-handlers"
    assert line_of(handler, caplog) == f"torchserve-handlers {HANDLERS_VERSION}: {said}"


def test_a_handler_of_its_own_is_named_with_what_it_stands_on(caplog: pytest.LogCaptureFixture) -> None:
    class Own(ImageClassifier):
        pass

    Own.__module__, Own.__qualname__ = "shop", "Own"
    handler = Own()
    handler.manifest = {"model": {"modelName": "cats"}}
    assert line_of(handler, caplog).endswith(
        "cats uses shop.Own, a handler of its own on ts.torch_handler.image_classifier"
    )


@pytest.mark.parametrize("manifest", [None, {}, {"model": None}, "text"])
def test_a_manifest_that_names_no_model_stops_nothing(
    caplog: pytest.LogCaptureFixture, manifest: Any
) -> None:
    handler = BaseHandler()
    handler.manifest = manifest
    assert ": a model uses ts.torch_handler.base_handler of" in line_of(handler, caplog)


def test_a_handler_says_it_once_when_it_starts(
    caplog: pytest.LogCaptureFixture, make_context: Callable[..., Any]
) -> None:
    class Without(BaseHandler):
        pass

    with caplog.at_level(logging.INFO, "ts.handler_utils.announcement"):
        Without().initialize(make_context())
    assert [record.name for record in caplog.records].count("ts.handler_utils.announcement") == 1


def test_a_workers_log_gets_the_line() -> None:
    """By the settings of logging that TorchServe's worker has."""
    code = """
import logging, sys
logging.basicConfig(stream=sys.stdout, format="%(message)s", level=logging.INFO)
from ts.handler_utils.announcement import announce
from ts.torch_handler.base_handler import BaseHandler
announce(BaseHandler())
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert f"torchserve-handlers {HANDLERS_VERSION}: a model uses ts.torch_handler.base_handler" in out
