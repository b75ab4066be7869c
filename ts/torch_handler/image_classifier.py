"""ImageClassifier: names what is in an image."""

from __future__ import annotations

from typing import Any

import torch

from ts.handler_utils.explaining import check_target
from ts.handler_utils.image_explanations import draw_heatmap
from ts.handler_utils.image_transform import IMAGENET_MEAN, IMAGENET_STD, ImageTransform
from ts.handler_utils.images import encode_png
from ts.handler_utils.logits import class_logits
from ts.handler_utils.timer import timed
from ts.handler_utils.vision_settings import ImageClassifierOptions, ImageClassifierSettings
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
        target: index of the class that is explained; None stands for the most probable one. The option `target`
            overrides it.
    """

    settings_class = ImageClassifierSettings
    options_class = ImageClassifierOptions
    topk = 5
    target: Any = None

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
            data: the model's output: logits [N, classes], or what `ts.handler_utils.logits.class_logits` reads.

        Returns:
            For each row the probabilities, in [0, 1], of its best classes by their labels, best first.

        Raises:
            RowErrors: some requests ask for a `topk` that is not allowed.
        """
        logits = class_logits(data, len(self._rows))
        counts = [options.topk for options in self.options(len(logits))]
        largest = min(max(counts, default=1), logits.shape[1])
        probabilities, classes = torch.softmax(logits, dim=1).topk(largest, dim=1)
        return map_class_to_label(
            [row[:count] for row, count in zip(probabilities.tolist(), counts)],
            self.mapping,
            [row[:count] for row, count in zip(classes.tolist(), counts)],
        )

    def explain_handle(self, data_preprocess: torch.Tensor, raw_data: list[Any]) -> list[Any]:
        """Explains each row of a batch, by the handler's `get_insights`.

        Returns:
            For each row, by its option `format`: json, the attributions as nested lists [C, H, W]; heatmap, a PNG
            of the model's input with the pixels that count in red.
        """
        explanations = super().explain_handle(data_preprocess, raw_data)
        for index, options in enumerate(self.options(len(raw_data))):
            if options.format == "heatmap":
                picture = draw_heatmap(data_preprocess[index], torch.tensor(explanations[index]))
                explanations[index] = encode_png(picture)
                self.context.set_response_content_type(index, "image/png")
        return explanations

    def _target_of(self, single: torch.Tensor, options: Any) -> int:
        logits = class_logits(self.inference(single), 1)
        target = super()._target_of(single, options)
        return int(logits.argmax()) if target is None else check_target(target, logits.shape[1])
