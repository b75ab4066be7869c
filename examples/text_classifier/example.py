"""Asks the classifier of Reuters news what short texts are about."""

from __future__ import annotations

from collections.abc import Sequence

from examples.example import Example, Outcome, responses, show
from examples.views import topic_table
from ts.runner import Model

TEXTS = (
    "Oil prices rose after OPEC ministers agreed to cut crude production by a million barrels a day.",
    "Farmers will harvest more wheat and corn this year than last, the Agriculture Department said.",
    "Dock workers went on strike, and forty vessels with cargo are waiting outside the port.",
    "The central bank raised its key lending rate by half a percentage point to slow inflation.",
)


def ask(model: Model, texts: Sequence[str]) -> Outcome:
    """The most probable topic of each text."""
    answers = responses(model, texts, topk=1)
    return Outcome(topic_table(dict(zip(texts, answers))))


EXAMPLE = Example(
    "text_classifier",
    "reuters_r8",
    "a bag of embeddings says what a news text is about",
    TEXTS,
    ask,
    curl=("-H", "Content-Type: text/plain", "-d", "{input}"),
)


def main() -> int:
    """Shows what it answers."""
    return show(EXAMPLE)
