"""A model whose place OpenVINO takes, and what it answers to sample inputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional

import torch

from ts.handler_utils.models.openvino.conversion import CannotConvertError, engine_of, refusal
from ts.handler_utils.models.openvino.signature import Output, Signature

Tensors = Sequence[torch.Tensor]


@dataclass(frozen=True)
class Source:
    """A model of torch's, or of onnxruntime's, and where its conversion may lie.

    Attributes:
        model: on the CPU, in evaluation.
        call: calls it.
        precision: what OpenVINO is to compute in; None for float32.
        files: the folder of its archive; None where it has none.
        facts: what changes the model beside these files, such as settings.
        is_data: whether it follows from the files alone, since no code of an archive or of a subclass makes it:
            then what was compared once need not be again.
        part: the module's name, where it is one of the archive's model, and not all of it.
    """

    model: Any
    call: Callable[..., Any]
    precision: Optional[str] = None
    files: Optional[Path] = None
    facts: Any = None
    is_data: bool = False
    part: Optional[str] = None

    @property
    def engine(self) -> str:
        """What computes it, but for OpenVINO."""
        return engine_of(self.model)


def samples(source: Source, signature: Signature, tensors: Tensors) -> Iterator[tuple[Tensors, Output]]:
    """Inputs with the model's outputs, made when asked for: a row of a call, if it has rows, then the call.

    Of a call of one row, first the call, then the row twice. At the end other values, but of a part: torch.fx has
    shown that no value makes it branch.
    """
    rows = {len(tensor) if tensor.dim() else 0 for tensor in tensors}
    calls = [tensors]
    if rows == {1}:
        calls = [tensors, [torch.cat([tensor, tensor]) for tensor in tensors]]
    elif len(rows) == 1 and rows != {0}:
        calls = [[tensor[:1] for tensor in tensors], tensors]
    if source.part is None and all(tensor.is_floating_point() for tensor in tensors):
        calls += [[scale * tensor.flip(-1) for tensor in tensors] for scale in (0.5, -2, 4)]
    for given in calls:
        try:
            yield given, answer_of(source, signature, given)
        except CannotConvertError:
            raise
        except Exception:  # of other calls than the one that is made: the first sizes need not be the rows'
            if given is tensors:
                raise


def answer_of(source: Source, signature: Signature, tensors: Tensors) -> Output:
    """What the model returns, if it is a function of tensors.

    Raises:
        CannotConvertError: it changes what it is called with, or returns other things.
    """
    copies = [tensor.clone() for tensor in tensors]  # a model that changes them is to do so once
    args, kwargs = signature.arguments(copies)
    output = Output(source.call(*args, **kwargs))
    if not all(map(_are_equal, tensors, copies)):
        raise refusal(source.model, "it changes the tensors that it is called with")
    problem = output.problem
    if problem is not None:
        raise refusal(source.model, problem)
    return output


def _are_equal(tensor: torch.Tensor, other: torch.Tensor) -> bool:
    return bool(((tensor == other) | ((tensor != tensor) & (other != other))).all())  # NaN is not NaN


def marks(model: Any) -> list[Any]:
    """What changes where a model is changed: the places and versions of its tensors, its modes and its hooks."""
    if not isinstance(model, torch.nn.Module):
        return []
    try:
        tensors = [*model.parameters(), *model.buffers()]
        return [
            [(tensor.data_ptr(), tensor._version) for tensor in tensors],
            [getattr(module, "training", None) for module in model.modules()],  # frozen TorchScript has none
            has_hooks(model),
        ]
    except RuntimeError:  # tensors that were made in inference mode have no versions
        return [has_hooks(model)]


class Attributes:
    """Numbers and texts that a model's modules have, but for those that it sets by itself when it is called.

    Args:
        model: before it is called.
    """

    def __init__(self, model: Any) -> None:
        self._model, self._own = model, set[Any]()
        self._found = self._now()

    def _now(self) -> dict[Any, Any]:
        modules = self._model.modules() if isinstance(self._model, torch.nn.Module) else ()
        return {
            (place, name): value
            for place, module in enumerate(modules)
            for name, value in vars(module).items()
            if isinstance(value, (bool, int, float, str))
        }

    def _changed(self, now: dict[Any, Any]) -> set[Any]:
        return {key for key, _ in now.items() ^ self._found.items()}

    def note_calls(self) -> None:
        """What has changed by now the model has set by itself."""
        now = self._now()
        self._own |= self._changed(now)
        self._found = now

    def are_same(self) -> bool:
        """Whether nobody else has set any of them."""
        return self._changed(self._now()) <= self._own


def has_hooks(model: Any) -> bool:
    """Whether something is to be told when a module is called, or one inside of it."""
    modules = model.modules() if isinstance(model, torch.nn.Module) else ()
    return any(module._forward_hooks or module._forward_pre_hooks for module in modules)


class Range:
    """Of the inputs that were compared the smallest and largest sizes, and of whole numbers the values."""

    def __init__(self, *calls: Tensors) -> None:
        self._bounds: list[tuple[int, int]] = []
        for tensors in calls:
            self.add(tensors)

    def add(self, tensors: Tensors) -> None:
        found = _extents(tensors)
        before = self._bounds or found
        self._bounds = [(min(low, its), max(high, top)) for (low, high), (its, top) in zip(before, found)]

    def holds(self, tensors: Tensors) -> bool:
        """Whether inputs lie within."""
        pairs = zip(self._bounds, _extents(tensors))
        return bool(self._bounds) and all(low <= its and top <= high for (low, high), (its, top) in pairs)


def _extents(tensors: Tensors) -> list[tuple[int, int]]:
    """The least and the greatest of each size, and of each tensor of whole numbers, such as indexes of words."""
    sizes = [(size, size) for tensor in tensors for size in tensor.shape]
    whole = [tensor for tensor in tensors if not tensor.is_floating_point() and tensor.numel()]
    return sizes + [(int(tensor.min()), int(tensor.max())) for tensor in whole]


def sizes_of(tensors: Tensors) -> tuple[torch.Size, ...]:
    """The sizes of inputs, but for their rows."""
    return tuple(tensor.shape[1:] for tensor in tensors)
