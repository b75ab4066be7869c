"""A handler built on BaseHandler: it answers a photo with a vector, so that alike photos have near vectors."""

from __future__ import annotations

from typing import Any

import torch

from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.images.pillow import decode_image
from ts.handler_utils.images.transform import IMAGENET_MEAN, IMAGENET_STD, ImageTransform
from ts.handler_utils.requests.payload import payload_of
from ts.torch_handler.base_handler import BaseHandler

TRANSFORM = ImageTransform(resize=256, crop=224, mean=IMAGENET_MEAN, std=IMAGENET_STD)


class ImageEmbedder(BaseHandler):
    """Answers each photo with the network's features before its last layer, scaled to length 1."""

    payloads = ("an encoded image: bytes",)  # what `preprocess` reads, for descriptions and sample requests

    def initialize(self, context: Any) -> None:
        super().initialize(context)
        self.model._fc = torch.nn.Identity()

    def preprocess(self, data: list[Any]) -> torch.Tensor:
        return torch.stack([self.read(row) for row in data])

    def read(self, row: Any) -> torch.Tensor:
        payload = payload_of(row)
        if not isinstance(payload, (bytes, bytearray)):
            raise InvalidInput("Send a photo as it is, not as text")
        return TRANSFORM(decode_image(payload))

    def postprocess(self, data: torch.Tensor) -> list[list[float]]:
        return torch.nn.functional.normalize(data, dim=1).tolist()
