"""Asks the classifier of Reuters news about the documents that it was not trained on."""

from __future__ import annotations

from pathlib import Path

from examples.assets import REUTERS_TEST, fetch
from examples.example import exit_code
from examples.text_classifier.archive import TOPICS, read_documents
from examples.text_classifier.example import EXAMPLE
from ts.runner import load_archive


def measure(archive: Path) -> float:
    """The share of the test documents of which the archive names the right topic first."""
    texts, topics = read_documents(fetch(REUTERS_TEST))
    with load_archive(archive) as model:
        answers = model.predict(texts, options={"topk": 1})
    right = sum(answer.ok and [*answer.response] == [TOPICS[topic]] for answer, topic in zip(answers, topics))
    return right / len(texts)


def print_share() -> int:
    """Builds the archive if need be, and prints the share."""
    EXAMPLE.prepare()
    print(f"right on {measure(EXAMPLE.archive):.1%} of the test documents")
    return 0


def main() -> int:
    """Prints the share, or in a sentence what went wrong."""
    return exit_code(print_share)
