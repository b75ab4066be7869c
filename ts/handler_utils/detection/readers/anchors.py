"""Networks of anchors, such as SSD and RetinaNet, exported before overlapping boxes are left out: two tensors."""

from __future__ import annotations

from typing import Any, Optional

import torch

from ts.handler_utils.detection.detections import Detections
from ts.handler_utils.detection.readers.registry import Reader, Tensors, reads
from ts.handler_utils.detection.readers.tensors import are_corners, are_probabilities, listed_tensors

# How far from 1 probabilities in half precision may add up.
_ROUNDING = 1e-2

_MOST_PAIRS = 20_000  # of a box and a class, the best, in an image


class _Anchors(Reader):
    background = False  # whether the first class is none

    def tensors(self, output: Any) -> Optional[Tensors]:
        pair = [tensor for tensor in listed_tensors(output) if tensor.dim() == 3]
        if len(pair) != 2 or len(listed_tensors(output)) != 2 or pair[0].shape[:2] != pair[1].shape[:2]:
            return None
        first, second = pair
        if first.shape[2] == 4 == second.shape[2]:  # the boxes are what no probabilities are, else the first
            swapped = are_probabilities(first) and not are_probabilities(second)
        else:
            swapped = second.shape[2] == 4
        boxes, scores = (second, first) if swapped else (first, second)
        return (boxes.float(), scores.float()) if boxes.shape[2] == 4 and scores.shape[2] else None

    def is_likely(self, output: Any, tensors: Tensors) -> bool:
        boxes, scores = tensors
        return are_corners(boxes) and are_probabilities(scores) and _add_up_to_one(scores) == self.background

    def detections(self, tensors: Tensors) -> list[Detections]:
        return [self.of_image(*pair) for pair in zip(*tensors)]

    def of_image(self, boxes: torch.Tensor, scores: torch.Tensor) -> Detections:
        """The detections of boxes [A, 4] and scores [A, classes]: each pair of them is a candidate."""
        first, classes = int(self.background), scores.shape[1] - int(self.background)
        pairs = scores[:, first:].flatten()
        best, places = pairs.topk(min(len(pairs), _MOST_PAIRS))
        anchors = places.div(max(classes, 1), rounding_mode="floor")
        return {"boxes": boxes[anchors], "labels": places % max(classes, 1) + first, "scores": best}


@reads("retinanet", "fcos", "yolonas")
class RetinaNet(_Anchors):
    """Classes are told apart by sigmoids."""

    layout = "boxes [N, A, 4]: x1, y1, x2, y2, and probabilities [N, A, classes], in any order"
    nms_iou = 0.5


@reads("ssd")
class Ssd(_Anchors):
    """Classes are told apart by the softmax, and the first is none: no box is labelled 0."""

    layout = "boxes [N, A, 4]: x1, y1, x2, y2, and probabilities [N, A, 1 + classes], in any order"
    nms_iou = 0.45
    background = True


def _add_up_to_one(scores: torch.Tensor) -> bool:
    """Whether the probabilities of each box add up to 1, as far as they are finite."""
    sums = scores.sum(dim=2)
    return scores.shape[2] > 1 and not bool((((sums - 1).abs() > _ROUNDING) & sums.isfinite()).any())
