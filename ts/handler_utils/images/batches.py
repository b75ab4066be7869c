"""Batches of images, read from the rows of requests for the model of a handler."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any, Callable, Optional

import torch
from PIL import Image

from ts.handler_utils.configuration import Configuration
from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.images.batch_slots import BatchSlots
from ts.handler_utils.images.jpeg.header import is_jpeg
from ts.handler_utils.images.limits import ImageLimits
from ts.handler_utils.images.orientation import StoredImage
from ts.handler_utils.images.pillow import encode_jpeg, to_channels
from ts.handler_utils.images.reader import ImageReader
from ts.handler_utils.images.settings import VisionSettings
from ts.handler_utils.images.threads import default_threads, map_in_threads
from ts.handler_utils.images.transform import ImageTransform, is_ours
from ts.handler_utils.model_defaults import ModelDefaults
from ts.handler_utils.parts import Part
from ts.handler_utils.requests.current import CurrentBatch
from ts.handler_utils.requests.envelope_rows import count_requests
from ts.handler_utils.requests.input_shapes import InputShapes
from ts.handler_utils.requests.json_encoding import is_enveloped
from ts.handler_utils.requests.payload import encoded_bytes, is_encoded, payload_of
from ts.handler_utils.requests.rows import server_context
from ts.handler_utils.settings import Warmup
from ts.utils.util import PredictionException

logger = logging.getLogger(__name__)

# Height and width of an image that any model takes which takes images of all sizes.
_USUAL_SIZE = (224, 224)

# What makes the image of a row, named by its index in the batch, into the model's input.
TransformOf = Callable[[int], Any]


class ImageBatches(Part):
    """Reads images for a `VisionHandler`, as its `image_processing` and its settings say."""

    def apply_settings(self) -> None:
        """Gives the handler the `image_processing` that its settings ask for.

        Raises:
            ValueError: the setting `decoder` names one that does not work here.
        """
        settings, transform = Configuration.of(self.handler).settings, self.handler.image_processing
        changes = settings.transform_changes() if isinstance(settings, VisionSettings) else {}
        defaults = ModelDefaults.of(self.handler)
        known = {**defaults.transform, **changes}
        if defaults.photo_transform is not None and _is_default(self.handler, transform):
            for name in changes:
                Configuration.of(self.handler).refuse(
                    name,
                    f"handler.{name}: photos are prepared as the saved model's own files say; change those",
                )
            self.handler.image_processing = defaults.photo_transform
        elif known and isinstance(transform, ImageTransform):
            self.handler.image_processing = transform.replace(**known)
        elif changes:  # keys of a subclass's own, for all that is known
            logger.warning(
                "model-config.yaml: handler.%s: left to %s, which has an image_processing of its own",
                ", handler.".join(changes),
                type(self.handler).__name__,
            )
        self.reader  # noqa: B018 (made now, so that a wrong setting stops the load)

    @cached_property
    def reader(self) -> ImageReader:
        """Decodes images, as the settings say."""
        settings = Configuration.of(self.handler).settings
        names = ("exif", "decoder", "scaled_decode")
        given = {name: getattr(settings, name) for name in names if hasattr(settings, name)}
        limits = settings.limits() if isinstance(settings, VisionSettings) else ImageLimits()
        return ImageReader(**given, limits=limits, device=self.handler.device)

    @cached_property
    def threads(self) -> int:
        """How many images are read at the same time."""
        return getattr(Configuration.of(self.handler).settings, "threads", None) or default_threads()

    def photo(self, index: int) -> Image.Image | torch.Tensor:
        """What a row of the batch that is being answered holds: decoded again, since few answers need it.

        Raises:
            InvalidInput: there is no request behind the row.
        """
        return self.reader.photo(self._payload(index))

    def photo_size(self, index: int) -> tuple[int, int] | None:
        """Width and height of what `photo` returns, without decoding it; None for nested lists.

        Raises:
            InvalidInput: there is no request behind the row.
        """
        return self.reader.photo_size(self._payload(index))

    def is_jpeg(self, index: int) -> bool:
        """Whether the photo of a row is a JPEG, by its first bytes."""
        return is_jpeg(encoded_bytes(self._payload(index)) or b"")

    def _payload(self, index: int) -> Any:
        rows = CurrentBatch.of(self.handler).rows
        if index >= len(rows):
            raise InvalidInput("There is no photo: postprocess was called outside of handle")
        return payload_of(rows[index])

    def warmup_batch(self, rows: int, warmup: Warmup) -> Any:
        """A batch of grey images of the size that a warm-up asks for."""
        size = warmup.image_size
        height, width = (size, size) if isinstance(size, int) else size
        photo = encode_jpeg(Image.new("RGB", (width, height), "grey"))
        return self.handler.preprocess([{"data": photo}] * rows)

    def read(
        self, rows: list[Any], transform_of: Optional[TransformOf] = None, *, of_any_size: bool = False
    ) -> Any:
        """Decodes and transforms one image a row, several at the same time.

        Args:
            rows: see `VisionHandler.preprocess`.
            transform_of: makes each image into the model's input; by default the handler's `image_processing`.
            of_any_size: images that differ in size are a list of tensors [C, H, W], and no error.

        Returns:
            A float tensor [N, C, H, W] on the model's device.

        Raises:
            RowErrors: some rows hold no image.
        """
        self._follow_changes()
        transform_of = transform_of or (lambda _: self.handler.image_processing)
        slots = BatchSlots(len(rows), self._shape_of_rows(), self._device)
        found = self._read_rows(rows, transform_of, slots)
        batch = CurrentBatch.of(self.handler)
        images = batch.read(lambda index: _transformed(next(found), index, transform_of), rows)
        self._note_nested_lists(rows, images)
        if slots.are_filled_by(images):
            return self._normalize(slots.batch.to(self._device, non_blocking=True))
        if of_any_size and len({image.shape for image in images}) != 1:
            return [self._normalize(image.to(self.handler.device)) for image in images]
        return self._stack(images)

    def _note_nested_lists(self, rows: list[Any], images: list[torch.Tensor]) -> None:
        sent = {index: image.shape for index, image in enumerate(images) if not is_encoded(rows[index])}
        transform: Any = self.handler.image_processing
        usual = (transform.shape or (transform.channels, *_USUAL_SIZE)) if is_ours(transform) else None
        InputShapes.of(self.handler).note(sent, usual)

    def _follow_changes(self) -> None:
        """Takes a default transform whose list a subclass has changed for what it is now: one of its own."""
        transform = self.handler.image_processing
        changed = transform.changed() if isinstance(transform, ImageTransform) else None
        if changed is not None:
            self.handler.image_processing = changed

    def _shape_of_rows(self) -> tuple[int, int, int] | None:
        """The shape of each row of a batch, where it is known beforehand."""
        transform: Any = self.handler.image_processing
        return transform.shape if is_ours(transform) else None

    @property
    def _device(self) -> torch.device:
        return torch.device(self.handler.device or "cpu")

    def _stack(self, images: list[torch.Tensor]) -> torch.Tensor:
        device = self.handler.device
        if any(image.dtype != torch.uint8 for image in images):
            return _stacked([self._normalize(image) for image in images]).to(device)
        return self._normalize(_to_device(torch.stack(images), device))

    def _normalize(self, pixels: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
        """Pixels as the model gets them; what an own `image_processing` or a client made already is that."""
        transform = self.handler.image_processing
        if isinstance(transform, ImageTransform) and pixels.dtype == torch.uint8:
            return transform.normalize(pixels, out)
        return pixels

    def _read_rows(
        self, rows: list[Any], transform_of: TransformOf, slots: BatchSlots
    ) -> Iterator[torch.Tensor | Image.Image | PredictionException]:
        """For each row a tensor [C, H, W], or the image for an `image_processing` that a subclass brings."""
        limits = self._limits(rows)
        decoded_on_gpu = self._decode_on_gpu(rows, transform_of, limits)
        on_cpu = self._device.type == "cpu"  # another device normalizes a whole batch at once

        def read(index: int) -> Any:
            try:
                transform = transform_of(index)
                if index in decoded_on_gpu:
                    return transform.pixels(decoded_on_gpu[index])
                payload = payload_of(rows[index])
                if not is_ours(transform):
                    return self._photo(transform, payload, limits)
                pixels = self.reader.pixels(payload, transform, limits)
                if on_cpu:
                    return self._normalize(pixels, slots.place(index, pixels.shape))
                return slots.put(index, pixels)
            except PredictionException as error:
                return error

        threads = 1 if decoded_on_gpu or len(rows) == 1 else self.threads
        return map_in_threads(read, range(len(rows)), threads)

    def _photo(self, transform: Any, payload: Any, limits: ImageLimits) -> Any:
        """The photo for a transform of a subclass's; or what one that the model brings along makes of it."""
        own = ModelDefaults.of(self.handler).photo_transform
        if own is None or transform is not own:
            return self.reader.photo(payload, limits)
        pixels = self.reader.pixels(payload, ImageTransform(), limits)
        return own(pixels) if pixels.dtype == torch.uint8 else pixels

    def _limits(self, rows: list[Any]) -> ImageLimits:
        """Of each row; of all together, where an envelope has made them of one request."""
        limits = self.reader.limits
        if len(rows) == 1 or not is_enveloped():
            return limits
        return limits.together() if count_requests(server_context(self.handler.context)) == 1 else limits

    def _decode_on_gpu(
        self, rows: list[Any], transform_of: TransformOf, limits: ImageLimits
    ) -> Mapping[int, StoredImage]:
        requests = {}
        if getattr(Configuration.of(self.handler).settings, "decoder", None) == "nvjpeg":
            for index, row in enumerate(rows):
                with suppress(PredictionException):  # which `read` finds again
                    requests[index] = payload_of(row), transform_of(index)
        return self.reader.decode_on_gpu(requests, limits) if requests else {}


