"""VisionHandler: what the handlers for images share."""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any, Callable

import torch
from PIL import Image

from ts.handler_utils.batch_slots import BatchSlots
from ts.handler_utils.device import to_device
from ts.handler_utils.errors import InvalidInput, RowErrors
from ts.handler_utils.huge_pages import use_huge_pages
from ts.handler_utils.image_explanations import attribute_pixels, integrated_gradients
from ts.handler_utils.image_reader import ImageReader
from ts.handler_utils.image_transform import ImageTransform, StoredImage, is_ours
from ts.handler_utils.images import encode_jpeg, to_channels
from ts.handler_utils.payload import payload_of
from ts.handler_utils.settings import HandlerSettings, Warmup
from ts.handler_utils.threads import default_threads, map_in_threads
from ts.handler_utils.timer import timed
from ts.handler_utils.vision_settings import VisionSettings
from ts.torch_handler.base_handler import BaseHandler
from ts.utils.util import PredictionException

# A batch of 64 is decoded by the CPU in four parts, while the GPU infers the part before.
MICRO_BATCH_ON_GPU = 16


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

    def _warmup_batch(self, rows: int, warmup: Warmup) -> Any:
        size = warmup.image_size
        height, width = (size, size) if isinstance(size, int) else size
        return self.preprocess([{"data": encode_jpeg(Image.new("RGB", (width, height), "grey"))}] * rows)

    def _default_micro_batch(self) -> int | None:
        """On a GPU images are decoded by the CPU meanwhile; on the CPU both would only take turns."""
        on_gpu = self.device.type == "cuda" and self._is_default_handler()
        return MICRO_BATCH_ON_GPU if on_gpu else None

    def _own_transform(self) -> ImageTransform:
        """The transform that settings change: the nearest of the class's own and its bases'."""
        own = (vars(kind).get("image_processing") for kind in type(self).__mro__)
        return next(transform for transform in own if isinstance(transform, ImageTransform))

    def initialize(self, context: Any) -> None:
        """Loads the model of an archive, its labels and its settings; see `BaseHandler.initialize`.

        Raises:
            ValueError: the setting `decoder` names one that does not work here.
        """
        use_huge_pages()
        super().initialize(context)
        self._reader  # noqa: B018 (made now, so that a wrong setting stops the load)

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
        slots = BatchSlots(len(data), self._shape_of_rows())
        images, errors = [], {}
        for index, image in enumerate(self._read_rows(data, slots)):
            try:
                images.append(self._process(image, index))
            except PredictionException as error:
                errors[index] = error
        if errors:
            raise RowErrors(errors)
        return slots.batch if slots.are_filled_by(images) else self._collate(images)

    def _shape_of_rows(self) -> tuple[int, int, int] | None:
        """The shape of each row of a batch on the CPU, where it is known beforehand."""
        transform: Any = self.image_processing
        return transform.shape if is_ours(transform) and not self._is_on_gpu() else None

    def _is_on_gpu(self) -> bool:
        return torch.device(self.device or "cpu").type != "cpu"

    def _collate(self, images: list[torch.Tensor]) -> Any:
        """Makes the tensors of the rows, [C, H, W] each, into what `inference` takes."""
        if any(image.dtype != torch.uint8 for image in images):
            return torch.stack([self._normalize(image) for image in images]).to(self.device)
        return self._normalize(to_device(torch.stack(images), self.device))

    def _normalize(self, pixels: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
        """Pixels as the model gets them; what an own `image_processing` or a client made already is that."""
        transform = self.image_processing
        if isinstance(transform, ImageTransform) and pixels.dtype == torch.uint8:
            return transform.normalize(pixels, out)
        return pixels

    def _read_rows(
        self, rows: list[Any], slots: BatchSlots
    ) -> Iterator[torch.Tensor | Image.Image | PredictionException]:
        """For each row a tensor [C, H, W], or the image for an `image_processing` that a subclass brings."""
        decoded_on_gpu = self._decode_on_gpu(rows)
        for_gpu = self._is_on_gpu()  # which normalizes a whole batch at once

        def read(index: int) -> Any:
            try:
                transform = self._transform(index)
                if index in decoded_on_gpu:
                    return transform.pixels(decoded_on_gpu[index])
                payload = payload_of(rows[index])
                if not is_ours(transform):
                    return self._reader.photo(payload)
                pixels = self._reader.pixels(payload, transform)
                return (
                    pixels.contiguous()
                    if for_gpu
                    else self._normalize(pixels, slots.place(index, pixels.shape))
                )
            except PredictionException as error:
                return error

        threads = 1 if decoded_on_gpu or len(rows) == 1 else self._threads
        return map_in_threads(read, range(len(rows)), threads)

    def _decode_on_gpu(self, rows: list[Any]) -> Mapping[int, StoredImage]:
        requests = {}
        if getattr(self.settings, "decoder", None) == "nvjpeg":
            for index, row in enumerate(rows):
                with suppress(PredictionException):  # which `read` finds again
                    requests[index] = payload_of(row), self._transform(index)
        return self._reader.decode_on_gpu(requests) if requests else {}

    def _process(self, image: Any, index: int) -> torch.Tensor:
        """Passes an image to a subclass's transform: in the mode that it was sent in, or in RGB if that fails.

        By the thread that called `preprocess`, row after row, since nothing is known of that transform.
        """
        if isinstance(image, PredictionException):
            raise image
        if not isinstance(image, Image.Image):
            return image
        transform = self._transform(index)
        try:
            return transform(image)
        except Exception:
            if image.mode == "RGB":
                raise
            return transform(to_channels(image, 3))

    def _transform(self, index: int) -> Any:
        """What makes the image of a row, named by its index in the batch, into the model's input."""
        return self.image_processing

    def _photo(self, index: int) -> Image.Image | torch.Tensor:
        """What a row of the batch that is being answered holds: decoded again, since few answers need it."""
        if index >= len(self._rows):
            raise InvalidInput("There is no photo: postprocess was called outside of handle")
        return self._reader.photo(payload_of(self._rows[index]))

    @cached_property
    def _reader(self) -> ImageReader:
        names = ("exif", "max_pixels", "decoder", "scaled_decode")
        given = {name: getattr(self.settings, name) for name in names if hasattr(self.settings, name)}
        return ImageReader(**given, device=self.device)

    @cached_property
    def _threads(self) -> int:
        return getattr(self.settings, "threads", None) or default_threads()

    @cached_property
    def ig(self) -> Any:
        """captum's `IntegratedGradients` of the model, imported when it is asked for."""
        return integrated_gradients(self._script.call_source if self._script else self.model)

    def get_insights(self, tensor_data: torch.Tensor, _: Any, target: int = 0) -> list[Any]:
        """Attributes a class's score to the values of the input, by integrated gradients.

        Args:
            tensor_data: a batch [N, C, H, W], as `preprocess` returns it.
            target: index of the class to explain.

        Returns:
            The attributions as nested lists [N, C, H, W].
        """
        return attribute_pixels(self.ig, tensor_data, target).tolist()
