"""A stand-in for a handler: what it has read is the handler's, and what it has not is its own."""

from __future__ import annotations

from typing import Any

import pytest

from ts.handler_utils.worker import attributes_of, worker_for


class Handler:
    of_the_class = 1

    def __init__(self) -> None:
        self.count = 0
        self.seen: list[int] = []
        self._size = 3

    @property
    def size(self) -> int:
        return self._size

    @size.setter
    def size(self, value: int) -> None:
        self._size = value

    def me(self) -> Any:
        return self


@pytest.fixture
def handler() -> Handler:
    return Handler()


def test_what_is_written_without_having_been_read_is_a_stand_ins_own(handler: Handler) -> None:
    first, second = worker_for(handler), worker_for(handler)
    first.names, second.names = ["a"], ["b"]
    assert (first.names, second.names) == (["a"], ["b"])
    first.names += ["c"]
    assert second.names == ["b"]


def test_what_was_read_first_is_the_handlers(handler: Handler) -> None:
    first, second = worker_for(handler), worker_for(handler)
    first.count += 1
    second.count += 1
    first.seen.append(7)
    first.of_the_class += 1
    assert (handler.count, handler.seen, handler.of_the_class) == (2, [7], 2)
    assert Handler.of_the_class == 1


def test_a_property_is_called_and_a_method_gets_the_stand_in(handler: Handler) -> None:
    worker = worker_for(handler)
    worker.size = 5
    assert worker.size == 5
    assert worker.me() is worker
    assert isinstance(worker, Handler)
    assert type(worker).__name__ == "Handler"


def test_what_is_deleted_is_gone_for_both(handler: Handler) -> None:
    worker = worker_for(handler)
    del worker.count
    assert not hasattr(worker, "count")
    assert not hasattr(handler, "count")


def test_the_attributes_of_a_stand_in_are_its_handlers(handler: Handler) -> None:
    assert attributes_of(worker_for(handler)) is attributes_of(handler) is vars(handler)
