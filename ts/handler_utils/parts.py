"""What a handler is made of beside its hooks: objects behind one private attribute.

A handler shares its namespace with everybody's subclasses, in which any name may stand for anything. So all that
the library keeps of a handler, and does for it, is in parts, objects of classes of their own, and the handler has
one attribute for all of them. A part knows its handler, and of it only the names that torchserve's handlers have
too, and the few that the documentation lists. The handler's hooks reach a part by its class:

    class VisionHandler(BaseHandler):
        def preprocess(self, data):
            return ImageBatches.of(self).read(data)
"""

from __future__ import annotations

import copy
from typing import Any, TypeVar

ATTRIBUTE = "_torchserve_handlers"

Kind = TypeVar("Kind", bound="Part")


class Part:
    """A part of one handler.

    Attributes:
        handler: the handler.
    """

    def __init__(self, handler: Any) -> None:
        self.handler = handler

    @classmethod
    def of(cls: type[Kind], handler: Any) -> Kind:
        """The handler's own part of this class, made when it is first asked for.

        A shallow copy of a handler has copies of its parts: what is written into one is not seen by the other.
        """
        parts = vars(handler).get(ATTRIBUTE)
        if not (isinstance(parts, _Parts) and parts.handler is handler):
            parts = vars(handler)[ATTRIBUTE] = _Parts(handler, parts)
        part = parts.get(cls)
        if part is None:
            part = parts[cls] = cls(handler)
        return part


class _Parts(dict[type, Any]):
    """The parts of a handler, by their classes."""

    def __init__(self, handler: Any, originals: Any) -> None:
        super().__init__()
        self.handler = handler
        for kind, original in originals.items() if isinstance(originals, _Parts) else ():
            self[kind] = copy.copy(original)
            self[kind].handler = handler


def has_parts(handler: Any) -> bool:
    """Whether a handler is made of parts, as this library's `BaseHandler` is."""
    return hasattr(type(handler), ATTRIBUTE)
