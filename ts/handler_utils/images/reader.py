"""Reads the images of requests into pixels for a model, by the fastest way that gives the right ones."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import torch
from PIL import Image

from ts.handler_utils.errors import InvalidInput, is_out_of_memory
from ts.handler_utils.images.formats import known_formats
from ts.handler_utils.images.jpeg.decoders import MODES, JpegDecoder, cpu_decoder, gpu_decoder
from ts.handler_utils.images.jpeg.header import JpegHeader, read_jpeg_header, without_tells
from ts.handler_utils.images.limits import ImageLimits
from ts.handler_utils.images.orientation import StoredImage, lies_on_its_side
from ts.handler_utils.images.pillow import (
    DEFAULT_LIMITS,
    Encoded,
    decode_image,
    open_image,
    read_image,
    read_nested_lists,
    read_orientation,
)
from ts.handler_utils.images.transform import ImageTransform, is_ours
from ts.handler_utils.requests.payload import encoded_bytes


class ImageReader:
    """Decodes images: JPEGs into tensors, which are scaled faster than Pillow's images; all others by Pillow.

    A decoder of tensors is given what `read_jpeg_header` reads, which it cannot take for anything else. What it
    refuses is given to Pillow, whose word is final.

    Args:
        exif: whether to turn images upright, as their EXIF orientation says.
        limits: of the images that are decoded.
        decoder: of JPEG: auto, torchvision, torchcodec, pillow, or nvjpeg (on a GPU).
        scaled_decode: lets Pillow decode a JPEG in a half, a quarter or an eighth of its size, where the transform
            scales it to that or less.
        device: of the model.

    Raises:
        ValueError: the decoder does not work here.
    """

    def __init__(
        self,
        *,
        exif: bool = True,
        limits: ImageLimits = DEFAULT_LIMITS,
        decoder: str = "auto",
        scaled_decode: bool = False,
        device: Any = None,
    ) -> None:
        self.exif = exif
        self.limits = limits
        self.scaled_decode = scaled_decode
        self._on_cpu = cpu_decoder("auto" if decoder == "nvjpeg" else decoder)
        self._on_gpu = gpu_decoder(device) if decoder == "nvjpeg" else None
        self._device = device
        known_formats(limits.formats)  # imports Pillow's modules now, rather than at the first request

    def photo(self, payload: Any, limits: ImageLimits | None = None) -> Image.Image | torch.Tensor:
        """What a request holds, at its full size: an upright Pillow image; or a tensor, for nested lists."""
        return read_image(payload, exif=self.exif, limits=limits or self.limits)

    def photo_size(self, payload: Any) -> tuple[int, int] | None:
        """Width and height of what `photo` returns, off its header; None for nested lists."""
        data = encoded_bytes(payload)
        if data is None:
            return None
        image = open_image(data, self.limits.formats)
        self.limits.check_image(data, image)
        turned = self.exif and lies_on_its_side(read_orientation(image))
        return image.size[::-1] if turned else image.size

    def pixels(
        self, payload: Any, transform: ImageTransform, limits: ImageLimits | None = None
    ) -> torch.Tensor:
        """What the model gets of a request, before it is normalised.

        Args:
            payload: see `read_image`.
            transform: what is made of the image.
            limits: the reader's own if None.

        Returns:
            uint8 [C, H, W]; or float32, for nested lists, which already are the model's input.

        Raises:
            InvalidInput: see `read_image`.
        """
        limits = limits or self.limits
        data = encoded_bytes(payload)
        if data is None:
            return read_nested_lists(payload, 3)
        side = self._least_side(data, transform)
        stored = self._decode_to_tensor(data, transform, limits) if side is None else None
        if stored is not None:
            return transform.pixels(stored)
        image = decode_image(data, exif=self.exif, limits=limits, least_side=side)
        limits.check_scaled(transform.largest_size(image.size))
        return transform.pixels(image)

    def _least_side(self, data: Encoded, transform: ImageTransform) -> int | None:
        """Pixels that both sides keep where the decoder may leave out detail; None where it may not or cannot."""
        if not self.scaled_decode or transform.resize is None:
            return None
        side = transform.resize if isinstance(transform.resize, int) else max(transform.resize)
        header = read_jpeg_header(data)
        too_small = header is not None and min(header.width, header.height) < 2 * side
        return None if too_small else side

    def _decode_to_tensor(
        self, data: Encoded, transform: ImageTransform, limits: ImageLimits
    ) -> StoredImage | None:
        if self._on_cpu is None or not transform.takes_tensors():
            return None
        plain = self._plain_jpeg(data, transform, limits, self._on_cpu)
        if plain is None:
            return None
        try:
            values = self._on_cpu.decode(plain.file, mode=MODES[transform.channels])
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            return None
        return plain.stored(values)

    def _plain_jpeg(
        self, data: Encoded, transform: ImageTransform, limits: ImageLimits, decoder: JpegDecoder
    ) -> PlainJpeg | None:
        """A JPEG for a decoder of tensors; None for what it is not to be given.

        Raises:
            InvalidInput: it is beyond a limit.
        """
        header = read_jpeg_header(data) if "JPEG" in limits.formats else None
        if header is None or header.channels not in (1, transform.channels):
            return None
        limits.check_jpeg(data, header)
        orientation = self._orientation(data, header) if self.exif and header.tells else 1
        if orientation is None:
            return None
        size = header.width, header.height
        upright = size[::-1] if lies_on_its_side(orientation) else size
        limits.check_scaled(transform.largest_size(upright))
        file = without_tells(data, header) if decoder.turns and header.tells else data
        return PlainJpeg(_as_tensor(file), size, orientation)

    def _orientation(self, data: Encoded, header: JpegHeader) -> int | None:
        """How a JPEG is to be turned, by Pillow's word; None if Pillow sees another image in it than we do."""
        image = open_image(data, ("JPEG",))
        mode = "L" if header.channels == 1 else "RGB"
        alike = image.size == (header.width, header.height) and image.mode == mode
        return read_orientation(image) if alike else None

    def decode_on_gpu(
        self, requests: Mapping[int, tuple[Any, Any]], limits: ImageLimits | None = None
    ) -> dict[int, StoredImage]:
        """Decodes the JPEGs of a batch by nvJPEG, all at once.

        Args:
            requests: payload and transform of each request, by its index in the batch.
            limits: the reader's own if None.

        Returns:
            The images by their indexes. None of them if one is damaged: each then is read by itself.
        """
        if self._on_gpu is None:
            return {}
        plain = {}
        for index, (payload, transform) in requests.items():
            if not (is_ours(transform) and transform.channels == 3 and transform.takes_tensors(self._device)):
                continue
            with suppress(InvalidInput):  # whoever reads it by itself says what is wrong
                data = encoded_bytes(payload)
                if data is not None:
                    plain[index] = self._plain_jpeg(data, transform, limits or self.limits, self._on_gpu)
        files = {index: found for index, found in plain.items() if found is not None}
        try:
            decoded = (
                self._on_gpu.decode([found.file for found in files.values()], mode="RGB") if files else []
            )
            return {index: found.stored(values) for (index, found), values in zip(files.items(), decoded)}
        except (RuntimeError, InvalidInput):
            return {}


class PlainJpeg(NamedTuple):
    """A JPEG for a decoder of tensors.

    Attributes:
        file: uint8 [bytes].
        size: width and height that its header says.
        orientation: how what is decoded is to be turned, as EXIF numbers it.
    """

    file: torch.Tensor
    size: tuple[int, int]
    orientation: int

    def stored(self, values: torch.Tensor) -> StoredImage:
        """What a decoder has made of it.

        Raises:
            InvalidInput: it is of another size than the header says.
        """
        height, width = values.shape[-2:]
        if (width, height) != self.size:
            raise InvalidInput(
                f"The image is damaged: its header says {self.size[0]}x{self.size[1]} pixels, and it has"
                f" {width}x{height}"
            )
        return StoredImage(values, self.orientation)


def _as_tensor(data: Encoded) -> torch.Tensor:
    writable = data if isinstance(data, bytearray) else bytearray(data)
    return torch.frombuffer(writable, dtype=torch.uint8)
