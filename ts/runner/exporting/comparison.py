"""Whether two archives give the same answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np
import torch

from ts.runner.answering.answer import Answer
from ts.runner.answering.model import Model
from ts.runner.answering.payload import Input
from ts.runner.exporting.recording import recorded_outputs
from ts.runner.numbers import apart, array_of

TOLERANCE = 1e-4  # of a number, or of its magnitude where that is above 1


@dataclass(frozen=True)
class Comparison:
    """What two archives say to the same inputs.

    Attributes:
        answers: how many answers were compared.
        largest: the largest difference between two numbers, as a part of the number if that is above 1.
        problem: how they differ, a sentence; None where they do not.
    """

    answers: int
    largest: float
    problem: Optional[str]


@dataclass(frozen=True)
class Said:
    """What an archive said: the answers, and what `inference` returned for each batch."""

    answers: list[Answer]
    outputs: list[Any]


def ask(model: Model, inputs: Sequence[Input]) -> Said:
    """Asks an archive with each input alone, and with all of them in one batch."""
    with recorded_outputs(model.handler) as outputs:
        answers = model.predict(inputs, batch_size=1) + model.predict(inputs, batch_size=len(inputs))
    return Said(answers, outputs)


def compare(before: Said, after: Said, tolerance: float = TOLERANCE) -> Comparison:
    """Compares the answers, and what the models returned for them.

    Args:
        before, after: what was said.
        tolerance: of a number, or of its magnitude where that is above 1.
    """
    try:
        pairs = list(zip(_values(before), _values(after)))
        differences = [item for old, new in pairs for item in _differences(old, new)]
    except _OtherForm as other:
        return Comparison(len(before.answers), float("inf"), str(other))
    largest = max(differences, default=0.0)
    problem = None if largest <= tolerance else f"numbers differ by up to {largest:.2g}"
    return Comparison(len(before.answers), largest, problem)


class _OtherForm(Exception):
    """Two values that are not numbers, and differ."""


def _values(said: Said) -> list[Any]:
    # A batch that a model failed on is asked again in parts: then there are more outputs.
    answers = [[answer.status, answer.response] for answer in said.answers]
    return [*answers, ["batches", len(said.outputs)], *map(_plain, said.outputs)]


def _plain(output: Any) -> Any:
    """A model's output as lists, dictionaries and arrays."""
    if isinstance(output, torch.Tensor):
        return output.detach().cpu().double().numpy()
    if isinstance(output, tuple) and len(output) == 2 and output[0] == {}:
        output = output[1]  # a detector of torchvision that was scripted returns losses before its detections
    if isinstance(output, Mapping):
        return {name: _plain(item) for name, item in output.items()}
    return [_plain(item) for item in output] if isinstance(output, (list, tuple)) else output


def _differences(old: Any, new: Any) -> Iterator[float]:
    """The differences between the numbers of two values of the same form.

    Raises:
        _OtherForm: they are not of the same form.
    """
    old_numbers, new_numbers = _array(old), _array(new)
    if old_numbers is not None and new_numbers is not None and old_numbers.shape == new_numbers.shape:
        yield float(apart(old_numbers.astype(float), new_numbers.astype(float)).max(initial=0.0))
    elif isinstance(old, dict) and isinstance(new, dict) and set(old) == set(new):
        for key in old:
            yield from _differences(old[key], new[key])
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for pair in zip(old, new):
            yield from _differences(*pair)
    elif type(old) is not type(new) or isinstance(old, np.ndarray) or old != new:
        raise _OtherForm(f"there {_short(old)} was answered, and here {_short(new)}")


def _array(value: Any) -> Optional[np.ndarray]:
    return value if isinstance(value, np.ndarray) else array_of(value, booleans=True)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}..."
