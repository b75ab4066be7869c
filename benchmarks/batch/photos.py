"""A folder of photos of about 500x375, cut out of real ones; no two are the same."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

WIDTH, HEIGHT = 500, 375
DAMAGED = b"\xff\xd8\xff\xe0 no more of it"


def write_photos(folder: Path, sources: Sequence[Path], count: int, seed: int) -> None:
    """Writes JPEGs, the middle one of them damaged.

    Args:
        folder: An empty one.
        sources: Photos.
        count: Files.
        seed: Of what is cut out.
    """
    draw = random.Random(seed)
    images = [Image.open(path).convert("RGB") for path in sources]
    for number in range(count):
        path = folder / f"{number:06}.jpg"
        if number == count // 2:
            path.write_bytes(DAMAGED)
        else:
            cutting(draw.choice(images), draw).save(path, quality=draw.randint(75, 95))


def cutting(image: Image.Image, draw: random.Random) -> Image.Image:
    """A part of a photo, in sizes up to 15 % around the nominal one."""
    part = draw.uniform(0.5, 1.0)
    width, height = round(image.width * part), round(image.height * part)
    left, top = draw.randint(0, image.width - width), draw.randint(0, image.height - height)
    size = round(WIDTH * draw.uniform(0.85, 1.15)), round(HEIGHT * draw.uniform(0.85, 1.15))
    return image.resize(size, Image.Resampling.BILINEAR, (left, top, left + width, top + height))
