"""Batches of images: those of one request have their limits together."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch

from benchmarks.strangers.images import flat_jpeg, flat_png
from ts.handler_utils.errors import RowErrors
from ts.handler_utils.images.batches import ImageBatches
from ts.handler_utils.images.limits import ImageLimits
from ts.handler_utils.requests.current import CurrentBatch
from ts.torch_handler.vision_handler import VisionHandler

ROWS = [{"data": flat_png("L", (40, 30))}, {"data": flat_jpeg((40, 30))}, {"data": flat_png("L", (40, 30))}]


@pytest.fixture
def handler() -> VisionHandler:
    handler = VisionHandler()
    handler.device = torch.device("cpu")
    ImageBatches.of(handler).reader.limits = ImageLimits(max_pixels=2 * 40 * 30)
    ImageBatches.of(handler).__dict__["threads"] = 1
    return handler


def enveloped(monkeypatch: pytest.MonkeyPatch, handler: Any, requests: int) -> None:
    name = "ts.torch_handler.request_envelope.base"
    monkeypatch.setitem(sys.modules, name, ModuleType(name))
    handler.context = SimpleNamespace(request_ids={index: f"id {index}" for index in range(requests)})


def test_the_rows_that_an_envelope_made_of_one_request_share_its_pixels(handler, monkeypatch):
    enveloped(monkeypatch, handler, requests=1)
    with pytest.raises(RowErrors) as raised:
        handler.preprocess(ROWS)
    assert list(raised.value.errors) == [2]
    message = "3600 pixels with those before it in the same request, and max_pixels is 2400 for all together"
    assert message in str(raised.value)
    assert len(handler.preprocess(ROWS[:2])) == 2  # the next request has all of them again


def test_rows_of_several_requests_have_each_its_own(handler, monkeypatch):
    assert len(handler.preprocess(ROWS)) == 3
    enveloped(monkeypatch, handler, requests=3)
    assert len(handler.preprocess(ROWS)) == 3


def test_the_size_of_a_photo_is_known_without_decoding_it(handler, monkeypatch):
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", None)
    CurrentBatch.of(handler).rows = [*ROWS, {"data": [[1.0]]}]
    sizes = [ImageBatches.of(handler).photo_size(index) for index in range(4)]
    assert sizes == [(40, 30), (40, 30), (40, 30), None]
