"""Threads for work that lets go of the interpreter's lock, such as decoding images."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from threading import Barrier
from typing import Callable, TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


_workers = 1  # processes that share the CPUs


def share_among(workers: int) -> None:
    """Leaves CPUs to the other workers of a model, of which there are so many with this one."""
    global _workers
    _workers = workers


def default_threads() -> int:
    """As many threads as OMP_NUM_THREADS says, which bounds torch's own too; else as the process has CPUs."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, cpus // _workers)


def map_in_threads(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int
) -> Iterator[Result]:
    """As `map`, with several calls at the same time.

    Calls run at most twice as many items ahead as there are threads, so that results which are large do not pile
    up. A single thread is the caller's own.
    """
    if threads == 1:
        yield from map(function, items)
        return
    pool = _pool(threads)
    begun: deque[Future[Result]] = deque()
    try:
        for item in items:
            if len(begun) == 2 * threads:
                yield begun.popleft().result()
            begun.append(pool.submit(function, item))
        while begun:
            yield begun.popleft().result()
    finally:
        for future in begun:
            future.cancel()


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    """One pool for the whole process: handlers are copied for micro batches, and threads are not to multiply.

    In its threads torch computes by one thread each: there are as many of them as are to be busy already.
    """
    wanted = torch.get_num_threads()
    pool = ThreadPoolExecutor(threads, "read-image", initializer=_compute_alone)
    started = Barrier(threads)
    for future in [pool.submit(started.wait) for _ in range(threads)]:
        future.result()
    torch.set_num_threads(
        wanted
    )  # for threads that come later; those that torch has seen keep their own number
    return pool


def _compute_alone() -> None:
    torch.get_num_threads()  # sees this thread, whose number the next line sets
    torch.set_num_threads(1)
