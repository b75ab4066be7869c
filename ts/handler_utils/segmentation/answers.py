"""Class maps as a client gets them: torchserve's JSON, a palette PNG, COCO's results, a picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image

from ts.handler_utils.configuration import Configuration
from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.images.batches import ImageBatches
from ts.handler_utils.images.pillow import to_channels
from ts.handler_utils.parts import Part
from ts.handler_utils.pictures.drawing import draw_mask
from ts.handler_utils.pictures.overlay_encoding import encode_overlay
from ts.handler_utils.pictures.palette import voc_palette
from ts.handler_utils.requests.current import CurrentBatch
from ts.handler_utils.requests.json_encoding import JSON, encode_json
from ts.handler_utils.requests.options import check_target
from ts.handler_utils.segmentation.class_maps import (
    ClassMap,
    most_probable,
    most_probable_at,
    segmentation_logits,
)
from ts.handler_utils.segmentation.coco_masks import coco_segments
from ts.handler_utils.segmentation.palette_png import encode_palette_png


class SegmentationAnswers(Part):
    """Makes the answers of an `ImageSegmenter`."""

    def answers(self, probabilities: torch.Tensor, *, as_is: bool) -> list[Any]:
        """The answer to each row of the batch, in the format that its option `format` asks for.

        Args:
            probabilities: of each class at each pixel, float [N, classes, H, W].
            as_is: whether bytes of JSON go to the client as they are.

        Raises:
            RowErrors: some rows ask for what is not allowed, or cannot be had for them.
        """
        options = Configuration.of(self.handler).options(len(probabilities))
        maps = most_probable(probabilities)

        def answer(index: int) -> Any:
            if not is_of_whole_photo(options[index]):
                return self._answer(index, options[index].format, maps[index], None, as_is)
            photo = ImageBatches.of(self.handler).photo(index)
            found = most_probable_at(probabilities[index], _size(photo))
            return self._answer(index, options[index].format, found, photo, as_is)

        return CurrentBatch.of(self.handler).each(answer, len(maps))

    def _answer(self, index: int, form: str, found: ClassMap, photo: Any, as_is: bool) -> Any:
        if form == "rle":
            return coco_segments(found, self.handler.mapping)
        if form == "json" and not as_is:
            return _pixels(found).tolist()
        content, content_type = _encoded(form, found, photo)
        CurrentBatch.of(self.handler).set_content_type(index, content_type)
        return content


def is_of_whole_photo(options: Any) -> bool:
    """Whether a row's answer shows the whole photo, not just what the model's usual input has of it."""
    return options.size == "original" or options.format == "overlay"


def _encoded(form: str, found: ClassMap, photo: Any) -> tuple[bytes, str]:
    """An answer as bytes, and their content type."""
    if form == "json":  # a quarter of a million numbers as Python lists would take longer than the model
        return encode_json(_pixels(found)), JSON
    if form == "png":
        return encode_palette_png(found.classes, voc_palette()), "image/png"
    if not isinstance(photo, Image.Image):
        raise InvalidInput("Format overlay needs a photo to draw on: the request holds nested lists")
    drawn = draw_mask(to_channels(photo, 3), found.classes, voc_palette())
    return encode_overlay(drawn, photo.format)


def _pixels(found: ClassMap) -> np.ndarray:
    return np.stack([found.classes.astype(np.float32), found.probabilities], axis=-1)


def _size(photo: Image.Image | torch.Tensor) -> tuple[int, int]:
    if isinstance(photo, Image.Image):
        return photo.height, photo.width
    height, width = photo.shape[-2:]
    return height, width


def mean_logit(output: Any, target: int | None) -> torch.Tensor:
    """The mean logit of a class over its pixels, a scalar.

    Args:
        output: what a model returned for one image: see `segmentation_logits`.
        target: index of the class; None stands for the class of most pixels, background aside.

    Raises:
        InvalidInput: there is no such class, or no pixel is of it.
    """
    logits = segmentation_logits(output)
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
