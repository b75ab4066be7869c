"""YOLO's exports: one tensor, whose layout differs from family to family.

The layouts are those of the exported files (https://docs.ultralytics.com/modes/export/): boxes are cx, cy, w, h in
pixels of the input, or, from networks that leave overlapping boxes out themselves, x1, y1, x2, y2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import torch
from torchvision.ops import box_convert

from ts.handler_utils.detection.detections import Detections
from ts.handler_utils.detection.readers.registry import Reader, Tensors, reads
from ts.handler_utils.detection.readers.tensors import (
    are_fractions,
    are_indexes,
    are_probabilities,
    detections_of,
    listed_tensors,
)


def _predictions(output: Any) -> Optional[torch.Tensor]:
    """The first tensor of an output; what else an eager network returns, for training, is left out."""
    if isinstance(output, (list, tuple)) and output and all(map(_is_for_training, output[1:])):
        output = output[0]
    return output if isinstance(output, torch.Tensor) and output.dim() == 3 else None


def _is_for_training(item: Any) -> bool:
    """Whether it is the maps of features that predictions are made of, not decoded."""
    return item is None or isinstance(item, (list, tuple, Mapping))


class _OneTensor(Reader):
    channels: int  # the fewest of a box

    def tensors(self, output: Any) -> Optional[Tensors]:
        predictions = _predictions(output)
        if predictions is None:
            return None
        rows = self.rows(predictions)
        return (rows.float(),) if rows.shape[-1] >= self.channels else None

    def is_usual(self, tensors: Tensors) -> bool:
        return tensors[0].shape[1] > tensors[0].shape[2]  # more boxes than classes

    def rows(self, predictions: torch.Tensor) -> torch.Tensor:
        """The predictions with one row a box, [N, boxes, values]."""
        return predictions

    def detections(self, tensors: Tensors) -> list[Detections]:
        return [self.of_image(rows) for rows in tensors[0]]

    def of_image(self, rows: torch.Tensor) -> Detections:
        """The detections of rows [boxes, values]."""
        raise NotImplementedError


@reads("yolov5", "yolov3", "yolov7", "yolox")
class YoloV5(_OneTensor):
    """A row is a box, whether there is an object, and of which class it is then."""

    layout = "one tensor [N, boxes, 5 + classes]: cx, cy, w, h, objectness, a probability a class"
    nms_iou = 0.45
    channels = 6

    def is_likely(self, output: Any, tensors: Tensors) -> bool:
        (rows,) = tensors
        if rows.shape[2] == YoloV10.channels and are_indexes(rows[..., 5]):
            return False
        # Fractions may be RT-DETR's, whose rows have no objectness.
        return are_probabilities(rows[..., 4:]) and not are_fractions(rows[..., :4])

    def of_image(self, rows: torch.Tensor) -> Detections:
        best, labels = rows[:, 5:].max(dim=1)
        boxes = box_convert(rows[:, :4], "cxcywh", "xyxy")
        return {"boxes": boxes, "labels": labels, "scores": rows[:, 4] * best}


@reads("yolov8", "yolov9", "yolo11", "yolo12")
class YoloV8(_OneTensor):
    """A column is a box and its classes."""

    layout = "one tensor [N, 4 + classes, boxes]: cx, cy, w, h, a probability a class"
    nms_iou = 0.7
    channels = 5

    def rows(self, predictions: torch.Tensor) -> torch.Tensor:
        return predictions.transpose(1, 2)

    def is_likely(self, output: Any, tensors: Tensors) -> bool:
        (rows,) = tensors
        is_told = self.is_usual(tensors) or not are_fractions(rows[..., :4])
        return is_told and are_probabilities(rows[..., 4:])

    def of_image(self, rows: torch.Tensor) -> Detections:
        scores, labels = rows[:, 4:].max(dim=1)
        return {"boxes": box_convert(rows[:, :4], "cxcywh", "xyxy"), "labels": labels, "scores": scores}


@reads("yolov10", "yolo26")
class YoloV10(_OneTensor):
    """A row is an object: the network, or its export, leaves overlapping boxes out itself."""

    layout = "one tensor [N, boxes, 6], or [boxes, 6] an image: x1, y1, x2, y2, score, class index"
    channels = 6

    def tensors(self, output: Any) -> Optional[Tensors]:
        images = listed_tensors(output)  # as networks return them that find a number of boxes in each image
        if images and all(rows.dim() == 2 for rows in images):
            found = tuple(rows.float() for rows in images)
        else:
            found = tuple(rows for stack in super().tensors(output) or () for rows in stack)
        return found if found and all(rows.shape[1] == self.channels for rows in found) else None

    def is_likely(self, output: Any, tensors: Tensors) -> bool:
        rows = torch.cat(tensors)
        return are_probabilities(rows[:, 4]) and are_indexes(rows[:, 5])

    def is_usual(self, tensors: Tensors) -> bool:
        return True

    def detections(self, tensors: Tensors) -> list[Detections]:
        return [self.of_image(rows) for rows in tensors]

    def of_image(self, rows: torch.Tensor) -> Detections:
        return detections_of(rows[:, :4], rows[:, 5], rows[:, 4])
