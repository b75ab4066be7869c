"""What an SSD of torchvision found, without work on the many candidates that its answer leaves out in the end."""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from typing import Any

import torch
from torchvision.ops import clip_boxes_to_image, nms

# Of an image's candidates, the best that are looked at first: most often enough of them are left.
FIRST = 1000
# torchvision suppresses boxes of all classes together where they are no more, which rounds in another way.
TOGETHER = 1000


def quicken_ssd(model: torch.nn.Module) -> None:
    """Lets faster code choose what each of torchvision's SSDs in a model has found."""
    library = sys.modules.get("torchvision.models.detection.ssd")
    if library is None:  # no model has one
        return
    module: Any
    for module in model.modules():
        own = getattr(type(module), "postprocess_detections", None)
        if own is library.SSD.postprocess_detections and "postprocess_detections" not in vars(module):
            module.postprocess_detections = SsdDetections(module)


class SsdDetections:
    """Stands for an SSD's method `postprocess_detections`, with settings as they are at each call.

    torchvision itself answers where gradients flow or a tracer looks on, and in copies and pickles of the model.

    Args:
        model: the SSD.
    """

    def __init__(self, model: Any) -> None:
        self._model = model

    def __reduce__(self) -> Any:
        return functools.partial, (type(self._model).postprocess_detections, self._model)

    def __call__(
        self, head_outputs: dict[str, Any], image_anchors: list[Any], image_shapes: list[tuple[int, int]]
    ) -> list[dict[str, torch.Tensor]]:
        """What the method returns: the boxes, scores and labels of each image, the best first."""
        logits, regressions = head_outputs["cls_logits"], head_outputs["bbox_regression"]
        is_traced = torch.jit.is_tracing() or torch.compiler.is_compiling()
        if is_traced or torch.is_grad_enabled() or logits.device.type != "cpu":
            return self._by_itself(head_outputs, image_anchors, image_shapes)
        found = []
        for row in zip(logits.softmax(dim=-1), logits, regressions, image_anchors, image_shapes):
            found.append(self._in_image(*row))
        return found

    def _by_itself(self, *args: Any) -> Any:
        return type(self._model).postprocess_detections(self._model, *args)

    def _in_image(
        self,
        scores: torch.Tensor,
        logits: torch.Tensor,
        regression: torch.Tensor,
        anchors: torch.Tensor,
        shape: tuple[int, int],
    ) -> dict[str, torch.Tensor]:
        model = self._model
        places, labels = (scores[:, 1:] > model.score_thresh).nonzero(as_tuple=True)
        labels = labels + 1  # 0 is the background
        if labels.bincount().clamp(max=model.topk_candidates).sum() <= TOGETHER:
            outputs = {"cls_logits": logits[None], "bbox_regression": regression[None]}
            (found,) = self._by_itself(outputs, [anchors], [shape])
            return dict(found)
        boxes = clip_boxes_to_image(model.box_coder.decode_single(regression, anchors), shape)
        scores = scores[places, labels]
        count = FIRST
        while True:
            best, order = scores.topk(min(count, len(scores)))
            its, names = boxes[places[order]], labels[order]
            kept = suppress_by_class(its, best, names, model.nms_thresh, model.topk_candidates)
            if len(kept) >= model.detections_per_img or count >= len(scores):
                kept = kept[: model.detections_per_img]
                return {"boxes": its[kept], "scores": best[kept], "labels": names[kept]}
            count *= 4


def suppress_by_class(
    boxes: torch.Tensor, scores: torch.Tensor, labels: torch.Tensor, iou: float, most: int
) -> torch.Tensor:
    """Which detections are left when those are left out that overlap a better one of their class.

    Whether one is left depends on the better ones alone.

    Args:
        boxes: float [N, 4], the best first.
        scores: of the boxes.
        labels: of the boxes.
        iou: intersection over union above which two boxes are of one object.
        most: of a class, which are looked at.

    Returns:
        Indexes, in ascending order.
    """
    groups: Sequence[torch.Tensor] = labels.argsort(stable=True).split(labels.bincount().tolist())
    kept = [
        group[nms(boxes[group], scores[group], iou)]
        for group in (each[:most] for each in groups)
        if len(group)
    ]
    return torch.cat(kept).sort().values