def _is_default(handler: Any, transform: Any) -> bool:
    """Whether an `image_processing` is a default handler's, and no subclass has one of its own."""
    classes = [kind for kind in type(handler).__mro__ if kind.__module__.startswith("ts.torch_handler.")]
    return any(vars(kind).get("image_processing") is transform for kind in classes)


def _stacked(images: list[torch.Tensor]) -> torch.Tensor:
    """A batch [N, C, H, W]; of a single image without a copy, since it may be a whole photo."""
    return images[0][None] if len(images) == 1 else torch.stack(images)


def _to_device(batch: torch.Tensor, device: Any) -> torch.Tensor:
    """A batch on a device; to a GPU it is copied while the CPU goes on, which takes page-locked memory."""
    if device is not None and torch.device(device).type == "cuda" and batch.device.type == "cpu":
        return batch.pin_memory().to(device, non_blocking=True)
    return batch.to(device)


def _transformed(image: Any, index: int, transform_of: TransformOf) -> torch.Tensor:
    """Passes an image to a subclass's transform: in the mode that it was sent in, or in RGB if that fails.

    By the thread that called `preprocess`, row after row, since nothing is known of that transform.
    """
    if isinstance(image, PredictionException):
        raise image
    if not isinstance(image, Image.Image):
        return image
    transform = transform_of(index)
    try:
        return transform(image)
    except Exception:
        if image.mode == "RGB":
            raise
        return transform(to_channels(image, 3))
