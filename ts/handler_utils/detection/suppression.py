"""Several boxes of one object become one: by non-maximum suppression, a class at a time."""

from __future__ import annotations

from torchvision.ops import batched_nms

from ts.handler_utils.detection.detections import Detections, select_detections

# Of an image's candidates, the best: to compare all of more with each other would take seconds.
MOST_CANDIDATES = 10_000

MOST_BOXES = 300


def suppress(detections: Detections, iou: float, most: int) -> Detections:
    """Leaves out a box that overlaps a better one of its class.

    Args:
        detections: candidates.
        iou: intersection over union above which two boxes are of one object.
        most: how many detections are left at most.

    Returns:
        The detections that are left, the best first.
    """
    best = select_detections(detections, topk=MOST_CANDIDATES)
    kept = batched_nms(best["boxes"].float(), best["scores"].float(), best["labels"], iou)[:most]
    return {name: values[kept] for name, values in best.items()}
