"""Embedder: answers images and texts with vectors, so that alike ones have near vectors."""

from __future__ import annotations

from typing import Any, Callable

import torch
from PIL import Image

from ts.handler_utils.embedding.embeddings import Embeddings
from ts.handler_utils.embedding.settings import EmbedderOptions, EmbedderSettings
from ts.handler_utils.images.transform import IMAGENET_MEAN, IMAGENET_STD, ImageTransform
from ts.handler_utils.model_defaults import ModelDefaults
from ts.handler_utils.models.warmup import warm_up
from ts.handler_utils.timer import timed
from ts.torch_handler.text_handler import TextHandler
from ts.torch_handler.vision_handler import start_reading_images, with_transform


class Embedder(TextHandler):
    """Answers each image or text with its vector, a list of numbers or float32 as bytes.

    For models of images, normalised as for an `ImageClassifier`: classifiers of torchvision and timm, whose last
    layer is taken off, and any model that returns vectors [N, D] or what can be pooled to such. And for models of
    texts, called as those of a `TextClassifier`: an archive with a tokenizer.json or a vocabulary has one.

    Example:
        ```python
        class Grey(Embedder):
            image_processing = ImageTransform(resize=256, crop=224, channels=1)
        ```

    Attributes:
        image_processing: makes an upright `PIL.Image` into a tensor [C, H, W]; see `VisionHandler`.
        ngrams: the most words that a token of a bag is made of; the setting `ngrams` overrides it.
    """

    settings_class = EmbedderSettings
    options_class = EmbedderOptions
    payloads = (
        "an encoded image: bytes, base64 text or a data: URI",
        "nested lists of numbers [C, H, W]: the model's input as it is",
        "a text: str, or bytes in UTF-8",
    )
    image_processing: Callable[[Image.Image], torch.Tensor] = ImageTransform(
        resize=256, crop=224, mean=IMAGENET_MEAN, std=IMAGENET_STD
    )
    ngrams = 2

    def initialize(self, context: Any) -> None:
        """Loads a model with its settings and, for texts, its vocabulary; see `BaseHandler.initialize`.

        Raises:
            ValueError: the setting `head` names no layer of the model, or a file of the archive is wrong.
        """
        ModelDefaults.of(self).labels = {}  # of which it has none to show, nor to miss
        super().initialize(context)
        embeddings = Embeddings.of(self)
        embeddings.prepare(context.system_properties["model_dir"])
        if embeddings.takes_images:
            start_reading_images(self, context)
        warm_up(self, embeddings.warmup_batch)

    @timed
    def preprocess(self, data: list[Any]) -> Any:
        """Reads one image or text a row.

        Args:
            data: rows whose payload is an encoded image or nested lists, or a text.

        Returns:
            A float tensor [N, C, H, W], or a batch of texts, on the model's device; batches of either where images
            differ in size, or there are images and texts.

        Raises:
            RowErrors: some rows hold none.
        """
        return Embeddings.of(self).read(data)

    @timed
    def inference(self, data: Any, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Runs the model, without gradients, on a batch; further arguments are the model's.

        Returns:
            The vectors of the rows, float32 [N, D], of any length.
        """
        infer = super().inference
        return Embeddings.of(self).vectors(
            data, lambda *inputs, **named: infer(*inputs, *args, **{**named, **kwargs})
        )

    @timed
    def postprocess(self, data: torch.Tensor) -> list[Any]:
        """Makes vectors [N, D] into the answers that their requests ask for.

        Returns:
            For each row a list of numbers; for `format: float32` bytes, and for base64 text.

        Raises:
            RowErrors: some requests ask for what is not allowed, or their vectors have NaN or infinity.
        """
        return Embeddings.of(self).answers(data)

    def describe_handle(self) -> Any:
        """What the handler is and how it is set up, with `dimension`; see `BaseHandler.describe_handle`."""
        description = with_transform(self, super().describe_handle())
        return Embeddings.of(self).described(description)
