"""One thread that loads a model and owns it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, Callable

import pytest

from ts.runner import ArchiveError, load_archive
from ts.runner.serving.batcher import Batcher, Begin
from ts.runner.serving.replica import Replica
from ts.runner.serving.replies import Reply
from ts.runner.serving.requests import Call, prediction_call

THREAD = """
import threading

class Handler:
    def initialize(self, context):
        self.thread = threading.get_ident()

    def handle(self, data, context):
        context.metrics.add_time("Own", 12.0)
        context.metrics.add_counter("Count", 1)
        context.set_response_header(0, "x-id", context.get_request_id(0))
        return [{"same": threading.get_ident() == self.thread, "own": context.get_request_header(0, "X-Own"),
                 "rows": len(data)} for row in data]
"""


@pytest.fixture
def archive(build: Callable[..., Path]) -> Path:
    return build("own.py", {"own.py": THREAD})


def call() -> Call:
    return prediction_call([(b"x-own", b"1")], b"x")


def test_batches_are_answered_in_the_thread_that_loaded_the_model(archive: Path) -> None:
    async def run() -> None:
        replica = Replica(lambda: load_archive(archive, device="cpu"))
        model = await replica.start()
        calls = [call(), call()]
        replies, measured = await replica.answer(calls)
        assert [json.loads(reply.body) for reply in replies] == [{"same": True, "own": "1", "rows": 2}] * 2
        assert replies[0].headers == {"x-id": calls[0].id}
        assert [(each.name, each.value) for each in measured] == [("Own", 12.0), ("Count", 1.0)]
        assert model.metrics.measurements == []  # they do not pile up
        await replica.close()

    asyncio.run(run())


def test_a_handler_that_does_not_start_is_an_error(build: Callable[..., Path]) -> None:
    async def run() -> Any:
        return await Replica(lambda: load_archive(build("absent.py"), device="cpu")).start()

    with pytest.raises(ArchiveError, match="absent"):
        asyncio.run(run())


def test_a_batcher_before_it_is_all_that_another_engine_needs(archive: Path) -> None:
    async def run() -> None:
        replica, batcher = Replica(lambda: load_archive(archive, device="cpu")), Batcher(2, 0, 10)
        await replica.start()

        async def answer(calls: Any, begin: Begin) -> list[Reply]:
            return (await replica.answer(calls)).replies

        waiting = [asyncio.create_task(batcher.answer(call())) for _ in range(2)]
        await asyncio.sleep(0)
        serving = asyncio.create_task(batcher.serve(answer))
        replies = await asyncio.gather(*waiting)
        assert [json.loads(reply.body)["rows"] for reply in replies] == [2, 2]
        serving.cancel()
        await replica.close()

    asyncio.run(run())


def test_what_cannot_await_can_end_it_too(archive: Path) -> None:
    async def run() -> None:
        replica = Replica(lambda: load_archive(archive, device="cpu"))
        root = (await replica.start()).archive.root
        replica.close_and_wait()
        assert not root.exists()

    asyncio.run(run())
