"""ImageClassifier: names what is in an image."""

from __future__ import annotations

import torch

from ts.handler_utils.image_transform import IMAGENET_MEAN, IMAGENET_STD, ImageTransform
from ts.handler_utils.options import ClassifierOptions
from ts.handler_utils.settings import ImageClassifierSettings
from ts.handler_utils.timer import timed
from ts.torch_handler.vision_handler import VisionHandler
from ts.utils.util import map_class_to_label


class ImageClassifier(VisionHandler):
    """Answers each image with its most probable classes, as `{label: probability}`, best first.

    For models that take normalised 224x224 RGB images, [N, 3, 224, 224], and return logits [N, classes].

    Example:
        class TopThree(ImageClassifier):
            topk = 3

    Attributes:
        topk: how many classes an answer names; the setting `topk`, and a request's option `topk`, override it.
    """

    settings_class = ImageClassifierSettings
    options_class = ClassifierOptions
    topk = 5

    image_processing = ImageTransform(resize=256, crop=224, mean=IMAGENET_MEAN, std=IMAGENET_STD)

    def set_max_result_classes(self, topk: int) -> None:
        """Sets how many classes an answer names."""
        self.topk = topk

    def get_max_result_classes(self) -> int:
        """How many classes an answer names."""
        return self.topk

    @timed
    def postprocess(self, data: torch.Tensor) -> list[dict[str, float]]:
        """Names the most probable classes of each row.

        Args:
            data: logits [N, classes].

        Returns:
            For each row the probabilities, in [0, 1], of its best classes by their labels, best first.

        Raises:
            RowErrors: some requests ask for a `topk` that is not allowed.
        """
        counts = [options.topk for options in self.options(len(data))]
        largest = min(max(counts, default=1), data.shape[1])
        probabilities, classes = torch.softmax(data, dim=1).topk(largest, dim=1)
        return map_class_to_label(
            [row[:count] for row, count in zip(probabilities.tolist(), counts)],
            self.mapping,
            [row[:count] for row, count in zip(classes.tolist(), counts)],
        )
