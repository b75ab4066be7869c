"""How two pictures differ."""

from __future__ import annotations

import io
from typing import Optional

import numpy as np
from PIL import Image

from ts.runner.comparing.difference import Difference

INDEXED = ("P", "1", "I", "I;16")  # a pixel's number is a class, not a brightness
WHITE = 255


def opened(content: bytes) -> Optional[Image.Image]:
    """The picture in a file; None where it is none that Pillow reads."""
    try:
        picture = Image.open(io.BytesIO(content))
        picture.load()
    except Exception:  # whatever a decoder raises of a file from elsewhere
        return None
    return picture


def compare_pictures(old: bytes, new: bytes, found: Difference) -> None:
    """Compares pixels: brightnesses may differ by 1 of 255, classes not."""
    before, after = opened(old), opened(new)
    if before is None or after is None:
        found.note(f"{len(old):,} bytes → {len(new):,} others")
        return
    if (before.size, before.mode) != (after.size, after.mode):
        found.note(f"a picture of {form_of(before)} → {form_of(after)}")
        return
    steps = np.abs(np.asarray(before).astype(int) - np.asarray(after).astype(int))
    per_pixel = steps if steps.ndim == 2 else steps.max(axis=2)
    changed, largest, size = int((per_pixel > 0).sum()), int(steps.max(initial=0)), per_pixel.size
    if before.mode in INDEXED:
        found.classes(per_pixel > 0)
    elif largest > max(1, found.tolerance * WHITE):
        found.note(f"{changed:,} of {size:,} pixels differ, by up to {largest} of {WHITE}")
    elif changed:
        found.is_equal = False


def form_of(picture: Image.Image) -> str:
    return f"{picture.width}x{picture.height} {picture.mode}"
