"""On a GPU each handler gives the answers that it gives on the CPU, and a batch that is too large is halved.

Convolutions compute in TF32 there, as torch has it by default, so that numbers agree to three digits.
"""

from __future__ import annotations

import io
import json
import random

import numpy as np
import pytest
import torch
from detectors import FASTER_RCNN
from devices import NEEDS_GPU
from PIL import Image

from ts.torch_handler.base_handler import BaseHandler
from ts.torch_handler.image_classifier import ImageClassifier
from ts.torch_handler.image_segmenter import ImageSegmenter
from ts.torch_handler.object_detector import ObjectDetector
from ts.torch_handler.text_classifier import TextClassifier

pytestmark = NEEDS_GPU

EAGER = {"modelFile": "model.py", "serializedFile": "efficientnet_lite0.pt"}
SEGMENTER = """
import torch
from torchvision.models.segmentation import lraspp_mobilenet_v3_large


class Segmenter(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.segmenter = lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=5)

    def forward(self, images):
        return {"out": 100 * self.segmenter(images)["out"]}
"""
BAG = """
import torch


class Bag(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.bag, self.fc = torch.nn.EmbeddingBag(5, 8), torch.nn.Linear(8, 3)

    def forward(self, indexes, offsets):
        return self.fc(self.bag(indexes, offsets))
"""
HUNGRY = """
import torch


class Hungry(torch.nn.Module):
    def forward(self, rows):
        wanted = torch.ones(len(rows), 2**28, device=rows.device)  # 1 GiB a row
        return rows.sum(dim=1, keepdim=True) + wanted[:, :1]
"""


def answers(kind, folder, make_context, rows, gpu, settings=None, headers=None, **model):
    gpu_id = 0 if gpu else None
    context = make_context(
        folder, config={"handler": settings or {}}, gpu_id=gpu_id, headers=headers, **model
    )
    handler = kind()
    handler.initialize(context)
    assert handler.device.type == ("cuda" if gpu else "cpu")
    found = handler.handle(rows, context)
    return [
        json.loads(answer) if isinstance(answer, (bytes, str)) and answer[:1] in (b"[", "[") else answer
        for answer in found
    ]


def on_both(*arguments, **more):
    return (answers(*arguments, gpu, **more) for gpu in (False, True))


def made_photos(count, kind="JPEG"):
    drawn = random.Random(5)
    for number in range(count):
        noise = np.random.default_rng(number).integers(0, 255, (9, 12, 3), np.uint8)
        photo = Image.fromarray(noise).resize(
            (drawn.randint(200, 900), drawn.randint(200, 900)), Image.BICUBIC
        )
        file = io.BytesIO()
        photo.save(file, kind)
        yield file.getvalue()


@pytest.mark.parametrize("settings", [{}, {"decoder": "nvjpeg"}, {"micro_batch": 3}], ids=str)
def test_photos(settings, efficientnet_lite0_folder, photos, make_context):
    rows = [{"body": photo.read_bytes()} for photo in photos] * 5
    rows[2] = {"body": b"no photo"}
    expected = answers(ImageClassifier, efficientnet_lite0_folder, make_context, rows, False, **EAGER)
    found = answers(ImageClassifier, efficientnet_lite0_folder, make_context, rows, True, settings, **EAGER)
    assert found[2]["code"] == expected[2]["code"] == 400
    for index in set(range(len(rows))) - {2}:
        assert next(iter(found[index])) == next(iter(expected[index]))
        for label in found[index].keys() & expected[index].keys():
            assert found[index][label] == pytest.approx(
                expected[index][label], abs=0.05 if settings.get("decoder") else 5e-3
            )


def test_an_explanation(efficientnet_lite0_folder, photos, make_context):
    pytest.importorskip("captum", reason="pip install captum: explanations need it")
    rows = [{"body": photos[0].read_bytes(), "target": b"281"}]
    headers = {0: {"explain": "True"}}
    expected, found = on_both(
        ImageClassifier, efficientnet_lite0_folder, make_context, rows, headers=headers, **EAGER
    )
    expected, found = np.array(expected[0]), np.array(found[0])
    assert found.shape == expected.shape == (3, 224, 224)
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.98


@pytest.mark.parametrize(
    ("form", "size"),
    [("json", "model"), ("png", "model"), ("png", "original"), ("rle", "original"), ("overlay", "model")],
)
def test_masks(form, size, tmp_path, make_context):
    if form == "rle":
        pytest.importorskip("pycocotools", reason="pip install pycocotools: masks as run lengths need it")
    (tmp_path / "model.py").write_text(SEGMENTER)
    rows = [{"data": photo, "format": form.encode(), "size": size.encode()} for photo in made_photos(2)]
    expected, found = on_both(ImageSegmenter, tmp_path, make_context, rows, modelFile="model.py")
    for ours, theirs in zip(found, expected):
        if form == "rle":
            assert areas(ours) == pytest.approx(areas(theirs), abs=0.01)
            continue
        pixels = [np.asarray(value) if form == "json" else decoded(value, form) for value in (ours, theirs)]
        assert pixels[0].shape == pixels[1].shape
        differing = np.abs(pixels[0].astype(float) - pixels[1].astype(float)) > (
            0.05 if form == "json" else 0
        )
        assert differing.mean() < 0.02


def areas(masks):
    """The share of the pixels that each of the five classes has."""
    found = {item["category_id"]: item["area"] for item in masks}
    return [found.get(number, 0) / sum(found.values()) for number in range(5)]


def decoded(picture, form):
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB" if form == "overlay" else "P")) // 8


def test_objects(tmp_path, make_context):
    (tmp_path / "model.py").write_text(FASTER_RCNN)
    rows = [{"data": photo, "threshold": b"0.2"} for photo in made_photos(3)]
    expected, found = on_both(ObjectDetector, tmp_path, make_context, rows, modelFile="model.py")
    for ours, theirs in zip(found, expected):
        assert len(ours) == len(theirs) > 0
        assert sorted(item["score"] for item in ours) == pytest.approx(
            sorted(item["score"] for item in theirs), abs=5e-3
        )


def test_texts(tmp_path, make_context):
    (tmp_path / "model.py").write_text(BAG)
    torch.save({"<unk>": 0, "good": 1, "film": 2, "bad": 3, "a": 4}, tmp_path / "source_vocab.pt")
    rows = [{"data": text} for text in ("a good film", "bad", "a bad bad film")]
    expected, found = on_both(TextClassifier, tmp_path, make_context, rows, modelFile="model.py")
    for ours, theirs in zip(found, expected):
        assert ours == pytest.approx(theirs, abs=1e-5)


def test_numbers_of_more_rows_than_the_memory_holds(tmp_path, make_context):
    (tmp_path / "model.py").write_text(HUNGRY)
    free, total = torch.cuda.mem_get_info()
    if free < 4 * 2**30:
        pytest.skip("needs 4 GiB of free GPU memory")
    torch.cuda.set_per_process_memory_fraction(3.5 * 2**30 / total)
    try:
        rows = [{"data": [float(row), 1.0]} for row in range(8)]
        found = answers(BaseHandler, tmp_path, make_context, rows, True, modelFile="model.py")
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
        torch.cuda.empty_cache()
    assert found == [[row + 2.0] for row in range(8)]
