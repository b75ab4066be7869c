"""What each request of a batch gets of the detections in its image."""

from __future__ import annotations

from typing import Any

import torch
from PIL import Image

from ts.handler_utils.configuration import Configuration
from ts.handler_utils.detection.detections import (
    Detections,
    find_classes,
    read_detections,
    select_detections,
)
from ts.handler_utils.detection.formats import coco_answer, draw_detections, torchserve_answer
from ts.handler_utils.detection.resized import undo_resize
from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.images.batches import ImageBatches
from ts.handler_utils.images.pillow import to_channels
from ts.handler_utils.images.transform import ImageTransform
from ts.handler_utils.parts import Part
from ts.handler_utils.pictures.overlay_encoding import encode_overlay
from ts.handler_utils.requests.current import CurrentBatch


class DetectionAnswers(Part):
    """Makes the answers of an `ObjectDetector`."""

    def answers(self, detections: list[Detections]) -> list[Any]:
        """The answer to each row of the batch, in the format that its option `format` asks for.

        Args:
            detections: all that the model found, an image each.

        Raises:
            RowErrors: some rows ask for what is not allowed, or cannot be had for them.
        """
        options = Configuration.of(self.handler).options(len(detections))

        def answer(index: int) -> Any:
            selected = _select(detections[index], options[index], self.handler.mapping)
            return self._answer(index, selected, options[index].format)

        return CurrentBatch.of(self.handler).each(answer, len(detections))

    def _answer(self, index: int, detections: Detections, form: str) -> Any:
        resize = self._own_resize()
        needs_photo = resize is not None or form == "overlay"
        photo = ImageBatches.of(self.handler).photo(index) if needs_photo else None
        if resize is not None and isinstance(photo, Image.Image):
            detections = undo_resize(detections, resize, photo.size)
        if form == "overlay":
            return self._overlay(index, detections, photo)
        answer = coco_answer if form == "coco" else torchserve_answer
        return answer(detections, self.handler.mapping)

    def _own_resize(self) -> Any:
        """What settings resize photos to; None where they do not, or a subclass has a transform of its own."""
        transform = self.handler.image_processing
        return transform.resize if isinstance(transform, ImageTransform) else None

    def _overlay(self, index: int, detections: Detections, photo: Any) -> bytes:
        if not isinstance(photo, Image.Image):
            raise InvalidInput("Format overlay needs a photo to draw on: the request holds nested lists")
        drawn = draw_detections(to_channels(photo, 3), detections, self.handler.mapping)
        data, content_type = encode_overlay(drawn, photo.format)
        CurrentBatch.of(self.handler).set_content_type(index, content_type)
        return data


def _select(detections: Detections, options: Any, mapping: Any) -> Detections:
    selected = select_detections(
        detections,
        threshold=options.threshold,
        classes=find_classes(options.classes, mapping),
        topk=options.topk,
    )
    for name, wanted in (("masks", options.masks), ("keypoints", options.keypoints)):
        if wanted and name not in selected:
            raise InvalidInput(f"Wrong option: {name}: this model gives no {name}")
        if not wanted:
            selected.pop(name, None)
    return selected


def best_score(output: Any, target: int | None) -> torch.Tensor:
    """The best score of a class among the detections in an image, a scalar.

    Args:
        output: what the model returned for one image.
        target: index of the class; None stands for that of the best detection.

    Raises:
        InvalidInput: nothing of the class was found.
    """
    (found,) = read_detections(output)
    scores = found["scores"] if target is None else found["scores"][found["labels"] == target]
    if not len(scores):
        raise InvalidInput(
            f"There is nothing to explain: no {'object' if target is None else f'class {target}'} found"
        )
    return scores.max()
