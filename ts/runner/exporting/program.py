"""A model as a program of torch.export, with as few fixed sizes as it allows."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

import torch

from ts.runner.answering.model import one_line
from ts.runner.errors import ArchiveError
from ts.runner.exporting.recording import Call

CONSTANTS = (bool, int, float, str, type(None))

# A dimension of an input, by the input's place or name; and its sizes in the two calls that were recorded.
Varying = dict[tuple[Any, int], tuple[int, int]]


@dataclass(frozen=True)
class Program:
    """A model that was exported, and saved.

    Attributes:
        batch: the rows that it takes at once; None for any number.
        fixed: sizes that vary in the handler's inputs, and not in the program, as "H 320": index and size.
    """

    batch: Optional[int]
    fixed: dict[int, int] = field(default_factory=dict)


def export_model(
    model: torch.nn.Module,
    calls: tuple[Call, Call],
    fixed_call: Callable[[], Call],
    save: Callable[[Any], None],
) -> Program:
    """Exports and saves a model: for all sizes that vary, else for any batch size, else for one batch size.

    Args:
        model: on the device that it is exported for.
        calls: two calls of batches that differ in size, which show what varies.
        fixed_call: gives the call of a batch of the size that is wanted if it has to be a fixed one.
        save: writes an exported program.

    Raises:
        ArchiveError: the model cannot be exported; the message says why.
    """
    varying = varying_sizes(*calls)
    batch = {place: sizes for place, sizes in varying.items() if place[1] == 0}
    errors: list[Exception] = []
    for dynamic in (varying, batch) if batch != varying else (varying,):
        try:
            save(_exported(model, calls[0], dynamic))
        except Exception as error:  # torch's are of many kinds
            errors.append(error)
        else:
            return Program(None, {place[1]: varying[place][0] for place in varying if place not in dynamic})
    call = fixed_call()
    try:
        save(_exported(model, call, {}))
    except Exception as error:
        raise ArchiveError(f"the model cannot be exported: {_shortened(one_line(error))}") from error
    sizes = {place[1]: _items(call)[place[0]].shape[place[1]] for place in varying}
    return Program(sizes.pop(0, None), sizes)


def from_torchscript(model: torch.jit.ScriptModule, call: Call) -> torch.nn.Module:
    """A TorchScript model as a module that torch.export takes.

    Raises:
        ArchiveError: this torch cannot convert it.
    """
    advice = "Export it from its Python source: pack that, with its weights, and export the archive."
    try:
        from torch._export.converter import TS2EPConverter
    except ImportError as error:
        raise ArchiveError(
            f"the model is TorchScript, which torch {torch.__version__} cannot convert. {advice}"
        ) from error
    try:
        return TS2EPConverter(model, call.inputs, call.named_inputs or None).convert().module()
    except Exception as error:  # torch's are of many kinds
        reason = _shortened(one_line(error))
        raise ArchiveError(
            f"the model is TorchScript, and torch cannot convert it: {reason}. {advice}"
        ) from error


def varying_sizes(first: Call, second: Call) -> Varying:
    """The sizes that differ between two calls of a model.

    Raises:
        ArchiveError: the calls differ in more than sizes, or have inputs that torch.export fixes.
    """
    old, new = _items(first), _items(second)
    for item in [*old.values(), *new.values()]:
        if not isinstance(item, (torch.Tensor, *CONSTANTS)):
            raise ArchiveError(
                f"the handler calls its model with a {type(item).__name__}, of which torch.export would fix the"
                " length: only models whose inputs are tensors can be exported"
            )
    shapes = [{key: _shape(item) for key, item in items.items()} for items in (old, new)]
    if [(key, len(shape)) for key, shape in shapes[0].items()] != [
        (key, len(shape)) for key, shape in shapes[1].items()
    ]:
        raise ArchiveError("the handler calls its model with inputs that differ by more than their sizes")
    return {
        (key, index): (size, shapes[1][key][index])
        for key, shape in shapes[0].items()
        for index, size in enumerate(shape)
        if size != shapes[1][key][index]
    }


def _items(call: Call) -> dict[Any, Any]:
    return {**dict(enumerate(call.inputs)), **call.named_inputs}


def _shape(item: Any) -> tuple[int, ...]:
    return tuple(item.shape) if isinstance(item, torch.Tensor) else ()


def _exported(model: torch.nn.Module, call: Call, dynamic: Varying) -> Any:
    # Sizes that are the same in both calls are taken to be one: a batch's inputs all have its rows.
    dims = {
        sizes: torch.export.Dim(f"size_{i}", min=1) for i, sizes in enumerate(sorted(set(dynamic.values())))
    }
    specs: dict[Any, Any] = {}
    for (key, index), sizes in dynamic.items():
        specs.setdefault(key, {})[index] = dims[sizes]
    shapes = _dynamic_shapes(model, call, specs) if dims else None
    program = torch.export.export(model, call.inputs, call.named_inputs, dynamic_shapes=shapes, strict=False)
    _forget_examples(program)
    return program


def _dynamic_shapes(model: torch.nn.Module, call: Call, specs: Mapping[Any, Any]) -> Any:
    by_place = tuple(specs.get(index) for index in range(len(call.inputs)))
    if not call.named_inputs:
        return by_place
    names = list(inspect.signature(model.forward).parameters)
    return {**dict(zip(names, by_place)), **{name: specs.get(name) for name in call.named_inputs}}


def _forget_examples(program: Any) -> None:
    """Whose photo the model was exported with is nobody's business."""
    inputs, named = program.example_inputs
    blank = tuple(_blank(item) for item in inputs), {name: _blank(item) for name, item in named.items()}
    program._example_inputs = blank


def _blank(item: Any) -> Any:
    return torch.zeros_like(item) if isinstance(item, torch.Tensor) else item


def _shortened(text: str, longest: int = 400) -> str:
    return text if len(text) <= longest else f"{text[:longest]}..."
