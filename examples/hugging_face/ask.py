"""Asks a BERT, packed as transformers saved it, what short news are about."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from examples.example import Example, main
from examples.text_classifier.ask import TEXTS, ask

EXAMPLE = Example(
    "hugging_face",
    "minilm_news",
    "a BERT says what a news text is about",
    TEXTS,
    ask,
    curl=("-H", "Content-Type: text/plain", "-d", "{input}"),
)

if __name__ == "__main__":
    sys.exit(main(EXAMPLE))
