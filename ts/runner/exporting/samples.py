"""Made-up inputs, for handlers whose kind tells what they take."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import Any, Optional

from ts.runner.answering.payload import Input

# Of differing lengths, and of words that most vocabularies have.
TEXTS = (
    "The weather was good today, and people went out into the city.",
    "The company said that its sales rose by two percent in the first quarter of this year.",
    "A new book about the history of the world.",
)


def made_up_inputs(handler: Any) -> Optional[list[Input]]:
    """Three inputs for a handler of images or of texts; None for another."""
    from ts.torch_handler.text_handler import TextHandler

    if takes_images(handler):
        return list(random_images((320, 256), 3))
    return list(TEXTS) if isinstance(handler, TextHandler) else None


def takes_images(handler: Any) -> bool:
    """Whether a handler answers images: it is a `VisionHandler`, or says so in its description."""
    from ts.torch_handler.vision_handler import VisionHandler

    if isinstance(handler, VisionHandler):
        return True
    with suppress(Exception):  # of a handler of one's own
        return any(
            payload.startswith("an encoded image") for payload in handler.describe_handle()["payloads"]
        )
    return False


def random_images(size: tuple[int, int], count: int) -> list[bytes]:
    """PNGs of coarse noise, the same ones each time.

    Args:
        size: width and height in pixels.
        count: how many.
    """
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(0)
    pictures = []
    for _ in range(count):
        blocks = Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        file = io.BytesIO()
        blocks.resize(size, Image.Resampling.BICUBIC).save(file, "PNG")
        pictures.append(file.getvalue())
    return pictures
