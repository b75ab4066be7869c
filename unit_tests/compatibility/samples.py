"""What the requests of these cases hold, the same in every process."""

from __future__ import annotations

import base64
import io
from typing import Any

import torch
from PIL import Image


def picture(seed: int = 0, size: tuple[int, int] = (96, 80), mode: str = "RGB", form: str = "PNG") -> bytes:
    """An encoded picture of coloured blocks."""
    generator = torch.Generator().manual_seed(seed)
    blocks = torch.randint(0, 256, (6, 6, 3), generator=generator, dtype=torch.uint8).numpy()
    image = Image.fromarray(blocks).resize(size, Image.Resampling.BICUBIC).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, form)
    return buffer.getvalue()


def base64_picture(seed: int = 0, **how: Any) -> str:
    return base64.b64encode(picture(seed, **how)).decode()


def labels(count: int) -> dict[str, str]:
    return {str(index): f"label {index}" for index in range(count)}
