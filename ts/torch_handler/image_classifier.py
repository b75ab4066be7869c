"""ImageClassifier: names what is in an image."""

from __future__ import annotations

from typing import Any

import torch

from ts.handler_utils.configuration import Configuration
from ts.handler_utils.explaining.images import draw_heatmap
from ts.handler_utils.explaining.rows import explain_rows, explains_by_own_code
from ts.handler_utils.explaining.sending import check_numbers, send_heatmap
from ts.handler_utils.images.settings import ImageClassifierOptions, ImageClassifierSettings
from ts.handler_utils.images.transform import IMAGENET_MEAN, IMAGENET_STD, ImageTransform
from ts.handler_utils.models.activations import Activation, count_named, in_own_order
from ts.handler_utils.models.logits import check_logits, class_outputs
from ts.handler_utils.requests.current import CurrentBatch
from ts.handler_utils.requests.options import check_target
from ts.handler_utils.timer import timed
from ts.torch_handler.vision_handler import VisionHandler
from ts.utils.util import map_class_to_label


class ImageClassifier(VisionHandler):
    """Answers each image with its most probable classes, as `{label: probability}`, best first.

    For models that take normalised 224x224 RGB images, [N, 3, 224, 224], and return logits [N, classes]; with the
    setting `activation`, for those of several labels an image, and of numbers (regression) too.

    Example:
        ```python
        class TopThree(ImageClassifier):
            topk = 3
        ```

    Attributes:
        topk: how many classes an answer names; the setting `topk`, and a request's option `topk`, override it.
    """

    settings_class = ImageClassifierSettings
    options_class = ImageClassifierOptions
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
            data: the model's output: logits [N, classes], or what `ts.handler_utils.models.logits.class_outputs`
                reads.

        Returns:
            For each row the probabilities, in [0, 1], of its best classes by their labels, best first; none below
            the option `threshold`. Of `activation: none` the model's own values, and where none is left out, in
            the order of the classes.

        Raises:
            RowErrors: some requests ask for a `topk` that is not allowed, or the model has returned NaN or
                infinity for them; a logit of minus infinity stands for a probability of 0.
        """
        activation = Activation.of(self)
        values = activation.values(class_outputs(data, len(CurrentBatch.of(self).rows)))
        options = Configuration.of(self).options(len(values))
        largest = min(max((asked.topk for asked in options), default=1), values.shape[1])
        best, classes = values.topk(largest, dim=1)
        counts = [count_named(row, asked) for row, asked in zip(best, options)]
        named = [row[:count] for row, count in zip(best.tolist(), counts)]
        indexes = [row[:count] for row, count in zip(classes.tolist(), counts)]
        if activation.name == "none":
            named, indexes = in_own_order(named, indexes, values.shape[1])
        return map_class_to_label(named, self.mapping, indexes)

    def explain_handle(self, data_preprocess: torch.Tensor, raw_data: list[Any]) -> list[Any]:
        """Explains each row of a batch, by the handler's `get_insights`: by default the row's most probable class.

        Of a model with a single output that is what is explained, for each class.

        Returns:
            For each row, by its option `format`: json, the attributions as nested lists [C, H, W]; heatmap, a PNG
            of the model's input, where what counts is coloured, with a scale.
        """

        def target_of(single: torch.Tensor, options: Any) -> int:
            logits = class_outputs(self.inference(single), 1)
            check_logits(logits[0])
            outputs, target = logits.shape[1], options.target
            if target is not None:
                check_target(target, max(outputs, 2))
            return int(logits.argmax()) if target is None or outputs == 1 else target

        if explains_by_own_code(self):
            return explain_rows(self, data_preprocess, raw_data)
        options, batch = Configuration.of(self).options(len(raw_data)), CurrentBatch.of(self)

        def check(index: int) -> None:
            if options[index].format == "json":
                check_numbers(self, data_preprocess[index].shape, "heatmap")

        batch.each(check, len(raw_data))
        explanations = explain_rows(self, data_preprocess, raw_data, target_of)

        def answer(index: int) -> Any:
            if options[index].format == "json":
                return explanations[index]
            heatmap = draw_heatmap(data_preprocess[index], torch.tensor(explanations[index]))
            return send_heatmap(self, index, heatmap)

        return batch.each(answer, len(explanations))
