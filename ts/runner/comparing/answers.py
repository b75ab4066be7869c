"""How two answers to one request differ."""

from __future__ import annotations

from typing import Any

import numpy as np

from ts.runner.comparing.difference import Difference
from ts.runner.comparing.labelled import compare_detections, compare_probabilities
from ts.runner.comparing.pictures import compare_pictures
from ts.runner.comparing.said import NO_ANSWER, Said
from ts.runner.numbers import array_of
from ts.runner.render import is_detections, is_probabilities

SHORT = 60  # letters of a value


def compare_answers(old: Said, new: Said, tolerance: float) -> Difference:
    """What differs: the status, the content type, or the content.

    Args:
        old: From there.
        new: From here.
        tolerance: Of a number, or of a part of it where it is above 1.
    """
    found = Difference(tolerance)
    if old.status != new.status:
        found.note(f"{in_words(old)} → {in_words(new)}")
        return found
    if old.kind != new.kind:
        found.note(f"content type: {old.kind or 'none'} → {new.kind or 'none'}")
    if old.body != new.body:
        compare_contents(old, new, found)
    return found


def compare_contents(old: Said, new: Said, found: Difference) -> None:
    before, after = old.response, new.response
    if old.status != 200 and old.message != new.message:
        found.note(f"{in_words(old)} → {in_words(new)}")
    elif isinstance(before, bytes) and isinstance(after, bytes):
        compare_pictures(before, after, found)
    elif is_probabilities(before) and is_probabilities(after):
        compare_probabilities(before, after, found)
    elif is_detections(before) and is_detections(after):
        compare_detections(before, after, found)
    else:
        compare_values(before, after, "", found)


def compare_values(old: Any, new: Any, place: str, found: Difference) -> None:
    """Compares JSON values of any form.

    Args:
        place: Where they stand, as `.outputs[0]`.
    """
    arrays = array_of(old), array_of(new)
    if arrays[0] is not None and arrays[1] is not None:
        compare_arrays(arrays[0], arrays[1], place, found)
    elif isinstance(old, dict) and isinstance(new, dict):
        if old.keys() != new.keys():
            found.note(f"{place or 'keys'}: {short(list(old))} → {short(list(new))}")
        for key in (key for key in old if key in new and not is_request_id(key, old)):
            compare_values(old[key], new[key], f"{place}.{key}", found)
    elif isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            found.note(f"{place or 'a list'}: {len(old):,} items → {len(new):,}")
        for index, pair in enumerate(zip(old, new)):
            compare_values(*pair, f"{place}[{index}]", found)
    elif type(old) is not type(new) or old != new:
        found.note(f"{place}: {short(old)} → {short(new)}".removeprefix(": "))


def compare_arrays(old: np.ndarray, new: np.ndarray, place: str, found: Difference) -> None:
    if old.shape != new.shape:
        found.note(f"{place or 'numbers'}: {sizes(old)} → {sizes(new)}")
    elif is_class_map(old) and is_class_map(new):
        other = old[..., 0] != new[..., 0]
        found.classes(other)
        found.numbers(old[..., 1][~other], new[..., 1][~other])
    else:
        found.numbers(old, new)


def is_class_map(array: np.ndarray) -> bool:
    """Whether it is what segmenters answer: [height, width, 2], of each pixel the class and its probability."""
    return array.ndim == 3 and array.shape[2] == 2 and bool(np.all(array[..., 0] == np.floor(array[..., 0])))


def is_request_id(key: str, answer: dict[str, Any]) -> bool:
    """Whether it is the id of a request, which answers of KServe's v2 protocol repeat."""
    return key == "id" and "outputs" in answer


def sizes(array: np.ndarray) -> str:
    return f"{' x '.join(map(str, array.shape))} values" if array.shape else "a number"


def in_words(said: Said) -> str:
    """The status, and what an error says."""
    if said.status == 200:
        return "200"
    message = short(said.message) if said.status != NO_ANSWER else ""
    status = str(said.status) if said.status != NO_ANSWER else "no answer"
    return " ".join(filter(None, [status, message, f"({said.why})" if said.why else ""]))


def short(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= SHORT else f"{text[:SHORT]}..."
