"""ImageSegmenter: names the class of each pixel of an image."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np
import torch
from PIL import Image

from ts.handler_utils.class_maps import (
    ClassMap,
    class_probabilities,
    most_probable,
    most_probable_at,
    segmentation_logits,
)
from ts.handler_utils.coco_masks import coco_segments
from ts.handler_utils.drawing import draw_mask
from ts.handler_utils.errors import InvalidInput, RowErrors
from ts.handler_utils.explaining import check_target
from ts.handler_utils.image_transform import IMAGENET_MEAN, IMAGENET_STD, ImageTransform
from ts.handler_utils.images import to_channels
from ts.handler_utils.json_encoding import JSON, encode_json, is_sent_as_is
from ts.handler_utils.layer_explained import LayerExplained
from ts.handler_utils.overlay_encoding import encode_overlay
from ts.handler_utils.palette import voc_palette
from ts.handler_utils.palette_png import encode_palette_png
from ts.handler_utils.timer import timed
from ts.handler_utils.vision_settings import ImageSegmenterOptions, ImageSegmenterSettings
from ts.handler_utils.whole_photo import without_crop
from ts.torch_handler.vision_handler import VisionHandler
from ts.utils.util import PredictionException


class ImageSegmenter(LayerExplained, VisionHandler):
    """Answers each image with the class of each pixel and its probability: `[class, probability]`, [H, W, 2].

    For models that take normalised RGB images, [N, 3, H, W], and return logits [N, classes, H, W]: as a tensor,
    under "out" in a dictionary, or first in a list. Logits of a single class are told from the background, which
    then is class 0, by the sigmoid.

    The options `format` and `size`, which are settings too, choose other answers. The mask is that of the model's
    input, which the default `image_processing` crops. With `size: original`, and for an overlay, the model gets
    the whole photo instead, resized to the same input, and the mask is as large as the photo.
    """

    settings_class = ImageSegmenterSettings
    options_class = ImageSegmenterOptions

    image_processing = ImageTransform(resize=256, crop=224, mean=IMAGENET_MEAN, std=IMAGENET_STD)

    def _transform(self, index: int) -> Callable[[Image.Image], torch.Tensor]:
        transform = super()._transform(index)
        options = self._row_options(index, self._option_defaults())
        return without_crop(transform) if _is_of_whole_photo(options) else transform

    @timed
    def postprocess(self, data: Any) -> list[Any]:
        """Makes each row's answer, in the format that it asks for.

        Args:
            data: the model's output; `ts.handler_utils.class_maps.segmentation_logits` reads it.

        Returns:
            For each row, by its `format`: json, nested lists [H, W, 2] of class index and probability, or these
            as encoded JSON where the answer goes straight to the client; png, an encoded PNG; overlay, a PNG or
            JPEG as the photo is one; rle, a list of COCO results.

        Raises:
            RowErrors: some requests ask for what is not allowed, or cannot be had for them.
            TypeError: the model's output is not that of a segmentation model.
        """
        probabilities = class_probabilities(segmentation_logits(data))
        maps = most_probable(probabilities)
        answers: list[Any] = []
        errors: dict[int, Exception] = {}
        for index, options in enumerate(self.options(len(maps))):
            try:
                photo = self._photo(index) if _is_of_whole_photo(options) else None
                found = maps[index] if photo is None else most_probable_at(probabilities[index], _size(photo))
                answers.append(self._answer(index, options.format, found, photo))
            except PredictionException as error:
                errors[index] = error
        if errors:
            raise RowErrors(errors)
        return answers

    def _answer(self, index: int, kind: str, found: ClassMap, photo: Any) -> Any:
        if kind == "json":
            return self._json(index, found)
        if kind == "rle":
            return coco_segments(found, self.mapping)
        if kind == "png":
            picture, content_type = encode_palette_png(found.classes, voc_palette()), "image/png"
        else:
            picture, content_type = self._overlay(found, photo)
        self._set_content_type(index, content_type)
        return picture

    def _overlay(self, found: ClassMap, photo: Any) -> tuple[bytes, str]:
        if not isinstance(photo, Image.Image):
            raise InvalidInput("Format overlay needs a photo to draw on: the request holds nested lists")
        drawn = draw_mask(to_channels(photo, 3), found.classes, voc_palette())
        return encode_overlay(drawn, photo.format)

    def _json(self, index: int, found: ClassMap) -> bytes | list[Any]:
        """A quarter of a million numbers as Python lists would take longer than the model."""
        pixels = np.stack([found.classes.astype(np.float32), found.probabilities], axis=-1)
        if not (self._rows and is_sent_as_is(self, ImageSegmenter)):
            return pixels.tolist()
        self._set_content_type(index, JSON)
        return encode_json(pixels)

    def _set_content_type(self, index: int, value: str) -> None:
        if index < len(self._rows):
            self.context.set_response_content_type(index, value)

    def _class_score(self, single: Any, target: int | None) -> torch.Tensor:
        """The mean logit of a class over its pixels; by default of the class of most pixels, background aside."""
        logits = segmentation_logits(self.model(single))
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


def _is_of_whole_photo(options: ImageSegmenterOptions) -> bool:
    return options.size == "original" or options.format == "overlay"


def _size(photo: Image.Image | torch.Tensor) -> tuple[int, int]:
    if isinstance(photo, Image.Image):
        return photo.height, photo.width
    height, width = photo.shape[-2:]
    return height, width
