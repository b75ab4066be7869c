"""Stand-ins for a handler, by which several threads pass micro batches through its hooks at the same time."""

from __future__ import annotations

from functools import cache
from typing import Any

from ts.handler_utils.parts import ATTRIBUTE


class Worker:
    """A stand-in for a handler: its hooks are the handler's, and called with the stand-in as `self`.

    What a hook writes without having read it is the micro batch's own, such as the names of its rows. What it has
    read first, such as a counter, is the handler's, and so is whatever its attributes hold.
    """

    def __init__(self, handler: Any) -> None:
        own = object.__getattribute__(self, "__dict__")
        own["__shared__"], own["__read__"] = vars(handler), set()
        if ATTRIBUTE in vars(handler):
            own[ATTRIBUTE] = vars(handler)[ATTRIBUTE]

    def __getattribute__(self, name: str) -> Any:
        own = object.__getattribute__(self, "__dict__")
        if name in own:
            return own[name]
        kind: Any = object.__getattribute__(self, "__class__")
        if name[:2] == "__" or _is_descriptor(kind, name):
            return super().__getattribute__(name)
        own["__read__"].add(name)
        shared = own["__shared__"]
        return shared[name] if name in shared else super().__getattribute__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        kind: Any = type(self)
        if _is_descriptor(kind, name):
            super().__setattr__(name, value)
            return
        own = vars(self)
        if name in own or name not in own["__read__"]:
            own[name] = value
        own["__shared__"][name] = value

    def __delattr__(self, name: str) -> None:
        vars(self).pop(name, None)
        vars(self)["__shared__"].pop(name, None)


def worker_for(handler: Any) -> Any:
    """A stand-in for a handler, for one micro batch."""
    kind: Any = type(handler)
    return _worker_class(kind)(handler)


def attributes_of(handler: Any) -> dict[str, Any]:
    """The attributes of a handler; of a stand-in, those of the handler that it stands for."""
    return vars(handler)["__shared__"] if isinstance(handler, Worker) else vars(handler)


@cache
def _worker_class(kind: Any) -> Any:
    names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__init__": Worker.__init__}
    return type(kind.__name__, (Worker, kind), names)


@cache
def _is_descriptor(kind: Any, name: str) -> bool:
    """Whether a class has a property of a name, or alike, which says itself how it is read and set."""
    found = next((vars(base)[name] for base in kind.__mro__ if name in vars(base)), None)
    return hasattr(type(found), "__set__")
