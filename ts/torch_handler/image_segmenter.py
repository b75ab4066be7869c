"""ImageSegmenter: names the class of each pixel of an image."""

from __future__ import annotations

from typing import Any, Optional

import torch

from ts.handler_utils.configuration import Configuration
from ts.handler_utils.explaining.layer_explained import LayerExplained, explain_by_layer
from ts.handler_utils.images.batches import ImageBatches
from ts.handler_utils.images.settings import ImageSegmenterOptions, ImageSegmenterSettings
from ts.handler_utils.images.transform import IMAGENET_MEAN, IMAGENET_STD, ImageTransform
from ts.handler_utils.images.whole_photo import without_crop
from ts.handler_utils.requests.current import CurrentBatch
from ts.handler_utils.requests.json_encoding import is_sent_as_is
from ts.handler_utils.segmentation.answers import SegmentationAnswers, is_of_whole_photo, mean_logit
from ts.handler_utils.segmentation.class_maps import segmentation_logits
from ts.handler_utils.segmentation.pixel_scores import PixelScores
from ts.handler_utils.timer import timed
from ts.torch_handler.vision_handler import VisionHandler


class ImageSegmenter(LayerExplained, VisionHandler):
    """Answers each image with the class of each pixel and its probability: `[class, probability]`, [H, W, 2].

    For models that take normalised RGB images, [N, 3, H, W], and return logits [N, classes, H, W]: as a tensor,
    under "out" or "logits" in a dictionary, as an object's `logits`, or first in a list. Logits of a single class
    are told from the background, which then is class 0, by the sigmoid. Logits of fewer pixels than the image are
    interpolated.

    The options `format` and `size`, which are settings too, choose other answers. The mask is that of the model's
    input, which the default `image_processing` crops. With `size: original`, and for an overlay, the model gets
    the whole photo instead, resized to the same input, and the mask is as large as the photo.
    """

    settings_class = ImageSegmenterSettings
    options_class = ImageSegmenterOptions

    image_processing = ImageTransform(resize=256, crop=224, mean=IMAGENET_MEAN, std=IMAGENET_STD)

    @timed
    def preprocess(self, data: list[Any]) -> torch.Tensor:
        """Decodes and transforms one image a row; see `VisionHandler.preprocess`."""

        def transform_of(index: int) -> Any:
            if not is_of_whole_photo(Configuration.of(self).options_of(index)):
                return self.image_processing
            SegmentationAnswers.of(self).check_photo(index)
            return without_crop(self.image_processing)

        return ImageBatches.of(self).read(data, transform_of)

    def inference(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        """Runs the model, without gradients, on a batch; further arguments are the model's."""
        sides: Any = tuple(getattr(data, "shape", ()))[-2:]
        SegmentationAnswers.of(self).input_size = (sides[0], sides[1]) if len(sides) == 2 else None
        return super().inference(data, *args, **kwargs)

    @timed
    def postprocess(self, data: Any) -> list[Any]:
        """Makes each row's answer, in the format that it asks for.

        Args:
            data: the model's output; `ts.handler_utils.segmentation.class_maps.segmentation_logits` reads it.

        Returns:
            For each row, by its `format`: json, nested lists [H, W, 2] of class index and probability, or these
            as encoded JSON where the answer goes straight to the client; png, an encoded PNG; overlay, a PNG or
            JPEG as the photo is one; rle, a list of COCO results.

        Raises:
            RowErrors: some requests ask for what is not allowed, or cannot be had for them.
            TypeError: the model's output is not that of a segmentation model.
        """
        answers = SegmentationAnswers.of(self)
        scores = PixelScores(segmentation_logits(data), answers.input_size)
        as_is = bool(CurrentBatch.of(self).rows) and is_sent_as_is(self, ImageSegmenter)
        return answers.answers(scores, as_is=as_is)

    def get_insights(self, tensor_data: Any, _: Any, target: Optional[int] = None) -> list[Any]:
        """Tells which parts of an image speak for a class, by `explain_by_layer`.

        Args:
            tensor_data: a batch of one row, as `preprocess` returns it.
            target: index of the class; None stands for the class of most pixels, background aside.
        """
        return explain_by_layer(self, tensor_data, lambda: mean_logit(self.model(tensor_data), target))
