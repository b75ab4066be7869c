"""Detectors whose answers are known, and photos for them."""

from __future__ import annotations

import io
from typing import Any

import torch
from PIL import Image

from ts.torch_handler.object_detector import ObjectDetector

# A Faster R-CNN whose random weights see many objects; each class is seen in some place.
FASTER_RCNN = """
import torch
from torchvision.models.detection import fasterrcnn_mobilenet_v3_large_320_fpn


class Detector(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.detector = fasterrcnn_mobilenet_v3_large_320_fpn(
            weights=None, weights_backbone=None, num_classes=4, box_score_thresh=0.2, box_detections_per_img=9
        )
        # So that a photo's details reach the scores: as drawn, the weights of so many layers leave 1e-9 of them.
        for layer in self.detector.backbone.body.modules():
            if isinstance(layer, torch.nn.Conv2d):
                layer.weight.data *= 2.2
        self.detector.roi_heads.box_predictor.cls_score.weight.data *= 3

    def forward(self, images):
        return self.detector(images)
"""

BOX = [1.0, 2.0, 3.0, 4.0]


class Detections(torch.nn.Module):
    """A detector that takes a list: it finds a thing of class 1 as large as the image, and two in fixed places."""

    def __init__(self, **more: torch.Tensor) -> None:
        super().__init__()
        self.more = more
        self.batches: list[list[tuple[int, ...]]] = []

    def forward(self, images: list[torch.Tensor]) -> list[dict[str, torch.Tensor]]:
        assert isinstance(images, list)
        self.batches.append([tuple(image.shape) for image in images])
        return [self.detect(*image.shape[-2:]) for image in images]

    def detect(self, height: int, width: int) -> dict[str, torch.Tensor]:
        boxes = torch.tensor([[0.0, 0.0, width, height], BOX, BOX])
        scores = torch.tensor([0.9, 0.7, 0.3])
        return {"boxes": boxes, "labels": torch.tensor([1, 2, 3]), "scores": scores, **self.more}


class OfStacks(Detections):
    """The same, but it takes one tensor."""

    def forward(self, images: torch.Tensor) -> list[dict[str, torch.Tensor]]:  # type: ignore[override]
        assert isinstance(images, torch.Tensor)
        self.batches.append([tuple(images.shape)])
        return [self.detect(*image.shape[-2:]) for image in images]


def make_detector(model: torch.nn.Module) -> ObjectDetector:
    handler = ObjectDetector()
    handler.model, handler.device, handler.initialized = model, torch.device("cpu"), True
    handler.mapping = {"1": "cat", "2": "score"}
    return handler


def photo(width: int = 40, height: int = 30, format: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (100, 100, 100)).save(file, format, **options)
    return file.getvalue()
