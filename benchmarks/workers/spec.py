"""What a worker is told to prepare, and what it makes of that.

Nothing is imported here that a handler might not need, because the start of a worker is timed too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable

Answer = Callable[[int], Any]  # of a batch, by its number


@dataclass(frozen=True)
class Spec:
    """What a worker is to prepare.

    Attributes:
        side: "upstream", "ours" or "machine".
        task: a key of `tasks.TASKS`, or for "machine" of `yardsticks.YARDSTICKS`.
        folder: the unpacked archive.
        manifest: the `model` section of its MANIFEST.json.
        config: its model-config.yaml.
        device: "cpu" or "cuda".
        batches: for each batch its rows: encoded images or texts, or arrays that stand for a model's output.
        encoded: whether answers are encoded as the server would do it.
    """

    side: str
    task: str
    folder: str
    manifest: dict[str, Any]
    config: dict[str, Any]
    device: str
    batches: list[list[Any]]
    encoded: bool = False
    notes: list[str] = field(default_factory=list)
