"""A replica, without Ray."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from ts.runner import ArchiveError
from ts.runner.serving.ray import replica as module
from ts.runner.serving.ray.replica import ArchiveReplica, Measured, ReplicaOptions
from ts.runner.serving.requests import Call, prediction_call
from ts.runner.serving.settings import ServingSettings

SLOW_START = """
import time
class Slow:
    def initialize(self, context):
        time.sleep(1.5)

    def handle(self, data, context):
        return data
"""


def call(body: str) -> Call:
    return prediction_call([], body.encode())


async def started(path: Path, **settings: Any) -> ArchiveReplica:
    replica = ArchiveReplica.__new__(ArchiveReplica)
    await replica.__init__(ReplicaOptions("obeys", str(path), ServingSettings(**settings), "cpu"))  # type: ignore[misc]
    return replica


def test_what_waits_is_answered_in_one_batch_and_the_end_is_in_order(archive: Any, body: Any) -> None:
    async def run() -> None:
        replica = await started(archive(own=1), batch_size=2, max_batch_delay=0)
        outcomes = await asyncio.gather(*(replica.answer(call(text)) for text in ("a", "b")))
        assert [body(outcome.reply)["said"] for outcome in outcomes] == ["a", "b"]
        assert [outcome.reply.headers["x-own"] for outcome in outcomes] == ["a", "b"]
        assert [outcome.reason for outcome in outcomes] == [None, None]
        measured, nothing = (outcome.measured for outcome in outcomes)
        assert [len(waited) for waited in measured.batches] == [2]
        assert [(each.name, each.value, each.unit) for each in measured.measurements] == [
            ("OwnTime", 5, "ms")
        ]
        assert nothing == Measured([], [])
        folder = replica._replica._model.archive.root
        assert folder.exists()
        replica.__del__()
        assert not folder.exists()

    asyncio.run(run())


def test_what_its_queue_cannot_take_is_refused(archive: Any, tmp_path: Path, body: Any) -> None:
    async def run() -> None:
        replica, gate = await started(archive(own=1), job_queue_size=1), tmp_path / "gate"
        busy = asyncio.create_task(replica.answer(call(f"wait for {gate}")))
        while not Path(f"{gate}.begun").exists():
            await asyncio.sleep(0.01)
        waiting = asyncio.create_task(replica.answer(call("x")))
        await asyncio.sleep(0)
        refused = await replica.answer(call("y"))
        assert (refused.reason, refused.reply.status) == ("queue full", 503)
        assert refused.reply.headers == {"retry-after": "1"}
        gate.touch()
        assert [(await task).reply.status for task in (busy, waiting)] == [200, 200]
        replica.__del__()

    asyncio.run(run())


def test_a_handler_that_hangs_is_ended_with_its_process(
    archive: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        monkeypatch.setattr(module, "LAST_WORDS", 0)
        monkeypatch.setattr(os, "_exit", ended.set_result)
        replica, gate = await started(archive(own=1), response_timeout=1), tmp_path / "gate"
        late = await replica.answer(call(f"wait for {gate}"))
        assert (late.reason, late.reply.status) == ("no response", 503)
        assert await asyncio.wait_for(ended, 60) == 1
        gate.touch()  # for the thread, which this process waits for

    asyncio.run(run())


def test_a_handler_that_does_not_start_in_time_is_an_error(archive: Any) -> None:
    async def run() -> None:
        await started(archive(source=SLOW_START, own=1), startup_timeout=1)

    with pytest.raises(ArchiveError, match="did not start within 1 seconds, its startupTimeout"):
        asyncio.run(run())
