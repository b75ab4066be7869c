"""What hooks that failed have left behind in their handler, and how it is undone."""

from __future__ import annotations

import inspect
import io
import operator
import sys
import sysconfig
from array import array
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, Callable

import numpy as np
import torch

from ts.handler_utils.parts import ATTRIBUTE
from ts.handler_utils.worker import attributes_of

# So many values are looked at before a try: that takes a part of a millisecond, and mostly there are a few dozen.
LIMIT = 10_000

_CONSTANTS = frozenset({int, float, complex, str, bytes, bool, type(None)})
_NO_STATE = (type, ModuleType, FunctionType, MethodType, BuiltinFunctionType)
# Attributes of a handler that are no state of its own: it has them from the library or the server.
_NOT_ITS_OWN = frozenset({ATTRIBUTE, "context", "mapping"})
# Of the standard library's objects these hold what their users put in, in attributes or out of sight.
_HOLDERS = ("queue", "collections", "types", "_thread")
_HIDING = ("multiprocessing", "ctypes", "mmap")
_INSTALLED = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})


class UnknownStateError(Exception):
    """It cannot be told whether something has changed."""


def _is_special(name: str) -> bool:
    return name.startswith("__")


def _is_private(name: str) -> bool:
    return name.startswith("_")


@dataclass(frozen=True)
class _Content:
    """What a container held, and how to read it and to fill it again."""

    read: Callable[[], list[Any]]
    fill: Callable[[list[Any]], None]
    values: list[Any]

    def has_changed(self) -> bool:
        now = self.read()
        return len(now) != len(self.values) or not all(map(operator.is_, now, self.values))


