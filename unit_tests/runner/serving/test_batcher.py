"""Batches are formed when a worker is free."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from ts.runner.serving.batcher import Batcher, Begin, QueueFullError
from ts.runner.serving.replies import Refused, Reply, worker_died
from ts.runner.serving.requests import Call


def call(name: str) -> Call:
    return Call((), {}, name)


class Worker:
    """Answers each batch when it is told to."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.free = asyncio.Semaphore(0)
        self.begun = asyncio.Semaphore(0)

    async def run(self, calls: Sequence[Call], begin: Begin) -> list[Reply]:
        self.batches.append([each.id for each in calls])
        self.begun.release()
        await self.free.acquire()
        return [Reply(200, each.id.encode()) for each in calls]


async def asked(batcher: Batcher, names: str) -> list[asyncio.Task[Reply]]:
    tasks = [asyncio.create_task(batcher.answer(call(name))) for name in names]
    await asyncio.sleep(0)
    return tasks


def test_what_waits_when_the_worker_is_free_is_a_batch() -> None:
    async def run() -> None:
        batcher, worker = Batcher(size=3, delay=0, waiting=10), Worker()
        serving = asyncio.create_task(batcher.serve(worker.run))
        first = await asked(batcher, "a")
        await worker.begun.acquire()  # now it is busy
        rest = await asked(batcher, "bcdef")
        assert len(batcher) == 5
        for _ in range(3):
            worker.free.release()
        replies = await asyncio.gather(*first, *rest)
        assert worker.batches == [["a"], ["b", "c", "d"], ["e", "f"]]
        assert [reply.body for reply in replies] == [b"a", b"b", b"c", b"d", b"e", b"f"]
        serving.cancel()

    asyncio.run(run())


def test_a_batch_that_is_not_full_waits_for_more() -> None:
    async def run() -> None:
        batcher, worker = Batcher(size=2, delay=3600, waiting=10), Worker()
        serving = asyncio.create_task(batcher.serve(worker.run))
        first = await asked(batcher, "a")
        await asyncio.sleep(0.01)
        assert worker.batches == []
        second = await asked(batcher, "b")
        worker.free.release()
        await asyncio.gather(*first, *second)
        assert worker.batches == [["a", "b"]]
        serving.cancel()

    asyncio.run(run())


def test_after_the_delay_it_waits_no_longer() -> None:
    async def run() -> None:
        batcher, worker = Batcher(size=2, delay=0.001, waiting=10), Worker()
        serving = asyncio.create_task(batcher.serve(worker.run))
        worker.free.release()
        await asyncio.gather(*await asked(batcher, "a"))
        assert worker.batches == [["a"]]
        serving.cancel()

    asyncio.run(run())


def test_two_workers_take_turns() -> None:
    async def run() -> None:
        batcher, one, two = Batcher(size=2, delay=0, waiting=10), Worker(), Worker()
        serving = [asyncio.create_task(batcher.serve(worker.run)) for worker in (one, two)]
        tasks = await asked(batcher, "abcd")
        for worker in (one, two):
            await worker.begun.acquire()
            worker.free.release()
        await asyncio.gather(*tasks)
        assert sorted(one.batches + two.batches) == [["a", "b"], ["c", "d"]]
        for task in serving:
            task.cancel()

    asyncio.run(run())


def test_only_so_many_requests_wait() -> None:
    async def run() -> None:
        batcher = Batcher(size=1, delay=0, waiting=2)
        waiting = await asked(batcher, "ab")
        with pytest.raises(QueueFullError):
            await batcher.answer(call("c"))
        batcher.refuse_all(worker_died())
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(result) for result in results] == [Refused, Refused]
        assert len(batcher) == 0

    asyncio.run(run())


def test_a_request_whose_client_left_is_not_answered() -> None:
    async def run() -> None:
        batcher, worker = Batcher(size=2, delay=0, waiting=10), Worker()
        gone, here = await asked(batcher, "ab")
        gone.cancel()
        await asyncio.sleep(0)
        worker.free.release()
        serving = asyncio.create_task(batcher.serve(worker.run))
        assert (await here).body == b"b"
        assert worker.batches == [["b"]]
        serving.cancel()

    asyncio.run(run())


