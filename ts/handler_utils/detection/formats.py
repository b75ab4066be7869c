"""Detections as a client gets them: torchserve's JSON, COCO's results, a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Optional

import numpy as np
import torch
from PIL import Image

from ts.handler_utils.detection.detections import INSIDE, Detections, class_label
from ts.handler_utils.pictures.boxes import draw_boxes
from ts.handler_utils.pictures.captions import Caption, draw_captions, per_cent
from ts.handler_utils.pictures.keypoints import draw_keypoints
from ts.handler_utils.pictures.palette import class_colours
from ts.handler_utils.pictures.regions import draw_regions, grid_size
from ts.handler_utils.pictures.rle import CheckSize, encode_rle, of_any_size

Labels = Optional[Mapping[str, str]]

_FEWEST_BYTES = len('{"":[0.0,0.0,0.0,0.0],"score":0.0},')  # of a detection, in either format


def torchserve_answer(
    detections: Detections, mapping: Labels, check_size: CheckSize = of_any_size
) -> list[dict[str, Any]]:
    """One dictionary a detection: `{label: [x1, y1, x2, y2], "score": score}`, as torchserve has it.

    A mask is added as "mask" (COCO run-length encoding), keypoints as "keypoints" ([[x, y, visible], ...]). A
    label that is itself one of these keys gets its class index behind it: "score (7)".

    Args:
        detections: those to answer.
        mapping: labels by class index (a string).
        check_size: of the answer as JSON.
    """
    answer = []
    for index, box, score, extra in _each(detections, check_size):
        values = {"score": score, **extra}
        label = class_label(index, mapping)
        label = f"{label} ({index})" if label in values else label
        answer.append({label: box, **values})
    return answer


def coco_answer(
    detections: Detections, mapping: Labels, check_size: CheckSize = of_any_size
) -> list[dict[str, Any]]:
    """One dictionary a detection, as COCO's results have it (https://cocodataset.org/#format-results).

    Boxes are [x, y, width, height] in pixels; `category_id` is the model's own class index, and `category_name`
    its label. A mask is added as "segmentation" (run-length encoding), keypoints as "keypoints" ([x, y, visible,
    x, y, visible, ...]). The arguments are those of `torchserve_answer`.
    """
    answer = []
    for index, (x1, y1, x2, y2), score, extra in _each(detections, check_size):
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

    Detections that come first are drawn on top, and have the better places for their captions.
    """
    drawn = photo.convert("RGB")
    indexes, boxes = detections["labels"].tolist(), detections["boxes"].tolist()
    colours = class_colours(indexes)
    if "masks" in detections:
        draw_regions(
            drawn, _layers(detections["masks"], grid_size(drawn.size)), dict(enumerate(colours, start=1))
        )
    draw_boxes(drawn, boxes, colours)
    labels = [str(class_label(index, mapping)) for index in indexes]
    if "keypoints" in detections:
        draw_keypoints(drawn, detections["keypoints"].tolist(), colours, labels)
    scores = [per_cent(score) for score in detections["scores"].tolist()]
    draw_captions(drawn, boxes, list(map(Caption, labels, scores)), colours)
    return drawn


def _each(
    detections: Detections, check_size: CheckSize
) -> Iterator[tuple[int, list[float], float, dict[str, Any]]]:
    """Class index, box, score, and what else there is, of each detection."""
    size = _FEWEST_BYTES * len(detections["scores"])
    check_size(size)
    extras: list[dict[str, Any]] = [{} for _ in range(len(detections["scores"]))]

    def check_with(more: int) -> None:
        check_size(size + more)

    if "masks" in detections:
        for extra, mask in zip(extras, detections["masks"]):
            extra["mask"] = encode_rle(_binary(mask), check_with)
            size += len(extra["mask"]["counts"])
    if "keypoints" in detections:
        for extra, points in zip(extras, detections["keypoints"].tolist()):
            extra["keypoints"] = points
    columns = (detections[name].tolist() for name in ("labels", "boxes", "scores"))
    return zip(*columns, extras)


def _binary(mask: torch.Tensor) -> np.ndarray:
    """A mask [1, H, W] or [H, W] of probabilities, or of booleans, as booleans [H, W]."""
    values = mask.reshape(mask.shape[-2:]).cpu().numpy()
    return values if values.dtype == np.bool_ else values >= INSIDE


def _layers(masks: torch.Tensor, size: tuple[int, int]) -> np.ndarray:
    """The masks on top of each other: 0 where there is none, else 1 + the index of the first.

    Args:
        masks: [N, 1, H, W] or [N, H, W], as large as the photo.
        size: width and height of what is returned, by the nearest pixels.
    """
    layers = np.zeros(size[::-1], dtype=np.int32)
    rows, columns = (
        ((torch.arange(pixels) + 0.5) * (length / pixels)).long()
        for length, pixels in zip(masks.shape[-2:], layers.shape)
    )
    for index in reversed(range(len(masks))):
        mask = masks[index].reshape(masks.shape[-2:])
        layers[_binary(mask[rows.to(mask.device)][:, columns.to(mask.device)])] = index + 1
    return layers