class Snapshot:
    """The state of a handler before its hooks try to answer a batch.

    Looked at are the attributes of the handler, of its classes and of the modules that define these, but for what
    installed packages bring; those that it has given its context; and what lies in lists, dictionaries, sets and
    objects of their own, nested ones too.
    What hooks do elsewhere, in files or in databases, cannot be seen.

    Args:
        handler: a handler of somebody's.
        context: the server's context.

    Raises:
        UnknownStateError: there is too much of it, or some that does not show its state, such as a generator.
    """

    def __init__(self, handler: Any, context: Any) -> None:
        self._contents: dict[int, _Content] = {}
        self._arrays: list[tuple[Any, Any]] = []
        self._looked_at = 0
        self._unseen: list[Any] = []  # rather than recursion, since a handler may hold a linked list
        self._keep_attributes(attributes_of(handler), _NOT_ITS_OWN.__contains__)
        self._keep_attributes(getattr(context, "__dict__", {}), _is_private)  # the server's own are private
        for kind in type(handler).__mro__:
            if not _is_installed(kind.__module__):
                self._keep_class(kind)
                for variables in _global_variables(kind):
                    self._keep_attributes(variables)
        while self._unseen:
            self._look_at(self._unseen.pop())

    def has_changed(self) -> bool:
        """Whether anything is not as it was."""
        return self._arrays_have_changed() or any(
            content.has_changed() for content in self._contents.values()
        )

    def undo(self) -> bool:
        """Puts all as it was; False where an array has changed, which is not kept."""
        if self._arrays_have_changed():
            return False
        for content in self._contents.values():
            if content.has_changed():
                content.fill(content.values)
        return True

    def _arrays_have_changed(self) -> bool:
        return any(_mark(values) != mark for values, mark in self._arrays)

    def _keep(self, container: Any, read: Callable[[], list[Any]], fill: Callable[[list[Any]], None]) -> None:
        if id(container) in self._contents:
            return
        values = read()
        self._contents[id(container)] = _Content(read, fill, values)
        self._looked_at += len(values)
        if self._looked_at > LIMIT:
            raise UnknownStateError(f"it holds more than {LIMIT} values")
        if not set(map(type, values)) <= _CONSTANTS:
            self._unseen.extend(values)

    def _look_at(self, value: Any) -> None:
        kind = type(value)
        if kind in _CONSTANTS or isinstance(value, _NO_STATE) or kind.__module__.startswith("ts."):
            return
        if isinstance(value, dict):
            self._keep(value, lambda: [*value, *value.values()], lambda items: _fill_dict(value, items))
        elif isinstance(value, (list, deque, bytearray)):
            self._keep(value, lambda: list(value), lambda items: _fill(value, value.extend, items))
        elif isinstance(value, set):
            self._keep(value, lambda: list(value), lambda items: _fill(value, value.update, items))
        elif isinstance(value, (tuple, frozenset)):
            self._keep(value, lambda: list(value), lambda _: None)
        elif isinstance(value, (np.ndarray, torch.Tensor, array)):
            self._arrays.append((value, _mark(value)))
        elif isinstance(value, (Iterator, io.IOBase)) or kind.__module__.startswith(_HIDING):
            raise UnknownStateError(f"it holds an object of type {kind.__name__}")
        elif not _is_installed(kind.__module__) or kind.__module__ in _HOLDERS:
            self._look_at_object(value)

    def _look_at_object(self, value: Any) -> None:
        attributes = getattr(value, "__dict__", None)
        if isinstance(value, torch.nn.Module):  # its layers and weights are no state, unless it is trained
            self._keep_attributes(attributes, _is_private)
        elif attributes is not None:
            self._keep_attributes(attributes)
        elif not _is_installed(type(value).__module__):
            raise UnknownStateError(f"it holds an object of type {type(value).__name__}")

    def _keep_attributes(self, attributes: Any, is_left_out: Callable[[str], bool] = _is_special) -> None:
        def read() -> list[Any]:
            names = [name for name in attributes if not (is_left_out(name) or _is_special(name))]
            return [*names, *(attributes[name] for name in names)]

        def fill(items: list[Any]) -> None:
            for name in read()[: len(read()) // 2]:
                del attributes[name]
            attributes.update(_pairs(items))

        self._keep(attributes, read, fill)

    def _keep_class(self, kind: type) -> None:
        def read() -> list[Any]:
            attributes = {name: value for name, value in vars(kind).items() if not _is_special(name)}
            return [*attributes, *attributes.values()]

        def fill(items: list[Any]) -> None:
            for name in set(_pairs(read())) - set(_pairs(items)):
                delattr(kind, name)
            for name, value in _pairs(items).items():
                setattr(kind, name, value)

        self._keep(kind, read, fill)


def _fill(container: Any, add: Callable[[list[Any]], Any], items: list[Any]) -> None:
    container.clear()
    add(items)


def _fill_dict(container: dict[Any, Any], items: list[Any]) -> None:
    dict.clear(container)
    dict.update(container, _pairs(items))  # a Counter's own `update` counts


def _pairs(items: list[Any]) -> dict[Any, Any]:
    half = len(items) // 2
    return dict(zip(items[:half], items[half:]))


def _mark(values: Any) -> Any:
    """What differs once the values of an array or a tensor are others."""
    if isinstance(values, torch.Tensor) and not values.is_inference():
        return values._version
    size = memoryview(values).nbytes if isinstance(values, array) else values.nbytes
    if size > LIMIT:
        raise UnknownStateError(f"it holds an array of {size} bytes")
    return bytes(values.cpu().numpy().tobytes() if isinstance(values, torch.Tensor) else values.tobytes())


def _global_variables(kind: type) -> list[dict[str, Any]]:
    """The variables of the modules that a class's methods are defined in, imported under a name or not."""
    methods = [inspect.unwrap(value) for value in vars(kind).values() if isinstance(value, FunctionType)]
    found = {id(method.__globals__): method.__globals__ for method in methods}
    return [variables for variables in found.values() if not _is_installed(variables.get("__name__", ""))]


@cache
def _is_installed(module: str) -> bool:
    """Whether a module comes with Python, with an installed package, or with this library."""
    if module == "ts" or module.startswith("ts.") or module in sys.builtin_module_names:
        return True
    file = getattr(sys.modules.get(module), "__file__", None)
    return file is not None and file.startswith(_INSTALLED)
