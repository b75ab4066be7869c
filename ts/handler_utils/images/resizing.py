"""Images scaled as torchvision's `Resize` scales them: Pillow's, and 8-bit tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image

from ts.handler_utils.images.pillow import to_tensor

Size = tuple[int, int]


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


def resize_image(image: Image.Image, size: Size, interpolation: str) -> Image.Image:
    """Scales an image to a width and height, by Pillow."""
    return image if image.size == size else image.resize(size, Image.Resampling[interpolation.upper()])


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
    rows = values.permute(1, 2, 0).numpy()
    image = Image.fromarray(rows[..., 0] if rows.shape[-1] == 1 else rows)
    return to_tensor(resize_image(image, size, interpolation))
