"""VisionHandler: what the handlers for images share."""

from __future__ import annotations

from abc import ABC
from functools import cached_property
from typing import Any, Callable

import torch
from PIL import Image

from ts.handler_utils.answering.batch import BatchAnswering
from ts.handler_utils.configuration import is_default_handler
from ts.handler_utils.description import plain
from ts.handler_utils.explaining.images import attribute_pixels, integrated_gradients
from ts.handler_utils.images.batches import ImageBatches
from ts.handler_utils.images.settings import VisionSettings
from ts.handler_utils.images.transform import ImageTransform
from ts.handler_utils.micro_batching import MicroBatching
from ts.handler_utils.models.caller import ModelCaller
from ts.handler_utils.models.warmup import warm_up
from ts.handler_utils.settings import HandlerSettings
from ts.handler_utils.timer import timed
from ts.torch_handler.base_handler import BaseHandler

# Rows of the parts of a larger batch: the CPU reads one while the GPU infers the one before. On a CPU both would
# only take turns. Smaller parts cost more than they save, since launching a network's kernels takes the
# interpreter, which readers wait for (64 photos, ResNet-50, H200: 46 ms in parts of 16, 38 of 32, 31 as a whole).
MICRO_BATCH_ON_GPU = 64


class VisionHandler(BaseHandler, ABC):
    """Reads images of any format and mode that Pillow opens, and stacks them into a batch.

    Attributes:
        image_processing: makes an upright `PIL.Image` into a tensor [C, H, W]. The default handlers' are
            `ImageTransform`s, which settings change; a subclass sets its own, and gets the image in the mode that
            it was sent in, or else, if it fails on that, in RGB.
    """

    settings_class: type[HandlerSettings] = VisionSettings
    payloads = (
        "an encoded image: bytes, base64 text or a data: URI",
        "nested lists of numbers [C, H, W]: the model's input as it is",
    )
    image_processing: Callable[[Image.Image], torch.Tensor] = ImageTransform()

    def initialize(self, context: Any) -> None:
        """Loads the model of an archive, its labels and its settings; see `BaseHandler.initialize`.

        Raises:
            ValueError: the setting `decoder` names one that does not work here.
        """
        super().initialize(context)
        start_reading_images(self, context)
        warm_up(self, ImageBatches.of(self).warmup_batch)

    @timed
    def preprocess(self, data: list[Any]) -> torch.Tensor:
        """Decodes and transforms one image a row, several at the same time.

        Args:
            data: rows whose payload is an encoded image (bytes, base64 text, a `data:` URI), or nested lists
                that already are the model's input.

        Returns:
            A float tensor [N, C, H, W] on the model's device.

        Raises:
            RowErrors: some rows hold no image.
        """
        return ImageBatches.of(self).read(data)

    def describe_handle(self) -> Any:
        """What the handler is and how it is set up; see `BaseHandler.describe_handle`."""
        return with_transform(self, super().describe_handle())

    @cached_property
    def ig(self) -> Any:
        """captum's `IntegratedGradients` of the model, imported when it is asked for."""
        return integrated_gradients(ModelCaller.of(self).differentiable)

    def get_insights(self, tensor_data: torch.Tensor, _: Any, target: int = 0) -> list[Any]:
        """Attributes a class's score to the values of the input, by integrated gradients.

        Args:
            tensor_data: a batch [N, C, H, W], as `preprocess` returns it.
            target: index of the class to explain.

        Returns:
            The attributions as nested lists [N, C, H, W].
        """
        return attribute_pixels(self.ig, tensor_data, target).tolist()


def start_reading_images(handler: Any, context: Any) -> None:
    """Makes a handler with an `image_processing`, whose model is loaded, ready to read images by `ImageBatches`.

    Raises:
        ValueError: the setting `decoder` names one that does not work here.
    """
    if context.system_properties.get("limit_max_image_pixels") is False:
        Image.MAX_IMAGE_PIXELS = None  # of the whole process, as torchserve's handlers do
    ImageBatches.of(handler).apply_settings()
    answering = BatchAnswering.of(handler)
    if answering.in_parts is None and handler.device.type == "cuda" and is_default_handler(handler):
        answering.in_parts = MicroBatching(handler, MICRO_BATCH_ON_GPU)


def with_transform(handler: Any, description: dict[str, Any]) -> dict[str, Any]:
    """A handler's description, whose settings are those that its `image_processing` has."""
    if isinstance(handler.image_processing, ImageTransform):
        settings = description["settings"]
        transform = vars(handler.image_processing)
        settings.update({name: plain(value) for name, value in transform.items() if name in settings})
    return description
