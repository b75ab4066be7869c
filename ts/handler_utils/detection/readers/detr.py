"""DETR and its descendants: a class and a box from each of a fixed number of queries, no two of one object.

Logits are [N, queries, classes] and boxes [N, queries, 4]: cx, cy, w, h in fractions of the photo, as Hugging
Face's models return them under `logits` and `pred_boxes` (https://huggingface.co/docs/transformers/model_doc/detr).
"""

from __future__ import annotations

from typing import Any, Optional

import torch
from torchvision.ops import box_convert

from ts.handler_utils.detection.detections import Detections
from ts.handler_utils.detection.readers.registry import Reader, Tensors, reads
from ts.handler_utils.detection.readers.tensors import are_probabilities, listed_tensors, named_tensor


class _Queries(Reader):
    """Attributes: families: what the names of Hugging Face's outputs begin with, of the models it reads."""

    normalized = True
    families: tuple[str, ...] = ()

    def tensors(self, output: Any) -> Optional[Tensors]:
        logits, boxes = _named_logits(output), named_tensor(output, "pred_boxes")
        if logits is None or boxes is None:
            pair = listed_tensors(output)  # the outputs of an export, which have no names
            if len(pair) != 2:
                return None
            logits, boxes = pair
            if boxes.dim() != 3 or boxes.shape[-1] != 4:
                boxes, logits = pair
        fits = logits.dim() == 3 and boxes.dim() == 3 and boxes.shape[-1] == 4
        return (logits.float(), boxes.float()) if fits and logits.shape[:2] == boxes.shape[:2] else None

    def is_likely(self, output: Any, tensors: Tensors) -> bool:
        if _named_logits(output) is None:
            logits, boxes = tensors
            return are_probabilities(boxes) and not are_probabilities(logits)
        family, ours, others = type(output).__name__, self.families, _families() - set(self.families)
        return family.startswith(ours) or not family.startswith(tuple(others))

    def detections(self, tensors: Tensors) -> list[Detections]:
        logits, boxes = tensors
        return [self.of_image(*pair) for pair in zip(logits, box_convert(boxes, "cxcywh", "xyxy"))]

    def of_image(self, logits: torch.Tensor, boxes: torch.Tensor) -> Detections:
        """The detections of logits [queries, classes] and boxes [queries, 4]."""
        raise NotImplementedError


@reads("detr", "yolos", "table_transformer")
class Detr(_Queries):
    """A query finds one class or, the last, nothing: by softmax."""

    layout = "logits [N, queries, classes + 1] and pred_boxes [N, queries, 4], the last class being none"
    families: tuple[str, ...] = ("Detr", "Yolos", "TableTransformer")

    def of_image(self, logits: torch.Tensor, boxes: torch.Tensor) -> Detections:
        scores, labels = logits.softmax(-1)[:, :-1].max(-1)
        return {"boxes": boxes, "labels": labels, "scores": scores}


@reads("rtdetr", "dfine", "rfdetr")
class RtDetr(_Queries):
    """A query may find several classes, each by the sigmoid: as many pairs as there are queries, the best."""

    layout = "logits [N, queries, classes] and pred_boxes [N, queries, 4]"
    families: tuple[str, ...] = ("RTDetr", "DFine", "Deimv2", "RfDetr")
    most: Optional[int] = None

    def of_image(self, logits: torch.Tensor, boxes: torch.Tensor) -> Detections:
        count = min(self.most or len(logits), logits.numel())
        scores, places = logits.sigmoid().flatten().topk(count)
        queries = places.div(logits.shape[1], rounding_mode="floor")
        return {"boxes": boxes[queries], "labels": places % logits.shape[1], "scores": scores}


@reads("deformable_detr", "conditional_detr", "dab_detr")
class DeformableDetr(RtDetr):
    """As `RtDetr`, but 100 pairs at most."""

    families: tuple[str, ...] = ("DeformableDetr", "ConditionalDetr", "DabDetr")
    most = 100


def _named_logits(output: Any) -> Optional[torch.Tensor]:
    """By Hugging Face's name, or that of the models' own repositories."""
    logits = named_tensor(output, "logits")
    return named_tensor(output, "pred_logits") if logits is None else logits


def _families() -> set[str]:
    return {family for kind in (Detr, RtDetr, DeformableDetr) for family in kind.families}
