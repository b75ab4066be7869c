"""Asks a BERT, packed as transformers saved it, what short news are about."""

from __future__ import annotations

from examples.example import Example, show
from examples.text_classifier.example import TEXTS, ask

EXAMPLE = Example(
    "hugging_face",
    "minilm_news",
    "a BERT says what a news text is about",
    TEXTS,
    ask,
    curl=("-H", "Content-Type: text/plain", "-d", "{input}"),
)


def main() -> int:
    """Shows what it answers."""
    return show(EXAMPLE)
