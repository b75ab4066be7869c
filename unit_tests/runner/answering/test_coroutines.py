"""Handlers with `async def handle`."""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable

import pytest

from ts.runner import Model, load_archive

ASYNC = """
import asyncio

class Handler:
    def initialize(self, context):
        self.loops = []

    async def handle(self, data, context):
        await asyncio.sleep(0)
        self.loops.append(asyncio.get_running_loop())
        if data[0]["body"] == b"raise":
            raise ValueError("boom")
        return [[len(self.loops), len(set(self.loops))]]
"""
SYNC = ASYNC.replace("async def", "def").replace("await ", "")
ASKED = {"own.py": ASYNC, "c.yaml": "asyncCommunication: true"}


@pytest.fixture
def model(build: Callable[..., Path]) -> Iterator[Model]:
    with load_archive(build("own.py", ASKED, configFile="c.yaml"), device="cpu") as model:
        yield model


def responses(model: Model) -> list[Any]:
    return [answer.response for answer in model.predict([b"x", b"x"])]


def test_a_coroutine_is_awaited_always_in_one_loop(model: Model) -> None:
    assert responses(model) == [[1, 1], [2, 1]]


def test_so_it_is_in_another_thread(model: Model) -> None:
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(responses, model).result() == [[1, 1], [2, 1]]


def test_so_it_is_where_a_loop_runs_already_as_in_a_notebook(model: Model) -> None:
    async def notebook() -> list[Any]:
        return responses(model)

    loop = asyncio.new_event_loop()
    assert loop.run_until_complete(notebook()) == [[1, 1], [2, 1]]
    loop.close()


def test_what_it_raises_fails_its_batch(model: Model) -> None:
    (answer,) = model.predict([b"raise"])
    assert (answer.status, str(answer.reason)) == (503, "boom")


def test_the_loop_is_that_of_initialize(build: Callable[..., Path]) -> None:
    source = ASYNC.replace("self.loops = []", "self.loops = [asyncio.get_event_loop()]")
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        path = build("own.py", {**ASKED, "own.py": source}, configFile="c.yaml")
        with load_archive(path, device="cpu") as model:
            assert responses(model) == [[2, 1], [3, 1]]
        assert not loop.is_closed()
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def test_the_models_own_loop_ends_with_it(build: Callable[..., Path]) -> None:
    asyncio.set_event_loop(None)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        with load_archive(build("own.py", ASKED, configFile="c.yaml"), device="cpu") as model:
            responses(model)
            (loop,) = set(model.handler.loops)
    assert loop.is_closed()


@pytest.mark.parametrize(
    ("source", "settings", "warning"),
    [
        (ASYNC, "{}", "TorchServe awaits `handle` only with asyncCommunication: true"),
        (
            SYNC,
            "asyncCommunication: true",
            "is for a handler with `async def handle`",
        ),
        (ASYNC, "asyncCommunication: true", None),
        (SYNC, "{}", None),
    ],
)
def test_a_handle_that_torchserve_would_not_call_so_is_warned_of(
    source: str,
    settings: str,
    warning: str | None,
    build: Callable[..., Path],
    caplog: pytest.LogCaptureFixture,
) -> None:
    files = {"own.py": source, "c.yaml": settings}
    with (
        caplog.at_level(logging.WARNING, "ts.runner"),
        load_archive(build("own.py", files, configFile="c.yaml"), device="cpu"),
    ):
        pass
    assert (warning is None) == (not caplog.messages)
    assert warning is None or warning in caplog.text
