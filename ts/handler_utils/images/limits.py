"""What an image may cost: each limit is held by the image's header, before anything is decoded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from threading import Lock
from typing import Optional

from PIL import Image

from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.images.formats import DEFAULT_FORMATS
from ts.handler_utils.images.jpeg.header import Encoded, JpegHeader, count_scans, read_jpeg_header

# The photos of today's phones have up to 8192 x 6144 pixels.
MAX_PIXELS = 8192 * 6144
MAX_ASPECT = 100
MAX_SCANS = 100

# Reading takes time and memory as if an image had so many times its pixels, by Pillow's names of formats. A JPEG
# of a single scan takes 3 to 4 bytes a pixel, WebP 16; a run-length coded BMP is decoded by Python.
_COSTS = {"PNG": 1, "WEBP": 4, "AVIF": 4}
_COST_OF_OTHERS = 2
_COST_OF_RUN_LENGTHS = 16
_COST_OF_CMYK = 3  # JPEG's: 4 bytes a pixel, beside 8 of coefficients
_RUN_LENGTHS = (1, 2)  # RLE8 and RLE4, as `info["compression"]` of a BMP has them
_SCANS_OF_ONE_COST = 5
_TILE = (322, 323)  # TileWidth and TileLength (TIFF 6.0, section 15)

Size = tuple[int, int]


class _Sum:
    """A sum that several threads add to."""

    def __init__(self) -> None:
        self._sum, self._lock = 0, Lock()

    def add(self, number: int) -> int:
        """Adds a number; returns the sum."""
        with self._lock:
            self._sum += number
            return self._sum


@dataclass(frozen=True)
class ImageLimits:
    """The limits of the images that are read; see the settings of these names.

    Attributes:
        max_pixels: width times height times cost of the largest image; None for no limit but Pillow's own.
        max_aspect: longer side by shorter side.
        max_scans: of a JPEG.
        formats: by Pillow's names.
    """

    max_pixels: Optional[int] = MAX_PIXELS
    max_aspect: float = MAX_ASPECT
    max_scans: int = MAX_SCANS
    formats: Sequence[str] = DEFAULT_FORMATS
    _together: Optional[_Sum] = field(default=None, compare=False, repr=False)

    def together(self) -> ImageLimits:
        """The same limits for the images of one request, which may have `max_pixels` in all."""
        return replace(self, _together=_Sum())

    def check_jpeg(self, data: Encoded, header: JpegHeader) -> None:
        """Checks a JPEG by its header; see `check`."""
        self.check((header.width, header.height), self._cost_of_jpeg(data, header))

    def check_image(self, data: Encoded, image: Image.Image) -> None:
        """Checks an image that Pillow has opened, and not yet decoded; see `check`."""
        self.check(image.size, self._cost(data, image))
        self._check_tile(image)

    def check(self, size: Size, cost: int = 1) -> None:
        """Checks the width and height of an image, whose pixels count so many times.

        Raises:
            InvalidInput: it has too many pixels (413), or is too long for its width (400).
        """
        width, height = size
        if min(size) < 1:
            raise InvalidInput(f"The image is damaged: it has {width}x{height} pixels")
        self._check_pixels(size, cost)
        if max(size) > self.max_aspect * min(size):
            raise InvalidInput(
                f"The image is too long and thin: {width}x{height} pixels, and max_aspect is {self.max_aspect:g}:"
                f" cut it, or {_raise('max_aspect')}"
            )

    def check_scaled(self, size: Size) -> None:
        """Checks the width and height to which an image is to be scaled.

        Raises:
            InvalidInput: they are too many pixels.
        """
        if self.max_pixels is not None and math.prod(size) > self.max_pixels:
            raise _too_large(f"scaled to {size[0]}x{size[1]} pixels", f"max_pixels is {self.max_pixels}")

    def _check_pixels(self, size: Size, cost: int) -> None:
        pixels, found = math.prod(size), f"{size[0]}x{size[1]} pixels"
        found += f", which count {cost} times in its format" if cost > 1 else ""
        if self.max_pixels is not None and pixels * cost > self.max_pixels:
            raise _too_large(found, f"max_pixels is {self.max_pixels}")
        if Image.MAX_IMAGE_PIXELS is not None and pixels > 2 * Image.MAX_IMAGE_PIXELS:
            raise pillow_refuses(f"{found}, and Pillow's own limit is {2 * Image.MAX_IMAGE_PIXELS}")
        in_all = self._together.add(pixels * cost) if self._together else 0
        if self.max_pixels is not None and in_all > self.max_pixels:
            found = f"{in_all} pixels with those before it in the same request"
            raise _too_large(found, f"max_pixels is {self.max_pixels} for all together")

    def _check_tile(self, image: Image.Image) -> None:
        """A TIFF is decoded by tiles, each as a whole, which may be larger than the image that they cover."""
        tags = getattr(image, "tag_v2", {})
        width, height = (tags.get(tag) for tag in _TILE)
        if not (isinstance(width, int) and isinstance(height, int)) or self.max_pixels is None:
            return
        if width * height * _COST_OF_OTHERS > self.max_pixels:
            found = (
                f"its tiles have {width}x{height} pixels, which count {_COST_OF_OTHERS} times in its format"
            )
            raise _too_large(found, f"max_pixels is {self.max_pixels}")

    def _cost(self, data: Encoded, image: Image.Image) -> int:
        form = image.format or ""
        if form in ("JPEG", "MPO"):
            return max(
                self._cost_of_jpeg(data, read_jpeg_header(data)), _COST_OF_CMYK * (image.mode == "CMYK")
            )
        if form == "BMP" and image.info.get("compression") in _RUN_LENGTHS:
            return _COST_OF_RUN_LENGTHS
        return _COSTS.get(form, _COST_OF_OTHERS)

    def _cost_of_jpeg(self, data: Encoded, header: JpegHeader | None) -> int:
        """Of one in several scans the decoder keeps all coefficients, and passes through them once a scan.

        Raises:
            InvalidInput: it has too many scans.
        """
        if header is not None and header.in_one_scan:
            return 1
        scans = count_scans(data)
        if scans > self.max_scans:
            raise InvalidInput(
                f"The JPEG has too many scans: {scans}, and max_scans is {self.max_scans}: save it as a baseline"
                f" JPEG, or {_raise('max_scans')}"
            )
        return max(_COST_OF_OTHERS, -(-scans // _SCANS_OF_ONE_COST))


def pillow_refuses(found: str) -> InvalidInput:
    """The error for an image of more pixels than Pillow opens in this process."""
    return InvalidInput(
        f"The image is too large: {found}: send a smaller one, or let config.properties have"
        " limit_max_image_pixels=false",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    )


def _too_large(found: str, limit: str) -> InvalidInput:
    return InvalidInput(
        f"The image is too large: {found}, and {limit}: send a smaller one, or {_raise('max_pixels')}",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    )


def _raise(setting: str) -> str:
    return f"raise handler.{setting} in model-config.yaml"
