"""Parts of a handler: one of each class, its own, whatever is done to the handler."""

from __future__ import annotations

import copy
from typing import Any

from ts.handler_utils.parts import ATTRIBUTE, Part, has_parts
from ts.torch_handler.base_handler import BaseHandler


class Notes(Part):
    text = ""


class Others(Part):
    pass


def test_a_handler_has_one_part_of_each_class() -> None:
    handler = BaseHandler()
    notes = Notes.of(handler)
    assert Notes.of(handler) is notes
    assert notes.handler is handler
    assert type(Others.of(handler)) is Others
    assert Notes.of(BaseHandler()) is not notes


def test_a_copy_of_a_handler_has_copies_of_its_parts() -> None:
    handler = BaseHandler()
    Notes.of(handler).text = "first"
    other = copy.copy(handler)
    assert Notes.of(other).text == "first"
    assert Notes.of(other).handler is other
    Notes.of(other).text = "second"
    Others.of(other)
    assert Notes.of(handler).text == "first"
    assert Notes.of(handler).handler is handler


def test_a_handler_that_neither_calls_init_nor_keeps_the_attribute_has_parts_too() -> None:
    class Bare(BaseHandler):
        def __init__(self) -> None:
            pass

    handler: Any = Bare()
    Notes.of(handler)
    vars(handler)[ATTRIBUTE] = "somebody's"
    assert Notes.of(handler).handler is handler


def test_handlers_that_are_not_ours_are_told_apart() -> None:
    assert has_parts(BaseHandler())
    assert not has_parts(object())
