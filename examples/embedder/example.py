"""Finds the sentences that questions are about, and the photos that pieces were cut out of."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from rich.console import Group

from examples.assets import ASTRONAUT, CHELSEA, COFFEE, ROCKET
from examples.example import Example, Outcome, responses, show
from examples.views import probability_table
from ts.runner import Model

SENTENCES = (
    "Knead the dough, then let it rise.",
    "The bank raised its rate to slow inflation.",
    "A cat is asleep on the windowsill.",
    "Snow is expected in the mountains.",
    "The probe has reached a moon of Jupiter.",
    "She tuned the violin before the concert.",
    "The striker missed a penalty.",
)
QUESTIONS = (
    "How do I bake bread?",
    "What will the weather be like?",
    "news about money",
    "travelling in space",
)
BEST = 2  # sentences that are shown


def vectors_of(model: Model, inputs: Sequence[Any]) -> np.ndarray:
    """The vectors of texts or images, float32 [N, D], each of length 1."""
    return np.stack([np.frombuffer(answer, "<f4") for answer in responses(model, inputs, format="float32")])


def ask_sentences(model: Model, sentences: Sequence[str]) -> Outcome:
    """The sentences that are nearest to each question: the cosine of the angle between their vectors."""
    nearness = vectors_of(model, QUESTIONS) @ vectors_of(model, sentences).T
    tables = []
    for question, row in zip(QUESTIONS, nearness):
        best = row.argsort()[::-1][:BEST]
        tables.append(probability_table(question, {sentences[index]: float(row[index]) for index in best}))
    return Outcome(Group(*tables))


def ask_photos(model: Model, photos: Sequence[Path]) -> Outcome:
    """How near each photo is to a piece of the first, seen in a mirror."""
    nearness = vectors_of(model, photos) @ vectors_of(model, [mirrored_piece(photos[0])])[0]
    best = nearness.argsort()[::-1]
    title = f"a piece of {photos[0].name}, in a mirror"
    return Outcome(probability_table(title, {photos[index].name: float(nearness[index]) for index in best}))


def mirrored_piece(path: Path) -> bytes:
    """The middle of a photo, three quarters as wide and high, with its sides exchanged, as a PNG."""
    with Image.open(path) as photo:
        width, height = photo.size
        piece = photo.crop((width // 8, height // 8, width * 7 // 8, height * 7 // 8))
    file = io.BytesIO()
    piece.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(file, "PNG")
    return file.getvalue()


SENTENCE_SEARCH = Example(
    "embedder",
    "minilm",
    "all-MiniLM-L6-v2 says which sentences are about the same",
    SENTENCES,
    ask_sentences,
    curl=("-H", "Content-Type: text/plain", "-d", "{input}"),
)
PHOTO_SEARCH = Example(
    "embedder",
    "photo_vectors",
    "EfficientNet-Lite0 says which photos are alike",
    (CHELSEA, COFFEE, ASTRONAUT, ROCKET),
    ask_photos,
    script="build_photos.py",
)
EXAMPLE = PHOTO_SEARCH  # for quickstart, which has its weights already


def main() -> int:
    """Shows what they answer."""
    return show(SENTENCE_SEARCH, PHOTO_SEARCH)
