"""VisionHandler: what the handlers for images share."""

from __future__ import annotations

from abc import ABC
from functools import cached_property
from typing import Any, Callable

import torch
from PIL import Image

from ts.handler_utils.errors import InvalidInput, RowErrors
from ts.handler_utils.image_explanations import attribute_pixels, integrated_gradients
from ts.handler_utils.image_transform import ImageTransform
from ts.handler_utils.images import read_image, to_channels
from ts.handler_utils.payload import payload_of
from ts.handler_utils.settings import HandlerSettings
from ts.handler_utils.timer import timed
from ts.handler_utils.vision_settings import VisionSettings
from ts.torch_handler.base_handler import BaseHandler
from ts.utils.util import PredictionException


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

    def _apply_settings(self) -> None:
        super()._apply_settings()
        changes = self.settings.transform_changes() if isinstance(self.settings, VisionSettings) else {}
        if changes:
            self.image_processing = self._own_transform().replace(**changes)

    def _own_transform(self) -> ImageTransform:
        """The transform that settings change: the nearest of the class's own and its bases'."""
        own = (vars(kind).get("image_processing") for kind in type(self).__mro__)
        return next(transform for transform in own if isinstance(transform, ImageTransform))

    @timed
    def preprocess(self, data: list[Any]) -> torch.Tensor:
        """Decodes and transforms one image a row.

        Args:
            data: rows whose payload is an encoded image (bytes, base64 text, a `data:` URI), or nested lists
                that already are the model's input.

        Returns:
            A float tensor [N, C, H, W] on the model's device.

        Raises:
            RowErrors: some rows hold no image.
        """
        images, errors = [], {}
        for index, row in enumerate(data):
            try:
                images.append(self._read(row, index))
            except PredictionException as error:
                errors[index] = error
        if errors:
            raise RowErrors(errors)
        return self._collate(images)

    def _collate(self, images: list[torch.Tensor]) -> Any:
        """Makes the tensors of the rows, [C, H, W] each, into what `inference` takes."""
        return torch.stack(images).to(self.device)

    def _read(self, row: Any, index: int) -> torch.Tensor:
        image = self._decode(row)
        if not isinstance(image, Image.Image):
            return image
        transform = self._transform(index)
        try:
            return transform(image)
        except Exception:
            if image.mode == "RGB":
                raise
            return transform(to_channels(image, 3))

    def _decode(self, row: Any) -> Image.Image | torch.Tensor:
        exif = getattr(self.settings, "exif", True)
        return read_image(payload_of(row), exif=exif, max_pixels=getattr(self.settings, "max_pixels", None))

    def _transform(self, index: int) -> Callable[[Image.Image], torch.Tensor]:
        """What makes the image of a row, named by its index in the batch, into the model's input."""
        return self.image_processing

    def _photo(self, index: int) -> Image.Image | torch.Tensor:
        """What a row of the batch that is being answered holds: decoded again, since few answers need it."""
        if index >= len(self._rows):
            raise InvalidInput("There is no photo: postprocess was called outside of handle")
        return self._decode(self._rows[index])

    @cached_property
    def ig(self) -> Any:
        """captum's `IntegratedGradients` of the model, imported when it is asked for."""
        return integrated_gradients(self.model)

    def get_insights(self, tensor_data: torch.Tensor, _: Any, target: int = 0) -> list[Any]:
        """Attributes a class's score to the values of the input, by integrated gradients.

        Args:
            tensor_data: a batch [N, C, H, W], as `preprocess` returns it.
            target: index of the class to explain.

        Returns:
            The attributions as nested lists [N, C, H, W].
        """
        return attribute_pixels(self.ig, tensor_data, target).tolist()
