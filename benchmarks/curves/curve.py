"""What a curve is: one thing that grows, and the contenders that are timed at each of its values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

from benchmarks.cases import Contender
from benchmarks.inputs import Inputs
from benchmarks.models import Unpacked

INSTALLED = "installed"  # the side of a contender that has this process's own `sys.path`


@dataclass(frozen=True)
class Point:
    """One value of what grows.

    Attributes:
        x: the value.
        archive: what answers.
        batch: the rows of a call.
        processes: that answer such calls at the same time.
    """

    x: float
    archive: Unpacked
    batch: list[Any]
    processes: int = 1


Draw = Callable[[tuple[float, ...], Inputs, Path, int], list[Point]]


@dataclass(frozen=True)
class Curve:
    """What grows, and who is timed.

    Attributes:
        name: for `--only`, and the name of its plot.
        title: of its plot and table.
        x: what grows, and its unit.
        xs: its values, ascending.
        draw: makes the points: `draw(xs, inputs, folder, seed)`.
        contenders: torchserve's own handler first, where it can do it.
        unit: of the rows.
        encoded: whether the server's encoding of answers counts.
        lives: whether a call is the whole life of a process, from its start to its first answer.
        alone: whether contenders are timed one after the other, since their processes together are too many.
        reasons: by a contender's name, why its time may grow faster than what grows.
    """

    name: str
    title: str
    x: str
    xs: tuple[float, ...]
    draw: Draw
    contenders: tuple[Contender, ...]
    unit: str = "images"
    encoded: bool = False
    lives: bool = False
    alone: bool = False
    reasons: Mapping[str, str] = field(default_factory=dict)
