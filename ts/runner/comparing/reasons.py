"""Why answers differ by intent: the rows of the table in docs/migrating.md, each with how it is told."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Callable, Optional

from PIL import Image

from ts.runner.comparing.difference import Difference
from ts.runner.comparing.pictures import opened
from ts.runner.comparing.said import Said
from ts.runner.numbers import array_of
from ts.runner.render import is_probabilities
from ts.runner.serving.requests import Call

ORIENTATION = 0x0112  # of EXIF 2.32, table 4
UPRIGHT = 1
OF_DECODERS = 0.02  # that probabilities differ by at most where pixels differ by 1 of 255
NUMBERED = re.compile(r" \(\d+\)$")


@dataclass
class Case:
    """Two answers that differ, and what was asked.

    Attributes:
        rows: How many requests were in the batch.
        alone: What the old side says to the same request alone.
        has_settings: Whether the archive has settings that only this library reads.
    """

    call: Call
    old: Said
    new: Said
    found: Difference
    rows: int
    alone: Said
    has_settings: bool

    @cached_property
    def picture(self) -> Optional[Image.Image]:
        return opened(self.call.parts[0].content) if self.call.parts else None

    @property
    def failed_there(self) -> bool:
        return self.old.status >= 500


@dataclass(frozen=True)
class Reason:
    """A row of the table.

    Attributes:
        anchor: Of the row.
        text: In a few words.
        holds: Whether a case is of it.
    """

    anchor: str
    text: str
    holds: Callable[[Case], bool]


def why(case: Case) -> Optional[Reason]:
    """The reason that is known for a difference; None if it is not by intent."""
    return next((reason for reason in REASONS if reason.holds(case)), None)


def a_batch_failed(case: Case) -> bool:
    return case.rows > 1 and case.failed_there and (case.alone.status == 200 or case.new.status < 500)


def only_the_first_text(case: Case) -> bool:
    return a_batch_failed(case) and "batch response mismatched" in case.old.message


def is_turned(case: Case) -> bool:
    return bool(case.picture and case.picture.getexif().get(ORIENTATION, UPRIGHT) != UPRIGHT)


def is_converted(case: Case) -> bool:
    return bool(case.picture and case.picture.mode != "RGB")


def has_softmax(case: Case) -> bool:
    """Whether the old probabilities are the softmax of the new ones: then their logarithms differ as those do."""
    old, new = case.old.response, case.new.response
    if not (is_probabilities(old) and is_probabilities(new)) or len(old.keys() & new.keys()) < 2:
        return False
    (first, *others) = sorted(old.keys() & new.keys(), key=old.__getitem__, reverse=True)
    if min(old[name] for name in (first, *others)) <= 0:
        return False
    gaps = [(math.log(old[first] / old[name]), new[first] - new[name]) for name in others]
    return all(math.isclose(*gap, abs_tol=1e-3) for gap in gaps) and gaps[-1][1] > 1e-2


def has_numbered_labels(case: Case) -> bool:
    """Whether labels differ only by the number of the class behind them."""
    old, new = set(strings(case.old.response)), set(strings(case.new.response))
    return new != old and {NUMBERED.sub("", name) for name in new} == old


def strings(value: Any) -> Iterator[str]:
    items = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    for item in items:
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            yield from strings(item)


def has_larger_mask(case: Case) -> bool:
    old, new = array_of(case.old.response), array_of(case.new.response)
    return old is not None and new is not None and old.ndim == new.ndim == 3 and old.shape < new.shape


def is_of_decoders(case: Case) -> bool:
    """Whether a JPEG's pixels, resized by other code, can be the whole difference."""
    is_jpeg = bool(case.picture and case.picture.format == "JPEG")
    found = case.found
    return is_jpeg and found.largest <= OF_DECODERS and 0 < found.largest + found.share <= 2 * OF_DECODERS


def has_type_only_here(case: Case) -> bool:
    """Whether nothing else differs, and the old side names no type."""
    return bool(not case.old.kind and case.new.kind and len(case.found.how) == 1)


def has_nan(case: Case) -> bool:
    return case.new.status >= 500 and b"NaN" in case.old.body


REASONS = (  # the first that holds is told
    Reason("texts", "torchserve 0.12 classifies only the first text of a batch", only_the_first_text),
    Reason("batch", "torchserve 0.12 fails a whole batch for one row", a_batch_failed),
    Reason("nan", "a result with NaN is no valid JSON, and an error here", has_nan),
    Reason(
        "statuses",
        "what a client causes is a 4xx here, not a 503",
        lambda case: case.failed_there and 400 <= case.new.status < 500,
    ),
    Reason(
        "modes",
        "pictures that are not RGB are converted here",
        lambda case: is_converted(case) and case.new.status == 200,
    ),
    Reason(
        "answered",
        "torchserve's own handler fails where this library answers",
        lambda case: case.failed_there and case.new.status == 200,
    ),
    Reason("exif", "turned upright as its EXIF says (`exif: false` turns that off)", is_turned),
    Reason(
        "explanations",
        "explains the request's own top class, not class 0",
        lambda case: case.call.headers.get("explain") == "True",
    ),
    Reason("options", "torchserve 0.12 ignores options of a request", lambda case: len(case.call.parts) > 1),
    Reason("softmax", "the model ends in a softmax, and 0.12 takes another", has_softmax),
    Reason("labels", "classes of one label are told apart by their numbers", has_numbered_labels),
    Reason("types", "answers in JSON name their type here", has_type_only_here),
    Reason("jpeg", "JPEGs are resized by other code (`decoder: pillow` has 0.12's)", is_of_decoders),
    Reason(
        "settings",
        "settings under `handler:` are this library's, and 0.12 ignores them",
        lambda case: case.has_settings,
    ),
    Reason("masks", "masks have the input's size", has_larger_mask),
)
