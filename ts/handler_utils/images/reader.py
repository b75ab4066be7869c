"""Reads the images of requests into pixels for a model, by the fastest way that gives the right ones."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import torch
from PIL import Image

from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.images.jpeg_decoders import MODES, JpegDecoder, cpu_decoder, gpu_decoder
from ts.handler_utils.images.jpeg_header import JpegHeader, read_jpeg_header
from ts.handler_utils.images.pillow import Encoded, decode_image, open_image, read_image, read_nested_lists
from ts.handler_utils.images.transform import ImageTransform, StoredImage, is_ours
from ts.handler_utils.requests.payload import encoded_bytes

_ORIENTATION = 0x0112  # EXIF 2.32, section 4.6.4


class ImageReader:
    """Decodes images: JPEGs into tensors, which are scaled faster than Pillow's images; all others by Pillow.

    What the decoder of tensors refuses is given to Pillow, whose word is final.

    Args:
        exif: whether to turn images upright, as their EXIF orientation says.
        max_pixels: width times height of the largest image that is decoded; None for Pillow's own limit.
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
        max_pixels: int | None = None,
        decoder: str = "auto",
        scaled_decode: bool = False,
        device: Any = None,
    ) -> None:
        self.exif = exif
        self.max_pixels = max_pixels
        self.scaled_decode = scaled_decode
        self._on_cpu = cpu_decoder("auto" if decoder == "nvjpeg" else decoder)
        self._on_gpu = gpu_decoder(device) if decoder == "nvjpeg" else None
        self._device = device

    def photo(self, payload: Any) -> Image.Image | torch.Tensor:
        """What a request holds, at its full size: an upright Pillow image; or a tensor, for nested lists."""
        return read_image(payload, exif=self.exif, max_pixels=self.max_pixels)

    def pixels(self, payload: Any, transform: ImageTransform) -> torch.Tensor:
        """What the model gets of a request, before it is normalised.

        Returns:
            uint8 [C, H, W]; or float32, for nested lists, which already are the model's input.

        Raises:
            InvalidInput: see `read_image`.
        """
        data = encoded_bytes(payload)
        if data is None:
            return read_nested_lists(payload, transform.channels)
        side = self._least_side(data, transform)
        stored = self._decode_to_tensor(data, transform) if side is None else None
        if stored is not None:
            return transform.pixels(stored)
        return transform.pixels(
            decode_image(data, exif=self.exif, max_pixels=self.max_pixels, least_side=side)
        )

    def _least_side(self, data: Encoded, transform: ImageTransform) -> int | None:
        """Pixels that both sides keep where the decoder may leave out detail; None where it may not or cannot."""
        if not self.scaled_decode or transform.resize is None:
            return None
        side = transform.resize if isinstance(transform.resize, int) else max(transform.resize)
        header = read_jpeg_header(data)
        too_small = header is not None and min(header.width, header.height) < 2 * side
        return None if too_small else side

    def _decode_to_tensor(self, data: Encoded, transform: ImageTransform) -> StoredImage | None:
        if self._on_cpu is None or not transform.takes_tensors():
            return None
        orientation = self._orientation(data, transform.channels, self._on_cpu)
        if orientation is None:
            return None
        try:
            values = self._on_cpu.decode(_as_tensor(data), mode=MODES[transform.channels])
        except RuntimeError:
            return None
        return StoredImage(values, orientation)

    def _orientation(self, data: Encoded, channels: int, decoder: JpegDecoder) -> int | None:
        """How what a decoder makes of a JPEG is to be turned; None for an image that it is not to be given."""
        header = read_jpeg_header(data)
        if header is not None and self._is_small(header):
            return 1 if header.channels in (1, channels) else None
        image = open_image(data, self.max_pixels)
        fits = image.mode == "L" or (image.mode, channels) == ("RGB", 3)
        if image.format not in ("JPEG", "MPO") or not fits:
            return None
        orientation = image.getexif().get(_ORIENTATION, 1)
        if orientation not in range(2, 9):
            return 1
        if decoder.turns:
            return 1 if self.exif else None
        return orientation if self.exif else 1

    def _is_small(self, header: JpegHeader) -> bool:
        """Whether the image is within both limits of pixels; else `open_image` says what is wrong with it."""
        limits = (self.max_pixels, Image.MAX_IMAGE_PIXELS)
        return all(limit is None or header.width * header.height <= limit for limit in limits)

    def decode_on_gpu(self, requests: Mapping[int, tuple[Any, Any]]) -> dict[int, StoredImage]:
        """Decodes the JPEGs of a batch by nvJPEG, all at once.

        Args:
            requests: payload and transform of each request, by its index in the batch.

        Returns:
            The images by their indexes. None of them if one is damaged: each then is read by itself.
        """
        if self._on_gpu is None:
            return {}
        files = {}
        for index, (payload, transform) in requests.items():
            if not (is_ours(transform) and transform.channels == 3 and transform.takes_tensors(self._device)):
                continue
            with suppress(InvalidInput):  # whoever reads it by itself says what is wrong
                data = encoded_bytes(payload)
                orientation = None if data is None else self._orientation(data, 3, self._on_gpu)
                if data is not None and orientation is not None:
                    files[index] = _as_tensor(data), orientation
        try:
            decoded = self._on_gpu.decode([file for file, _ in files.values()], mode="RGB") if files else []
        except RuntimeError:
            return {}
        return {
            index: StoredImage(values, orientation)
            for (index, (_, orientation)), values in zip(files.items(), decoded)
        }


def _as_tensor(data: Encoded) -> torch.Tensor:
    writable = data if isinstance(data, bytearray) else bytearray(data)
    return torch.frombuffer(writable, dtype=torch.uint8)
