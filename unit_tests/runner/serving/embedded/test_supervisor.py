"""Workers that die are started again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Union

import pytest

from ts.runner import Archive
from ts.runner.serving.answerer import Answered
from ts.runner.serving.batcher import Begin, always
from ts.runner.serving.embedded import supervisor
from ts.runner.serving.embedded.process import StartError
from ts.runner.serving.embedded.supervisor import ServedArchive
from ts.runner.serving.metrics import Meter
from ts.runner.serving.replies import Refused, Reply, worker_died
from ts.runner.serving.requests import Call
from ts.runner.serving.settings import ServingSettings


class Worker:
    """A worker without a process."""

    pid = 1

    def __init__(self) -> None:
        self.closed = asyncio.get_running_loop().create_future()

    async def answer(self, calls: Sequence[Call], begin: Begin) -> Answered:
        if calls[0].id == "die":
            self.closed.set_result(None)
            raise worker_died()
        return Answered([Reply(200, b"ok") for _ in calls], [])

    async def stop(self, *, seconds: float = 5) -> None:
        pass


class Starts:
    """What comes of one start after the other; a start waits until it is let go."""

    def __init__(self, *outcomes: Union[type[Worker], StartError]) -> None:
        self.outcomes = list(outcomes)
        self.let_go = asyncio.Semaphore(0)
        self.count = 0

    async def __call__(self, index: int) -> Any:
        self.count += 1
        await self.let_go.acquire()
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, StartError):
            raise outcome
        return outcome()


def served(starts: Starts, **settings: Any) -> ServedArchive:
    manifest = {"model": {"modelName": "a", "modelVersion": "1.0", "handler": "h.py"}}
    archive = Archive(Path("cache/0"), Path(), manifest, {}, "https://b.example/a.mar")
    return ServedArchive(archive, ServingSettings(**settings), starts, Meter().of("a", "1.0"))


def call(name: str = "x") -> Call:
    return Call((), {}, name)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "PAUSES", (0,))


def test_a_handler_that_does_not_start_at_first_is_given_up() -> None:
    async def run() -> None:
        starts = Starts(StartError("it is bad"))
        model = served(starts)
        model.begin()
        waiting = asyncio.create_task(model.answer(call(), always))
        await settle()
        assert (model.is_healthy, model.has_failed) == (False, False)
        starts.let_go.release()
        await model.decided()
        assert (model.is_healthy, model.has_failed, model.failure) == (False, True, "it is bad")
        for refused in (waiting, model.answer(call(), always)):
            with pytest.raises(Refused, match="no worker"):
                await refused
        assert starts.count == 1
        await model.close()

    asyncio.run(run())


def test_requests_wait_for_a_worker_that_is_started_again() -> None:
    async def run() -> None:
        starts = Starts(Worker, Worker)
        model = served(starts)
        model.begin()
        starts.let_go.release()
        await model.decided()
        with pytest.raises(Refused, match="worker died"):
            await model.answer(call("die"), always)
        await settle()
        assert model.is_healthy  # it may be back in a moment
        waiting = asyncio.create_task(model.answer(call(), always))
        await settle()
        assert not waiting.done()
        starts.let_go.release()
        assert (await waiting).body == b"ok"
        await model.close()

    asyncio.run(run())


def test_a_worker_that_does_not_start_again_is_tried_on_and_requests_do_not_wait_for_it() -> None:
    async def run() -> None:
        starts = Starts(Worker, StartError("no memory"), Worker)
        model = served(starts)
        model.begin()
        starts.let_go.release()
        await model.decided()
        with pytest.raises(Refused, match="worker died"):
            await model.answer(call("die"), always)
        waiting = asyncio.create_task(model.answer(call(), always))
        await settle()
        starts.let_go.release()
        await settle()
        assert (model.is_healthy, model.has_failed) == (False, False)
        for refused in (waiting, model.answer(call(), always)):
            with pytest.raises(Refused, match="no worker"):
                await refused
        starts.let_go.release()
        await settle()
        assert model.is_healthy
        assert (await model.answer(call(), always)).body == b"ok"
        await model.close()

    asyncio.run(run())


def test_a_model_is_ready_with_all_its_workers() -> None:
    async def run() -> None:
        starts = Starts(Worker, Worker)
        model = served(starts, min_workers=2)
        model.begin()
        starts.let_go.release()
        await settle()
        assert not model.is_healthy
        assert len(model.facts()["workers"]) == 1
        starts.let_go.release()
        await model.decided()
        assert model.is_healthy
        assert [worker["id"] for worker in model.facts()["workers"]] == ["0", "1"]
        await model.close()

    asyncio.run(run())


def test_at_the_end_requests_that_wait_are_refused() -> None:
    async def run() -> None:
        model = served(Starts())
        model.begin()
        waiting = asyncio.create_task(model.answer(call(), always))
        await settle()
        await model.close()
        with pytest.raises(Refused, match="stopping"):
            await waiting

    asyncio.run(run())


def test_it_says_what_it_is() -> None:
    async def run() -> dict[str, Any]:
        return served(Starts(), batch_size=2, job_queue_size=5).facts()

    facts = asyncio.run(run())
    assert facts["modelName"] == "a"
    assert facts["modelUrl"] == "a.mar"
    assert (facts["batchSize"], facts["maxBatchDelay"], facts["workers"]) == (2, 100, [])
    assert facts["jobQueueStatus"] == {"remainingCapacity": 5, "pendingRequests": 0}
