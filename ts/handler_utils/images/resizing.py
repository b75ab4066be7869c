"""Images scaled as torchvision's `Resize` scales them, or to fit into a letterbox: Pillow's, and 8-bit tensors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from PIL import Image
from torch.nn import functional

from ts.handler_utils.images.pillow import to_image, to_tensor

Size = tuple[int, int]

# Pixels to each side that Pillow's filters reach, where they do not make an image smaller.
_REACH = {"nearest": 1, "box": 0.5, "bilinear": 1, "hamming": 1, "bicubic": 2, "lanczos": 3}


def scales_tensors(interpolation: str, device: Any = "cpu") -> bool:
    """Whether tensors are made smaller as Pillow makes images smaller, and faster.

    On CPUs with AVX2 torch does it for 8-bit tensors by Pillow's own algorithm with weights of 16 bits: here and
    there a value differs by 1 of 255. (Bicubic ones differ by up to 30, and are left to Pillow.) On other CPUs it
    takes longer than Pillow. On a GPU it computes in float32, and the result is rounded.
    """
    if torch.device(device).type == "cuda":
        return interpolation in ("bilinear", "bicubic")
    return interpolation == "bilinear" and torch.backends.cpu.get_cpu_capability().startswith("AVX")


def resized_size(resize: int | Sequence[int], size: Size) -> Size:
    """Width and height of a photo after torchvision's `Resize`; a single length keeps the aspect ratio.

    Args:
        resize: length in pixels that the shorter side is scaled to, or (height, width).
        size: width and height of the photo, in pixels.
    """
    if not isinstance(resize, int):
        return resize[1], resize[0]
    width, height = size
    longer = int(resize * max(size) / min(size))
    return (resize, longer) if width <= height else (longer, resize)


class Letterbox(NamedTuple):
    """Where a photo lies within a model's input that it is scaled to fit into, in pixels of that.

    As YOLO's networks are trained: both sides are scaled by one gain and rounded, and the border is halved
    (https://docs.ultralytics.com/reference/data/augment/).

    Attributes:
        width: of the scaled photo.
        height: of the scaled photo.
        left: of it there is so much border.
        top: of it there is so much border.
        gain: what the photo was scaled by.
    """

    width: int
    height: int
    left: int
    top: int
    gain: float


def letterbox_of(size: tuple[int, int], canvas: int | Sequence[int]) -> Letterbox:
    """Where a photo comes to lie.

    Args:
        size: width and height of the photo.
        canvas: length of both sides of the input, or (height, width).
    """
    rows, columns = both_sides(canvas)
    width, height = size
    gain = min(columns / width, rows / height)
    scaled_width, scaled_height = max(round(width * gain), 1), max(round(height * gain), 1)
    left, top = ((columns - scaled_width) / 2, (rows - scaled_height) / 2)
    return Letterbox(scaled_width, scaled_height, round(left - 0.1), round(top - 0.1), gain)


def put_into_letterbox(
    values: torch.Tensor, canvas: int | Sequence[int], interpolation: str, border: int
) -> torch.Tensor:
    """Scales a photo to fit into a canvas, and puts it there as `letterbox_of` says.

    Args:
        values: uint8 [C, H, W].
        canvas: length of both sides, or (height, width).
        interpolation: bilinear is OpenCV's INTER_LINEAR, within 1 of 255: without antialiasing, which blurs what
            networks look for that are trained without it. Others are Pillow's.
        border: value around the photo.

    Returns:
        uint8 [C, height, width].
    """
    place, (rows, columns) = letterbox_of((values.shape[2], values.shape[1]), canvas), both_sides(canvas)
    size = place.height, place.width
    if interpolation != "bilinear":
        scaled = to_tensor(resize_image(to_image(values), size[::-1], interpolation))
        values = scaled.to(values.device)
    elif values.shape[1:] != size:
        on_cpu = values.device.type == "cpu"  # a GPU scales floats only
        batch = values[None] if on_cpu else values[None].float()
        scaled = functional.interpolate(batch, size, mode="bilinear", align_corners=False)[0]
        values = scaled if on_cpu else scaled.round_().to(torch.uint8)
    right, bottom = columns - place.left - place.width, rows - place.top - place.height
    return functional.pad(values, (place.left, right, place.top, bottom), value=border)


def both_sides(size: int | Sequence[int]) -> tuple[int, int]:
    """Height and width; a single length is both."""
    height, width = (size, size) if isinstance(size, int) else size
    return height, width


def resize_image(image: Image.Image, size: Size, interpolation: str) -> Image.Image:
    """Scales an image to a width and height, by Pillow."""
    return image if image.size == size else image.resize(size, Image.Resampling[interpolation.upper()])


def resize_opaque(image: Image.Image, size: Size, interpolation: str) -> Image.Image:
    """An RGBA image as RGB, scaled: by a channel at a time, as two whole images would take 8 bytes a pixel."""
    channels = [resize_image(image.getchannel(name), size, interpolation) for name in "RGB"]
    return Image.merge("RGB", channels)


def resize_part(
    image: Image.Image, size: Size, part: tuple[int, int, int, int], interpolation: str
) -> Image.Image:
    """A part of what `resize_image` would make, for what the part costs.

    Bilinear values differ by 1 of 255 at most. Filters that overshoot (bicubic, lanczos) may differ more: Pillow
    takes that side first which leaves less to do, and cuts values off at 0 and 255 before it takes the other.

    Args:
        image: the image, by Pillow.
        size: width and height of the whole.
        part: left, top, right and bottom of what is wanted of it.
    """
    along_x = _source(image.width, size[0], part[0], part[2], interpolation)
    along_y = _source(image.height, size[1], part[1], part[3], interpolation)
    needed = image.crop((along_x.start, along_y.start, along_x.stop, along_y.stop))
    box = (along_x.first, along_y.first, along_x.last, along_y.last)
    wanted = part[2] - part[0], part[3] - part[1]
    return needed.resize(wanted, Image.Resampling[interpolation.upper()], box)


class _Source(NamedTuple):
    """Of a side of an image: pixels from `start` to `stop`, and what of these becomes a part, as Pillow's box."""

    start: int
    stop: int
    first: float
    last: float


def _source(length: int, scaled: int, start: int, stop: int, interpolation: str) -> _Source:
    """What a part of a scaled side is made of: filters reach beyond it."""
    scale = length / scaled
    reach = _REACH[interpolation] * max(scale, 1)
    first, last = start * scale, stop * scale
    begin, end = max(0, math.floor(first - reach) - 1), min(length, math.ceil(last + reach) + 1)
    return _Source(begin, end, first - begin, min(last, length) - begin)


def resize_values(
    values: torch.Tensor, size: Size, interpolation: str, part: Size | None = None
) -> torch.Tensor:
    """Scales 8-bit values to a width and height, with antialiasing; see `scales_tensors`.

    Args:
        values: uint8 [C, H, W]; in memory best [H, W, C], as decoders leave it.
        part: width and height of the upper left part of the result that is wanted; None for all of it.

    Returns:
        uint8 [C, height, width], of that part.
    """
    width, height = size
    columns, rows = part or size
    stored_height, stored_width = values.shape[-2:]
    if (stored_width, stored_height) == size:
        return values[..., :rows, :columns]
    on_cpu = values.device.type == "cpu"
    if on_cpu and (stored_width < width or stored_height < height):
        return _enlarge(values, size, interpolation)[..., :rows, :columns]
    scale = {
        "bilinear": torch.ops.aten._upsample_bilinear2d_aa,
        "bicubic": torch.ops.aten._upsample_bicubic2d_aa,
    }
    batch = values[None] if on_cpu else values[None].float()
    # `functional.interpolate` calls the same, but takes either a size or a scale, and so cannot leave out a part.
    scaled = scale[interpolation](
        batch, (rows, columns), False, height / stored_height, width / stored_width
    )[0]
    return scaled if on_cpu else scaled.round_().clamp_(0, 255).to(torch.uint8)


def _enlarge(values: torch.Tensor, size: Size, interpolation: str) -> torch.Tensor:
    """By Pillow, from which torch's would differ by more than 1 of 255; images to be enlarged are small."""
    return to_tensor(resize_image(to_image(values), size, interpolation))
