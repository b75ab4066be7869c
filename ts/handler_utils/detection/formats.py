"""Detections as a client gets them: torchserve's JSON, COCO's results, a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Optional

import numpy as np
import torch
from PIL import Image

from ts.handler_utils.detection.detections import Detections, class_label
from ts.handler_utils.pictures.drawing import draw_boxes, draw_keypoints, draw_mask
from ts.handler_utils.pictures.palette import vivid_colour
from ts.handler_utils.pictures.rle import encode_rle

Labels = Optional[Mapping[str, str]]

_INSIDE = 0.5  # the probability from which on a pixel belongs to an object, as in torchvision's examples


def torchserve_answer(detections: Detections, mapping: Labels) -> list[dict[str, Any]]:
    """One dictionary a detection: `{label: [x1, y1, x2, y2], "score": score}`, as torchserve has it.

    A mask is added as "mask" (COCO run-length encoding), keypoints as "keypoints" ([[x, y, visible], ...]). A
    label that is itself one of these keys gets its class index behind it: "score (7)".
    """
    answer = []
    for index, box, score, extra in _each(detections):
        values = {"score": score, **extra}
        label = class_label(index, mapping)
        label = f"{label} ({index})" if label in values else label
        answer.append({label: box, **values})
    return answer


def coco_answer(detections: Detections, mapping: Labels) -> list[dict[str, Any]]:
    """One dictionary a detection, as COCO's results have it (https://cocodataset.org/#format-results).

    Boxes are [x, y, width, height] in pixels; `category_id` is the model's own class index, and `category_name`
    its label. A mask is added as "segmentation" (run-length encoding), keypoints as "keypoints" ([x, y, visible,
    x, y, visible, ...]).
    """
    answer = []
    for index, (x1, y1, x2, y2), score, extra in _each(detections):
        item = {
            "bbox": [x1, y1, x2 - x1, y2 - y1],
            "category_id": index,
            "category_name": class_label(index, mapping),
            "score": score,
        }
        if "mask" in extra:
            item["segmentation"] = extra["mask"]
        if "keypoints" in extra:
            item["keypoints"] = [value for point in extra["keypoints"] for value in point]
        answer.append(item)
    return answer


def draw_detections(photo: Image.Image, detections: Detections, mapping: Labels) -> Image.Image:
    """The photo with each detection's box, label and score, and with its mask and keypoints if it has them.

    Detections that come first are drawn on top.
    """
    indexes = detections["labels"].tolist()
    scores = detections["scores"].tolist()
    colours = [vivid_colour(index) for index in indexes]
    drawn = photo
    if "masks" in detections:
        drawn = draw_mask(drawn, _layers(detections["masks"], photo.size), [(0, 0, 0), *colours])
    captions = [f"{class_label(index, mapping)} {score:.2f}" for index, score in zip(indexes, scores)]
    drawn = draw_boxes(drawn, detections["boxes"].tolist(), captions, colours)
    for keypoints in detections.get("keypoints", torch.empty(0)).tolist():
        drawn = draw_keypoints(drawn, keypoints)
    return drawn


def _each(detections: Detections) -> Iterator[tuple[int, list[float], float, dict[str, Any]]]:
    """Class index, box, score, and what else there is, of each detection."""
    extras: list[dict[str, Any]] = [{} for _ in detections["scores"]]
    if "masks" in detections:
        for extra, mask in zip(extras, _binary(detections["masks"])):
            extra["mask"] = encode_rle(mask)
    if "keypoints" in detections:
        for extra, points in zip(extras, detections["keypoints"].tolist()):
            extra["keypoints"] = points
    columns = (detections[name].tolist() for name in ("labels", "boxes", "scores"))
    return zip(*columns, extras)


def _binary(masks: torch.Tensor) -> np.ndarray:
    """Masks [N, 1, H, W] or [N, H, W] of probabilities as booleans [N, H, W]."""
    return (masks >= _INSIDE).reshape(-1, *masks.shape[-2:]).cpu().numpy()


def _layers(masks: torch.Tensor, size: tuple[int, int]) -> np.ndarray:
    """The masks on top of each other, [H, W]: 0 where there is none, else 1 + the index of the first."""
    layers = np.zeros(size[::-1], dtype=np.int32)
    for index, mask in reversed(list(enumerate(_binary(masks), start=1))):
        layers[mask] = index
    return layers
