"""The image_segmenter example finds the objects of real photos."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
import torch
from at_hand import or_skip
from PIL import Image

from examples.assets import ASTRONAUT, CHELSEA, COFFEE, U2NETP, Asset
from examples.image_segmenter import model as model_file
from examples.image_segmenter.archive import build_archive, convert_weights
from examples.image_segmenter.model import U2NetP
from examples.image_segmenter.onnx_weights import read_float_weights
from ts.runner import load_archive
from ts.utils.util import list_classes_from_module

FetchOrSkip = Callable[[Asset], Path]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return or_skip(build_archive, tmp_path_factory.mktemp("u2netp"))


def field(number: int, content: bytes) -> bytes:
    """A field of a Protocol Buffers message that holds bytes (fewer than 128)."""
    return bytes([number << 3 | 2, len(content)]) + content


def tensor(data_type: int, name: bytes, dims: list[int], content: bytes) -> bytes:
    return (
        b"".join(bytes([1 << 3, size]) for size in dims)
        + bytes([2 << 3, data_type])
        + field(8, name)
        + field(9, content)
    )


def test_float_weights_are_read_from_an_onnx_file(tmp_path: Path) -> None:
    floats = tensor(1, b"weight", [2, 3], struct.pack("<6f", *range(6)))
    integers = tensor(7, b"shape", [1], struct.pack("<q", 5))
    producer, version = field(2, b"a producer"), b"\x08\x06"
    path = tmp_path / "model.onnx"
    path.write_bytes(version + producer + field(7, field(5, floats) + field(5, integers)))
    weights = read_float_weights(path)
    assert list(weights) == ["weight"]
    assert weights["weight"].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_every_part_of_the_network_has_its_weights(fetch_or_skip: FetchOrSkip) -> None:
    weights = convert_weights(fetch_or_skip(U2NETP))
    network = U2NetP()
    network.load_state_dict(weights)
    assert len(weights) == len(read_float_weights(fetch_or_skip(U2NETP))) == 238
    assert sum(values.numel() for values in network.parameters()) == 1_125_485


def test_the_model_file_defines_one_class_as_torchserve_asks() -> None:
    assert list_classes_from_module(model_file) == [U2NetP]


def test_photos_of_any_size_have_logits_of_that_size() -> None:
    with torch.inference_mode():
        assert U2NetP()(torch.zeros(2, 3, 65, 98))["out"].shape == (2, 2, 65, 98)


def test_the_archive_names_the_default_handler_and_the_labels(archive: Path) -> None:
    with zipfile.ZipFile(archive) as opened:
        model = json.loads(opened.read("MAR-INF/MANIFEST.json"))["model"]
        labels = json.loads(opened.read("index_to_name.json"))
    assert (model["handler"], model["modelFile"]) == ("image_segmenter", "model.py")
    assert labels == {"0": "background", "1": "object"}


@pytest.mark.parametrize(
    ("photo", "inside", "outside", "share"),
    [
        (CHELSEA, [(220, 150), (60, 60)], [(10, 280), (420, 60)], 0.626),
        (COFFEE, [(300, 100), (240, 200), (420, 270)], [(20, 20), (560, 380)], 0.476),
        (ASTRONAUT, [(230, 80), (150, 350), (440, 430)], [(340, 60), (30, 100), (480, 300)], 0.555),
    ],
    ids=["a cat", "a cup of coffee", "an astronaut"],
)
def test_the_object_of_a_photo_is_found(
    archive: Path, fetch_or_skip: FetchOrSkip, photo: Asset, inside: Any, outside: Any, share: float
) -> None:
    with load_archive(archive, device="cpu") as model:
        [answer] = model.predict([fetch_or_skip(photo)], options={"format": "png", "size": "original"})
    assert (answer.status, answer.content_type) == (200, "image/png")
    mask = Image.open(io.BytesIO(answer.response))
    with Image.open(fetch_or_skip(photo)) as original:
        assert mask.size == original.size
    assert [mask.getpixel(point) for point in inside] == [1] * len(inside)
    assert [mask.getpixel(point) for point in outside] == [0] * len(outside)
    assert np.mean(mask) == pytest.approx(share, abs=0.01)
