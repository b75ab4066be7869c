"""Answers as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

BAR_COLUMNS = 24


def probability_table(title: str, probabilities: Mapping[str, float]) -> Table:
    """Labels and their probabilities, each with a bar."""
    table = plain_table(title)
    table.add_column(min_width=20)
    for label, probability in probabilities.items():
        table.add_row(label, f"{probability:.3f}", bar(probability))
    return table


def detection_table(title: str, detections: Iterable[Mapping[str, Any]]) -> Table:
    """Labels, scores and bounding boxes, one detection a row."""
    table = plain_table(title)
    table.add_column(min_width=20)
    for detection in detections:
        [(label, box)] = [(key, value) for key, value in detection.items() if key != "score"]
        left, top, right, bottom = (round(edge) for edge in box)
        table.add_row(label, f"{detection['score']:.3f}", f"x {left} to {right}, y {top} to {bottom}")
    return table


def share_table(shares: Mapping[str, float], what: str) -> Table:
    """Photos, and the share of each one's pixels that are `what`."""
    table = plain_table()
    table.add_column(min_width=20)
    for name, share in shares.items():
        table.add_row(Text(name, style="bold"), f"{share:.1%}", f"of its pixels are {what}")
    return table


def topic_table(topics: Mapping[str, Mapping[str, float]]) -> Table:
    """Texts, and above each one its most probable topic."""
    table = plain_table()
    for text, probabilities in topics.items():
        topic, probability = next(iter(probabilities.items()))
        table.add_row(Text(topic, style="bold"), f"{probability:.3f}", Text(text))
    return table


def plain_table(title: str | None = None) -> Table:
    """A table of columns without lines."""
    return Table(
        title=title, title_justify="left", title_style="bold", show_header=False, box=None, padding=(0, 1)
    )


def bar(share: float) -> ProgressBar:
    """A bar that is filled by a share in [0, 1]."""
    return ProgressBar(total=1.0, completed=share, width=BAR_COLUMNS, complete_style="green")
