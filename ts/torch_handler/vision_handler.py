"""VisionHandler: what the handlers for images share."""

from __future__ import annotations

from abc import ABC
from functools import cached_property
from typing import Any, Callable

import torch
from PIL import Image
from torchvision import transforms

from ts.handler_utils.errors import RowErrors
from ts.handler_utils.images import read_image
from ts.handler_utils.payload import payload_of
from ts.handler_utils.timer import timed
from ts.torch_handler.base_handler import BaseHandler
from ts.utils.util import PredictionException


class VisionHandler(BaseHandler, ABC):
    """Reads images of any format and mode that Pillow opens, and stacks them into a batch.

    Attributes:
        image_processing: makes an upright RGB `PIL.Image` into a tensor [C, H, W]; subclasses set their own.
    """

    image_processing: Callable[[Image.Image], torch.Tensor] = transforms.ToTensor()

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
                images.append(self._read(row))
            except PredictionException as error:
                errors[index] = error
        if errors:
            raise RowErrors(errors)
        return torch.stack(images).to(self.device)

    def _read(self, row: Any) -> torch.Tensor:
        image = read_image(payload_of(row))
        return self.image_processing(image) if isinstance(image, Image.Image) else image

    @cached_property
    def ig(self) -> Any:
        """captum's `IntegratedGradients` of the model."""
        try:
            from captum.attr import IntegratedGradients
        except ImportError as error:
            message = "Explanations need captum: pip install 'torchserve-handlers[explain]'"
            raise PredictionException(message, 501) from error
        return IntegratedGradients(self.model)

    def get_insights(self, tensor_data: torch.Tensor, _: Any, target: int = 0) -> list[Any]:
        """Attributes a class score to the values of the input, by integrated gradients.

        Args:
            tensor_data: a batch [N, C, H, W], as `preprocess` returns it.
            target: index of the class to explain.

        Returns:
            The attributions as nested lists of the input's shape.
        """
        return self.ig.attribute(tensor_data, target=target, n_steps=15).tolist()
