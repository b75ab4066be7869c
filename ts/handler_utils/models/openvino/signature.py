"""The form of a model's call: which of its arguments are tensors, and of what kinds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Optional

import torch
from torch.utils import _pytree as pytree

_CONSTANTS = (bool, int, float, str, type(None))


@dataclass(frozen=True)
class Signature:
    """A form of calls.

    Attributes:
        spec: how the arguments are nested.
        constants: the arguments that are no tensors; None in the place of each that is.
        kinds: of each tensor its type and its number of dimensions.
    """

    spec: Any
    constants: tuple[Any, ...]
    kinds: tuple[tuple[torch.dtype, int], ...]

    @property
    def name(self) -> str:
        """What tells this form from others, as text."""
        kinds = ", ".join(f"{kind}[{dimensions}]" for kind, dimensions in self.kinds)
        return f"{pytree.treespec_pprint(self.spec)} {self.constants} {kinds}"

    @property
    def has_lists(self) -> bool:
        """Whether one of the arguments is a list or a tuple."""
        args, kwargs = pytree.tree_unflatten(list(self.constants), self.spec)
        return any(isinstance(value, (list, tuple)) for value in [*args, *kwargs.values()])

    def arguments(self, tensors: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments of a call of this form."""
        given = iter(tensors)
        leaves = [next(given) if value is _TENSOR else value for value in self.constants]
        args, kwargs = pytree.tree_unflatten(leaves, self.spec)
        return args, kwargs


class _Tensor:
    """Stands for a tensor among the arguments of a call."""

    def __repr__(self) -> str:
        return "tensor"


_TENSOR = _Tensor()


def taken_apart(
    args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Optional[Signature], list[torch.Tensor]]:
    """The form of a call, and its tensors; no form of one with arguments of other kinds."""
    leaves, spec = pytree.tree_flatten((args, kwargs))
    tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
    if not all(isinstance(leaf, _CONSTANTS) for leaf in leaves if not _is_plain(leaf)):
        return None, tensors
    constants = tuple(_TENSOR if isinstance(leaf, torch.Tensor) else leaf for leaf in leaves)
    return Signature(spec, constants, tuple((item.dtype, item.dim()) for item in tensors)), tensors


def _is_plain(value: Any) -> bool:
    """Whether it is a tensor that lies in memory number by number."""
    if not isinstance(value, torch.Tensor) or value.layout != torch.strided:
        return False
    return not (value.is_quantized or value.is_nested or value.is_complex())


class Output:
    """How a model's output is nested, around the tensors in it."""

    def __init__(self, output: Any) -> None:
        self._leaves, self._spec = pytree.tree_flatten(output)

    @classmethod
    def of_text(cls, text: Any) -> Optional[Output]:
        """The output of which `text` tells; None where it cannot be read."""
        with suppress(Exception):
            kinds, form = json.loads(text)
            leaves = [torch.empty(0, dtype=getattr(torch, kind)) for kind in kinds]
            return cls(pytree.tree_unflatten(leaves, pytree.treespec_loads(form)))
        return None

    @property
    def text(self) -> Optional[str]:
        """How it is nested, for `of_text`; None where more is in it than tensors, or it has a form of its own."""
        if self.has_tensors_only:
            kinds = [str(tensor.dtype).removeprefix("torch.") for tensor in self.tensors]
            with suppress(Exception):
                return json.dumps([kinds, pytree.treespec_dumps(self._spec)])
        return None

    @property
    def has_tensors_only(self) -> bool:
        return len(self.tensors) == len(self._leaves)

    @property
    def problem(self) -> Optional[str]:
        """Why OpenVINO cannot return it: a part of a sentence; None where it can."""
        strange = [leaf for leaf in self._leaves if not isinstance(leaf, (torch.Tensor, *_CONSTANTS))]
        if strange:
            return (
                f"it returns a {type(strange[0]).__name__}, and not tensors in lists, tuples and dictionaries"
            )
        return None if self.tensors else "it returns no tensors"

    def is_like(self, other: Output) -> bool:
        """Whether another output differs by the numbers of tensors alone."""
        pairs = zip(self._leaves, other._leaves)
        return self._spec == other._spec and all(
            isinstance(its, torch.Tensor) if isinstance(leaf, torch.Tensor) else leaf == its
            for leaf, its in pairs
        )

    @property
    def tensors(self) -> list[torch.Tensor]:
        return [leaf for leaf in self._leaves if isinstance(leaf, torch.Tensor)]

    def filled(self, tensors: Sequence[torch.Tensor]) -> Any:
        """An output of this form, of other tensors."""
        given = iter(tensors)
        leaves = [
            next(given).to(leaf.dtype) if isinstance(leaf, torch.Tensor) else leaf for leaf in self._leaves
        ]
        return pytree.tree_unflatten(leaves, self._spec)
