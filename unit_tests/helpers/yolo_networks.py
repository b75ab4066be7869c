"""Small networks with the outputs of YOLO exports, and plain arithmetic to compare answers with."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

STRIDES = (8, 16)
CLASSES = 3


class Network(nn.Module):
    """Random, seeded weights; decoded as YOLOv8 and YOLOv5 are: boxes around the cells of two maps.

    Args:
        layout: "yolov8": [N, 4 + classes, boxes]; "yolov5": [N, boxes, 5 + classes]; "pair": boxes [N, boxes, 4],
            x1, y1, x2, y2, and probabilities [N, boxes, classes].
        normalized: whether boxes are in fractions of the input.
    """

    def __init__(self, layout: str = "yolov8", normalized: bool = False) -> None:
        super().__init__()
        torch.manual_seed(7)
        self.layout, self.normalized = layout, normalized
        self.maps = nn.ModuleList(nn.Conv2d(3, 5 + CLASSES, stride, stride) for stride in STRIDES)

    def forward(self, images: Tensor) -> Any:
        rows = torch.cat([self.decoded(layer(images), int(layer.stride[0])) for layer in self.maps], dim=1)
        if self.normalized:
            height, width = images.shape[-2:]
            rows[..., :4] = rows[..., :4] / torch.tensor([width, height, width, height])
        boxes, objectness, classes = rows[..., :4], rows[..., 4:5], rows[..., 5:]
        if self.layout == "yolov5":
            return rows
        if self.layout == "yolov8":
            return torch.cat([boxes, objectness * classes], dim=-1).transpose(1, 2)
        centres, sides = boxes[..., :2], boxes[..., 2:]
        return torch.cat([centres - sides / 2, centres + sides / 2], dim=-1), objectness * classes

    def decoded(self, outputs: Tensor, stride: int) -> Tensor:
        rows, columns = outputs.shape[-2:]
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        cells = outputs.permute(0, 2, 3, 1)
        centres = (torch.stack([x, y], dim=-1) + cells[..., :2].sigmoid()) * stride
        sides = (cells[..., 2:4] * 2).exp() * stride * 2
        return torch.cat([centres, sides, (cells[..., 4:] * 8).sigmoid()], dim=-1).flatten(1, 2)


def suppressed(
    boxes: list[list[float]], scores: list[float], labels: list[int], threshold: float, iou: float
) -> list[tuple[int, float, list[float]]]:
    """Non-maximum suppression in plain Python: label, score and box of each detection that is left, best first."""
    order = sorted((i for i in range(len(scores)) if scores[i] >= threshold), key=lambda i: -scores[i])
    kept: list[int] = []
    for index in order:
        rivals = (other for other in kept if labels[other] == labels[index])
        if all(overlap(boxes[index], boxes[other]) <= iou for other in rivals):
            kept.append(index)
    return [(labels[index], scores[index], boxes[index]) for index in kept]


def overlap(first: list[float], second: list[float]) -> float:
    """Intersection over union."""
    width = max(0.0, min(first[2], second[2]) - max(first[0], second[0]))
    height = max(0.0, min(first[3], second[3]) - max(first[1], second[1]))
    both = width * height
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))
    return both / (areas - both)
