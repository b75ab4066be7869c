"""What the benchmarks ask about: photos and texts that are drawn anew for each run, and repeated by a seed."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any, Optional

import numpy as np
from PIL import Image, ImageDraw

SIZE_VARIES = 0.15  # of each side, up and down
QUALITIES = (75, 95)  # of JPEG
VOCABULARY_SHARE = 0.9  # of the tokens of the texts; the rest are words that the model has never seen
WORDS = """
    the of and to in a for on that with as at by from after is was has have not but its said will more
    than over government market company shares oil price prices investors percent million billion deal
    talks minister election president police officials attack troops peace team season game coach players
    victory match final champions software internet computer users network security researchers
    scientists space mission launch study heart new old first last year week quarter strong weak record
    rising falling global local private public early late reports announced expected agreed rejected
    plans would could should before against between under while
""".split()  # noqa: SIM905
CONTRACTIONS = ["don't", "it's", "they're", "can't", "won't", "we've", "that's", "isn't", "I'm", "he'd"]
MARKUP = ["<b>update</b>", "&lt;strong&gt;", "<br />", "&amp;", "#36;", "&quot;"]
PUNCTUATION = [",", ",", ";", ":", " -", "..."]


class Inputs:
    """Draws inputs; two with the same seed draw the same.

    Args:
        seed: any number.
        news: a file of AG_NEWS (CSV: class, title, description) to draw texts from; None for made-up ones.
    """

    def __init__(self, seed: int, news: Optional[Path] = None) -> None:
        self._random = np.random.default_rng(seed)
        self._news = news

    def jpegs(self, count: int, width: int, height: int, *, one_size: bool = False) -> list[bytes]:
        """Photos of sizes around `width` x `height`, a quarter of them upright; with `one_size` all alike."""
        size = self._size(width, height)
        return [self._jpeg(size if one_size else self._size(width, height)) for _ in range(count)]

    def logits(self, count: int, classes: int, side: int) -> np.ndarray:
        """What a segmentation model might say: smooth float32 logits [count, classes, side, side]."""
        coarse = self._random.normal(0, 4, (count * classes, side // 16, side // 16)).astype(np.float32)
        planes = [Image.fromarray(plane).resize((side, side), Image.Resampling.BICUBIC) for plane in coarse]
        smooth = np.stack([np.asarray(plane) for plane in planes]).reshape(count, classes, side, side)
        return smooth + self._random.normal(0, 0.3, smooth.shape).astype(np.float32)

    def texts(self, count: int) -> list[str]:
        """News: random rows of the file, or made-up ones like AG_NEWS's."""
        if self._news is None:
            return [self._text() for _ in range(count)]
        with self._news.open(encoding="utf-8", newline="") as file:
            rows = [" ".join(row[1:]) for row in csv.reader(file)][1:]
        return [rows[index] for index in self._random.choice(len(rows), count, replace=False)]

    def words(self, count: int) -> list[str]:
        """So many plain words."""
        return [self._one_of(WORDS) for _ in range(count)]

    def vocabulary(self, texts: list[str]) -> dict[str, int]:
        """Indexes of most words and pairs of words of the texts; 0 is "<unk>"."""
        tokens: dict[str, None] = {}
        for text in texts:
            words = re.findall(r"[a-z0-9]+", text.lower())
            pairs = [f"{first} {second}" for first, second in zip(words, words[1:])]
            tokens.update(dict.fromkeys(words + pairs))
        known = [token for token in tokens if self._random.random() < VOCABULARY_SHARE]
        return {token: index for index, token in enumerate(["<unk>", *known])}

    # Photos --------------------------------------------------------------------------------------------------

    def _size(self, width: int, height: int) -> tuple[int, int]:
        factors = self._random.uniform(1 - SIZE_VARIES, 1 + SIZE_VARIES, 2)
        size = round(width * factors[0]), round(height * factors[1])
        return size if self._random.random() > 0.25 else size[::-1]

    def _jpeg(self, size: tuple[int, int]) -> bytes:
        photo = self._with_grain(self._with_shapes(self._clouds(size)))
        file = io.BytesIO()
        quality = int(self._random.integers(*QUALITIES, endpoint=True))
        subsampling = 0 if self._random.random() < 0.2 else 2  # 4:4:4, or 4:2:0 as most cameras write
        photo.save(file, "jpeg", quality=quality, subsampling=subsampling)
        return file.getvalue()

    def _clouds(self, size: tuple[int, int]) -> Image.Image:
        """Noise of all scales: colours that change slowly, and brightness that changes at each scale as in photos.

        Natural images have about the same variance in each octave of frequencies; the finest are a bit weaker,
        since lenses blur.
        """
        colours = self._octave(3, size, 3) + self._octave(7, size, 3)
        brightness = np.zeros((size[1], size[0], 1), np.float32)
        cells, contrast = 3, np.float32(self._random.uniform(0.25, 0.45))
        while cells < max(size):
            brightness += self._octave(cells, size, 1) * contrast
            cells, contrast = cells * 2, contrast * np.float32(0.88)
        level = np.float32(self._random.uniform(80, 170))
        return Image.fromarray((level + colours * np.float32(0.3) + brightness).clip(0, 255).astype(np.uint8))

    def _octave(self, cells: int, size: tuple[int, int], channels: int) -> np.ndarray:
        """Smooth noise in [-128, 127], [height, width, channels], with so many cells along the longer side."""
        shape = (max(2, cells * size[1] // max(size)), max(2, cells * size[0] // max(size)), channels)
        grid = self._random.integers(0, 256, shape, np.uint8).squeeze()
        smooth = Image.fromarray(grid).resize(size, Image.Resampling.BICUBIC)
        return np.asarray(smooth, np.float32).reshape(size[1], size[0], channels) - 128

    def _with_shapes(self, photo: Image.Image) -> Image.Image:
        pen = ImageDraw.Draw(photo)
        extent = np.array(photo.size)
        for _ in range(int(self._random.integers(4, 14))):
            corner = self._random.uniform(0, 0.9, 2) * extent
            box = [*corner, *(corner + self._random.uniform(0.03, 0.4, 2) * extent)]
            colour = tuple(int(value) for value in self._random.integers(0, 256, 3))
            draw: Any = pen.ellipse if self._random.random() < 0.5 else pen.rectangle
            draw([float(value) for value in box], fill=colour)
        return photo

    def _with_grain(self, photo: Image.Image) -> Image.Image:
        """A sensor's noise, which is what most bytes of a JPEG are spent on."""
        width, height = photo.size
        deviation = self._random.uniform(1, 4)
        tile = self._random.normal(0, deviation, (257, 263, 3)).round().astype(np.int16)
        repeats = (height // tile.shape[0] + 1, width // tile.shape[1] + 1, 1)
        grain = np.tile(tile, repeats)[:height, :width]
        return Image.fromarray((np.asarray(photo, np.int16) + grain).clip(0, 255).astype(np.uint8))

    # Texts ---------------------------------------------------------------------------------------------------

    def _text(self) -> str:
        sentences = [self._sentence() for _ in range(int(self._random.integers(2, 4)))]
        return " ".join(sentences)

    def _sentence(self) -> str:
        words = [self._word() for _ in range(int(self._random.integers(9, 20)))]
        return " ".join(words).capitalize() + "."

    def _word(self) -> str:
        chance = self._random.random()
        if chance < 0.02:
            return self._one_of(MARKUP)
        if chance < 0.05:
            return self._one_of(CONTRACTIONS)
        word = self._one_of(WORDS)
        if chance > 0.85:
            word = word.capitalize()
        return word + self._one_of(PUNCTUATION) if chance > 0.93 else word

    def _one_of(self, choices: list[str]) -> str:
        return choices[int(self._random.integers(len(choices)))]
