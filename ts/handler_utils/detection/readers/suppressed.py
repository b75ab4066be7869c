"""Exports that leave overlapping boxes out themselves, and return boxes, scores and classes as tensors."""

from __future__ import annotations

from typing import Any, Optional

import torch

from ts.handler_utils.detection.detections import Detections
from ts.handler_utils.detection.readers.registry import Reader, Tensors, reads
from ts.handler_utils.detection.readers.tensors import are_indexes, detections_of, listed_tensors


@reads("efficientnms")
class EfficientNms(Reader):
    """Boxes, scores and classes, filled up to a fixed number, and often how many of them count.

    As TensorRT's plugin EfficientNMS, YOLO-NAS and RT-DETR are exported
    (https://github.com/NVIDIA/TensorRT/tree/main/plugin/efficientNMSPlugin): classes of -1 count nothing.
    """

    layout = (
        "boxes [N, K, 4]: x1, y1, x2, y2, scores [N, K] and classes [N, K], and perhaps how many of them count"
        " [N, 1], in any order"
    )

    def tensors(self, output: Any) -> Optional[Tensors]:
        listed = listed_tensors(output)
        boxes = next((tensor for tensor in listed if tensor.dim() == 3 and tensor.shape[2] == 4), None)
        if boxes is None or len(listed) not in (3, 4):
            return None
        others = [tensor for tensor in listed if tensor is not boxes]
        counts = _counts(others, boxes.shape[:2])
        pair = [tensor for tensor in others if tensor is not counts]
        if len(pair) != 2 or any(tensor.shape != boxes.shape[:2] for tensor in pair):
            return None
        classes, scores = pair if _are_classes(*pair) else pair[::-1]
        found = boxes.float(), scores.float(), classes
        return found if counts is None else (*found, counts.flatten())

    def detections(self, tensors: Tensors) -> list[Detections]:
        return [_of_image(*image) for image in zip(*tensors)]


def _counts(tensors: list[torch.Tensor], shape: torch.Size) -> Optional[torch.Tensor]:
    """What says how many detections count: of three tensors the one of a value an image."""
    if len(tensors) != 3:
        return None
    fitting = [tensor for tensor in tensors if tensor.shape in ((shape[0], 1), (shape[0],))]
    whole = [tensor for tensor in fitting if not tensor.is_floating_point()]
    return next(iter([*whole, *fitting]), None)


def _are_classes(values: torch.Tensor, others: torch.Tensor) -> bool:
    """Whether values are class indexes, and the others scores."""
    if values.is_floating_point() != others.is_floating_point():
        return not values.is_floating_point()
    return are_indexes(values.clamp(min=0)) and not are_indexes(others)


def _of_image(
    boxes: torch.Tensor, scores: torch.Tensor, classes: torch.Tensor, count: Optional[torch.Tensor] = None
) -> Detections:
    kept = ~(classes < 0)
    if count is not None:
        kept &= torch.arange(len(kept), device=kept.device) < count
    return detections_of(boxes[kept], classes[kept], scores[kept])
