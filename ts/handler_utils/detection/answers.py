"""What each request of a batch gets of the detections in its image."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Optional

import torch
from PIL import Image

from ts.handler_utils.answer_limit import check_answer_size
from ts.handler_utils.configuration import Configuration
from ts.handler_utils.detection.detections import (
    Detections,
    check_detections,
    find_classes,
    select_detections,
)
from ts.handler_utils.detection.formats import coco_answer, draw_detections, torchserve_answer
from ts.handler_utils.detection.readers.registry import Found
from ts.handler_utils.detection.resized import in_photo
from ts.handler_utils.detection.suppression import MOST_BOXES, suppress
from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.images.batches import ImageBatches
from ts.handler_utils.images.pillow import to_channels
from ts.handler_utils.images.transform import ImageTransform
from ts.handler_utils.parts import Part
from ts.handler_utils.pictures.answer_pixels import check_answer_pixels
from ts.handler_utils.pictures.overlay_encoding import encode_overlay
from ts.handler_utils.requests.current import CurrentBatch


class DetectionAnswers(Part):
    """Makes the answers of an `ObjectDetector`."""

    def check_photo(self, index: int) -> None:
        """Refuses a row that asks for too large a picture, before its photo is decoded.

        Raises:
            InvalidInput: the photo has more pixels than `max_answer_pixels` (413).
        """
        if Configuration.of(self.handler).options_of(index).format != "overlay":
            return
        size = ImageBatches.of(self.handler).photo_size(index)
        if size is not None:
            check_answer_pixels(self.handler, size[1], size[0], "ask for format json or coco, ")

    def answers(self, images: list[Found]) -> list[Any]:
        """The answer to each row of the batch, in the format that its option `format` asks for.

        Args:
            images: all that the model found, an image each.

        Raises:
            RowErrors: some rows ask for what is not allowed, or cannot be had for them; or what the model returned
                for a row are no detections.
        """
        options = Configuration.of(self.handler).options(len(images))

        def answer(index: int) -> Any:
            check_detections(images[index].detections)
            selected = self._select(images[index], options[index])
            return self._answer(index, images[index]._replace(detections=selected), options[index].format)

        return CurrentBatch.of(self.handler).each(answer, len(images))

    def _select(self, found: Found, options: Any) -> Detections:
        detections = _entries_wanted(found.detections, options)
        classes, topk = find_classes(options.classes, self.handler.mapping), options.topk
        if found.nms_iou is None:
            return select_detections(detections, threshold=options.threshold, classes=classes, topk=topk)
        candidates = select_detections(detections, threshold=options.threshold, classes=classes)
        most = getattr(Configuration.of(self.handler).settings, "max_boxes", MOST_BOXES)
        return suppress(candidates, found.nms_iou, most if topk is None else min(most, topk))

    def _answer(self, index: int, found: Found, form: str) -> Any:
        detections = self._placed(index, found, form)
        if form == "overlay":
            return self._overlay(index, detections)
        answer = coco_answer if form == "coco" else torchserve_answer
        return answer(
            detections,
            self.handler.mapping,
            lambda size: check_answer_size(self.handler, size, "raise the option threshold, or set topk"),
        )

    def _placed(self, index: int, found: Found, form: str) -> Detections:
        """What was found in a row's input, in pixels of its photo, unless that costs too much."""
        transform, images = self._own_transform(), ImageBatches.of(self.handler)
        is_scaled = transform is not None and (transform.resize or transform.letterbox)
        size = images.photo_size(index) if is_scaled or found.normalized else None
        self._check_cost(found.detections, form, size if is_scaled else None)
        if size is not None:
            return in_photo(found, transform, size)
        if not found.normalized:
            return found.detections
        nested_lists: Any = images.photo(index)
        return in_photo(found, None, tuple(nested_lists.shape[:-3:-1]))

    def _check_cost(self, detections: Detections, form: str, photo: Any) -> None:
        """Refuses what would take too long to answer.

        Args:
            detections: as the model gave them.
            form: of the answer.
            photo: width and height that masks are brought to; None if they stay as they are.

        Raises:
            InvalidInput: there are too many detections to draw (400), or too many pixels in masks (413).
        """
        settings, count = Configuration.of(self.handler).settings, len(detections["scores"])
        fewer = "raise the option threshold, set topk"
        most = getattr(settings, "max_drawn", None)
        if form == "overlay" and most is not None and count > most:
            raise InvalidInput(
                f"Format overlay: {count} detections are too many to draw, and max_drawn is {most}: {fewer}, or"
                " raise handler.max_drawn in model-config.yaml"
            )
        most = getattr(settings, "max_mask_pixels", None)
        if "masks" not in detections or most is None:
            return
        width, height = photo or detections["masks"].shape[:-3:-1]
        if count * height * width > most:
            raise InvalidInput(
                f"The masks are too large: {count} of {width}x{height} pixels, and max_mask_pixels is {most}:"
                f" {fewer}, send a smaller photo, or raise handler.max_mask_pixels in model-config.yaml",
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            )

    def _own_transform(self) -> Optional[ImageTransform]:
        """What settings make of photos; None where a subclass has a transform of its own."""
        transform = self.handler.image_processing
        return transform if isinstance(transform, ImageTransform) else None

    def _overlay(self, index: int, detections: Detections) -> bytes:
        photo = ImageBatches.of(self.handler).photo(index)
        if not isinstance(photo, Image.Image):
            raise InvalidInput("Format overlay needs a photo to draw on: the request holds nested lists")
        drawn = draw_detections(to_channels(photo, 3), detections, self.handler.mapping)
        data, content_type = encode_overlay(drawn, photo.format)
        check_answer_size(self.handler, len(data), "ask for format json or coco")
        CurrentBatch.of(self.handler).set_content_type(index, content_type)
        return data


def _entries_wanted(detections: Detections, options: Any) -> Detections:
    wanted = {"masks": options.masks, "keypoints": options.keypoints}
    for name in wanted:
        if wanted[name] and name not in detections:
            raise InvalidInput(f"Wrong option: {name}: this model gives no {name}")
    return {name: values for name, values in detections.items() if wanted.get(name, True)}


def best_score(found: Detections, target: int | None) -> torch.Tensor:
    """The best score of a class among the detections in an image, a scalar.

    Args:
        found: all detections in the image.
        target: index of the class; None stands for that of the best detection.

    Raises:
        InvalidInput: nothing of the class was found.
        ModelFault: the detections are not finite.
    """
    check_detections(found)
    scores = found["scores"] if target is None else found["scores"][found["labels"] == target]
    if not len(scores):
        raise InvalidInput(
            f"There is nothing to explain: no {'object' if target is None else f'class {target}'} found"
        )
    return scores.max()