def test_a_request_that_is_awaited_no_more_is_dropped_when_it_is_its_turn() -> None:
    async def run() -> None:
        batcher, worker = Batcher(size=2, delay=0, waiting=10), Worker()
        waiting = {"a": True, "b": True, "c": True}
        tasks = [
            asyncio.create_task(batcher.answer(call(name), lambda name=name: waiting[name]))  # type: ignore[misc]
            for name in waiting
        ]
        await asyncio.sleep(0)
        waiting["b"] = False
        worker.free.release()
        serving = asyncio.create_task(batcher.serve(worker.run))
        replies = await asyncio.gather(*tasks, return_exceptions=True)
        assert worker.batches == [["a", "c"]]
        assert [str(reply) for reply in replies if isinstance(reply, Refused)] == ["client left"]
        serving.cancel()

    asyncio.run(run())


def test_a_request_whose_client_left_keeps_no_other_out_of_a_full_queue() -> None:
    async def run() -> None:
        batcher, worker, is_here = Batcher(size=3, delay=0, waiting=3), Worker(), True
        left = asyncio.create_task(batcher.answer(call("a"), lambda: is_here))
        cancelled, waits = await asked(batcher, "bc")
        with pytest.raises(QueueFullError):
            await batcher.answer(call("d"))
        is_here = False
        cancelled.cancel()
        late = await asked(batcher, "ef")
        worker.free.release()
        serving = asyncio.create_task(batcher.serve(worker.run))
        assert [reply.body for reply in await asyncio.gather(waits, *late)] == [b"c", b"e", b"f"]
        with pytest.raises(Refused, match="client left"):
            await left
        serving.cancel()

    asyncio.run(run())


def test_a_reply_may_begin_before_its_batch_is_answered() -> None:
    async def run() -> None:
        goes_on = asyncio.Event()

        async def begins(calls: Sequence[Call], begin: Begin) -> list[Reply]:
            begin(1, Reply(200, b"begun"))
            await goes_on.wait()
            return [Reply(200, b"end") for _ in calls]

        batcher = Batcher(size=2, delay=0, waiting=10)
        first, second = await asked(batcher, "ab")
        serving = asyncio.create_task(batcher.serve(begins))
        assert (await second).body == b"begun"
        assert not first.done()
        goes_on.set()
        assert (await first).body == b"end"
        serving.cancel()

    asyncio.run(run())


def test_requests_of_a_worker_that_fails_fail_and_those_that_wait_do_not() -> None:
    async def run() -> None:
        async def dies(calls: Sequence[Call], begin: Begin) -> Any:
            raise worker_died()

        batcher, worker = Batcher(size=1, delay=0, waiting=10), Worker()
        lost, kept = await asked(batcher, "ab")
        with pytest.raises(Refused, match="worker died"):
            await batcher.serve(dies)
        with pytest.raises(Refused, match="worker died"):
            await lost
        worker.free.release()
        serving = asyncio.create_task(batcher.serve(worker.run))
        assert (await kept).body == b"b"
        serving.cancel()

    asyncio.run(run())


def test_what_a_worker_has_taken_goes_back_in_order_if_it_ends_before_its_batch_is_full() -> None:
    async def run() -> None:
        batcher, worker = Batcher(size=3, delay=3600, waiting=10), Worker()
        ended = asyncio.create_task(batcher.serve(worker.run))
        tasks = await asked(batcher, "ab")
        await asyncio.sleep(0.01)
        ended.cancel()
        await asyncio.gather(ended, return_exceptions=True)
        serving = asyncio.create_task(batcher.serve(worker.run))
        worker.free.release()
        await asyncio.gather(*tasks, *await asked(batcher, "c"))
        assert worker.batches == [["a", "b", "c"]]
        serving.cancel()

    asyncio.run(run())


def test_each_batch_is_told_with_what_its_requests_waited() -> None:
    async def run() -> None:
        told: list[Sequence[float]] = []
        batcher, worker = Batcher(2, 0, 10, told.append), Worker()
        tasks = await asked(batcher, "abc")
        for _ in range(2):
            worker.free.release()
        serving = asyncio.create_task(batcher.serve(worker.run))
        await asyncio.gather(*tasks)
        assert [len(waited) for waited in told] == [2, 1]
        assert min(min(waited) for waited in told) >= 0
        serving.cancel()

    asyncio.run(run())
