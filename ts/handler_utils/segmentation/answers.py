"""Class maps as a client gets them: torchserve's JSON, a palette PNG, COCO's results, a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

import numpy as np
import torch
from PIL import Image

from ts.handler_utils.answer_limit import check_answer_size
from ts.handler_utils.configuration import Configuration
from ts.handler_utils.detection.detections import class_label
from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.images.batches import ImageBatches
from ts.handler_utils.images.pillow import to_channels
from ts.handler_utils.models.finite import check_finite
from ts.handler_utils.parts import Part
from ts.handler_utils.pictures.answer_pixels import check_answer_pixels
from ts.handler_utils.pictures.class_overlay import draw_classes
from ts.handler_utils.pictures.overlay_encoding import encode_overlay
from ts.handler_utils.pictures.palette import voc_palette
from ts.handler_utils.pictures.regions import grid_size
from ts.handler_utils.requests.current import CurrentBatch
from ts.handler_utils.requests.json_encoding import JSON, encode_json, is_enveloped
from ts.handler_utils.requests.options import check_target
from ts.handler_utils.segmentation.class_maps import (
    ClassMap,
    background_class,
    class_probabilities,
    segmentation_logits,
)
from ts.handler_utils.segmentation.coco_masks import coco_segments
from ts.handler_utils.segmentation.palette_png import encode_palette_png
from ts.handler_utils.segmentation.pixel_scores import PixelScores

# Of a photo that is no JPEG: it takes as long again to decode it, and to encode what is drawn on it.
_COST_OF_OTHERS = 2


class SegmentationAnswers(Part):
    """Makes the answers of an `ImageSegmenter`.

    Attributes:
        input_size: height and width of what the model was given last; None where that is not known.
    """

    input_size: Optional[tuple[int, int]] = None

    def check_photo(self, index: int) -> None:
        """Refuses a row that asks for more of its photo than an answer may show, before the photo is decoded.

        Raises:
            InvalidInput: see `_check_size`.
        """
        size = ImageBatches.of(self.handler).photo_size(index)
        is_explained = CurrentBatch.of(self.handler).request_header(index, "explain") == "True"
        if size is not None and not is_explained:  # an explanation shows the model's input
            cost = 1 if ImageBatches.of(self.handler).is_jpeg(index) else _COST_OF_OTHERS
            self._check_size(Configuration.of(self.handler).options_of(index), size[::-1], cost=cost)

    def answers(self, scores: PixelScores, *, as_is: bool) -> list[Any]:
        """The answer to each row of the batch, in the format that its option `format` asks for.

        Args:
            scores: of each class at each pixel.
            as_is: whether bytes of JSON go to the client as they are.

        Raises:
            RowErrors: some rows ask for what is not allowed, or cannot be had for them; or a row's probabilities
                are not finite.
        """
        options = Configuration.of(self.handler).options(len(scores))

        def answer(index: int) -> Any:
            form, rows = options[index].format, rows_of_json(options, index)
            if not is_of_whole_photo(options[index]):
                self._check_size(options[index], scores.size, rows)
                return self._answer(index, form, scores.of_input(index), None, as_is)
            photo, size = self._photo(index, form)
            self._check_size(options[index], size, rows)
            if form == "overlay":
                size = grid_size(size[::-1])[::-1]
            return self._answer(index, form, scores.at(index, size), photo, as_is)

        return CurrentBatch.of(self.handler).each(answer, len(scores))

    def _photo(self, index: int, form: str) -> tuple[Any, tuple[int, int]]:
        """The photo of a row, decoded only where it is drawn on, and its height and width."""
        images = ImageBatches.of(self.handler)
        size = images.photo_size(index)
        if size is not None and form != "overlay":
            return None, (size[1], size[0])
        photo = images.photo(index)
        if isinstance(photo, Image.Image):
            return photo, (photo.height, photo.width)
        height, width = photo.shape[-2:]
        return photo, (height, width)

    def _check_size(self, options: Any, size: tuple[int, ...], rows: int = 1, cost: int = 1) -> None:
        """Refuses an answer by the height and width of what it shows, in so many rows of the same answer.

        Args:
            options: of the row.
            size: height and width.
            rows: see `rows_of_json`.
            cost: how many times its pixels count.

        Raises:
            InvalidInput: it shows too many pixels, or would have too many bytes as JSON (413).
        """
        height, width = size
        other = "ask for size model" if options.format != "overlay" else "ask for format png and size model"
        check_answer_pixels(self.handler, height, width, f"{other}, ", cost=cost)
        if options.format == "json":
            check_answer_size(self.handler, rows * fewest_bytes(height, width), "ask for format png or rle")

    def _answer(self, index: int, form: str, found: ClassMap, photo: Any, as_is: bool) -> Any:
        def check_size(size: int, other: str = "ask for format png") -> None:
            check_answer_size(self.handler, size, other)

        if form == "rle":
            return coco_segments(found, self.handler.mapping, check_size)
        if form == "json" and not as_is:
            return _pixels(found).tolist()
        content, content_type = _encoded(form, found, photo, self.handler.mapping)
        check_size(len(content), OTHERS[form])
        CurrentBatch.of(self.handler).set_content_type(index, content_type)
        return content


# What to ask for in the place of an answer that is too large, by its format.
OTHERS = {
    "json": "ask for format png or rle",
    "png": "ask for size model",
    "overlay": "ask for format png or rle",
}


def rows_of_json(options: Sequence[Any], index: int) -> int:
    """How many rows up to one are in the same answer as it, as JSON: all of a request, by an envelope."""
    return sum(option.format == "json" for option in options[: index + 1]) if is_enveloped() else 1


def fewest_bytes(height: int, width: int) -> int:
    """The fewest bytes that a class map has as JSON: each pixel is at least `[0.0,1.0]`."""
    return height * (10 * width + 2) + 1


def is_of_whole_photo(options: Any) -> bool:
    """Whether a row's answer shows the whole photo, not just what the model's usual input has of it."""
    return options.size == "original" or options.format == "overlay"


def _encoded(form: str, found: ClassMap, photo: Any, mapping: Any) -> tuple[bytes, str]:
    """An answer as bytes, and their content type; the map of an overlay is as large as the photo's grid."""
    if form == "json":  # a quarter of a million numbers as Python lists would take longer than the model
        return encode_json(_pixels(found)), JSON
    if form == "png":
        return encode_palette_png(found.classes, voc_palette()), "image/png"
    if not isinstance(photo, Image.Image):
        raise InvalidInput("Format overlay needs a photo to draw on: the request holds nested lists")
    drawn = draw_classes(
        to_channels(photo, 3),
        found.classes,
        lambda index: str(class_label(index, mapping)),
        background=background_class(mapping),
    )
    return encode_overlay(drawn, photo.format)


def _pixels(found: ClassMap) -> np.ndarray:
    return np.stack([found.classes.astype(np.float32), found.probabilities], axis=-1)


def mean_logit(output: Any, target: int | None) -> torch.Tensor:
    """The mean logit of a class over its pixels, a scalar.

    Args:
        output: what a model returned for one image: see `segmentation_logits`.
        target: index of the class; None stands for the class of most pixels, background aside.

    Raises:
        InvalidInput: there is no such class, or no pixel is of it.
        ModelFault: the class of some pixel cannot be told.
    """
    logits = segmentation_logits(output)
    check_finite("probabilities", class_probabilities(logits.detach()).amax(dim=1))
    if logits.shape[1] == 1:
        logits = torch.cat([torch.zeros_like(logits), logits], dim=1)
    classes = logits.argmax(dim=1)
    if target is None:
        pixels = classes.flatten().bincount(minlength=logits.shape[1])
        target = int(pixels[1:].argmax()) + 1
    check_target(target, logits.shape[1])
    seen = classes == target
    if not seen.any():
        raise InvalidInput(f"There is nothing to explain: no pixel is of class {target}")
    return logits[:, target][seen].mean()
