"""Models that take batches of certain sizes only, called with batches of any size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Callable

import torch


@dataclass(frozen=True)
class BatchLimits:
    """The sizes of batches that a model takes.

    Attributes:
        minimum: rows of the smallest batch.
        maximum: rows of the largest one; None for any.
    """

    minimum: int = 1
    maximum: int | None = None

    @classmethod
    def fixed(cls, rows: int) -> BatchLimits:
        return cls(rows, rows)

    def allow(self, rows: int) -> bool:
        return self.minimum <= rows and (self.maximum is None or rows <= self.maximum)


class ChunkedModel:
    """Calls a model by batches of the sizes that it takes. All else is the model's.

    Args:
        model: takes tensors whose first dimension is the rows', and returns tensors with that first dimension:
            one, or some in a dictionary, list or tuple, or a list with one dictionary a row, as detectors do.
        limits: the sizes of batches that it takes.
    """

    def __init__(self, model: Any, limits: BatchLimits) -> None:
        self.model = model
        self.limits = limits

    def __call__(self, *inputs: torch.Tensor, **named_inputs: torch.Tensor) -> Any:
        """Runs the model on a batch of any size: in chunks, the last one padded and the padding's answers dropped.

        Raises:
            ValueError: the model's output cannot be told apart by rows.
        """
        return run_in_chunks(self.model, self.limits, inputs, named_inputs)

    def __getattr__(self, name: str) -> Any:
        if name == "model":  # while it is copied or unpickled, there is none yet
            raise AttributeError(name)
        return getattr(self.model, name)


def run_in_chunks(
    model: Callable[..., Any], limits: BatchLimits, inputs: tuple[Any, ...], named_inputs: Mapping[str, Any]
) -> Any:
    """Runs a model on a batch, in as many chunks as its limits ask for.

    Inputs that are not all tensors of the same number of rows go to the model as they are.
    """
    rows = _shared_rows([*inputs, *named_inputs.values()])
    if rows is None or limits.allow(rows):
        return model(*inputs, **named_inputs)
    outputs = []
    for start, stop in _spans(rows, limits):
        size = max(stop - start, limits.minimum)
        parts = [_chunk(item, start, stop, size) for item in inputs]
        named_parts = {name: _chunk(item, start, stop, size) for name, item in named_inputs.items()}
        outputs.append(_first_rows(model(*parts, **named_parts), stop - start, size))
    return outputs[0] if len(outputs) == 1 else _joined(outputs)


def _shared_rows(inputs: list[Any]) -> int | None:
    sizes = {len(item) if isinstance(item, torch.Tensor) and item.dim() else None for item in inputs}
    return sizes.pop() if len(sizes) == 1 else None


def _spans(rows: int, limits: BatchLimits) -> Iterator[tuple[int, int]]:
    size = limits.maximum or max(rows, 1)
    return ((start, min(start + size, rows)) for start in range(0, max(rows, 1), size))


def _chunk(batch: torch.Tensor, start: int, stop: int, size: int) -> torch.Tensor:
    """Some rows of a batch, and behind them the last of them again, up to `size` rows."""
    chunk = batch[start:stop]
    missing = size - len(chunk)
    if not missing:
        return chunk
    padding = chunk[-1:] if len(chunk) else chunk.new_zeros((1, *chunk.shape[1:]))
    return torch.cat([chunk, padding.expand(missing, *padding.shape[1:])])


def _first_rows(output: Any, rows: int, size: int) -> Any:
    """The answers of the first rows of a batch of `size` rows."""
    if isinstance(output, torch.Tensor):
        if not output.dim() or len(output) != size:
            raise ValueError(
                f"The model takes batches of {size}, but its output of shape {list(output.shape)} cannot be told"
                " apart by rows: export it with a dynamic batch dimension"
            )
        return output[:rows]
    if isinstance(output, Mapping):
        return {name: _first_rows(item, rows, size) for name, item in output.items()}
    if _is_a_row_each(output) and len(output) == size:
        return output[:rows]
    return _like(output, [_first_rows(item, rows, size) for item in output])


def _joined(outputs: list[Any]) -> Any:
    first = outputs[0]
    if isinstance(first, torch.Tensor):
        return torch.cat(outputs)
    if isinstance(first, Mapping):
        return {name: _joined([output[name] for output in outputs]) for name in first}
    if _is_a_row_each(first):
        return [row for output in outputs for row in output]
    return _like(first, [_joined(list(items)) for items in zip(*outputs)])


def _is_a_row_each(output: Any) -> bool:
    """Whether it is a detector's: a list of dictionaries."""
    return isinstance(output, (list, tuple)) and all(isinstance(item, Mapping) for item in output)


def _like(sequence: Any, items: list[Any]) -> Any:
    """A list, a tuple or a named tuple, as `sequence` is."""
    if hasattr(sequence, "_fields"):
        return type(sequence)(*items)
    return tuple(items) if isinstance(sequence, tuple) else items
