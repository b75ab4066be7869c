"""Work in threads keeps its order, its errors and a bound."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from ts.handler_utils.images.threads import default_threads, map_in_threads


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_the_order_of_the_items(threads):
    assert list(map_in_threads(lambda item: item * item, range(40), threads)) == [n * n for n in range(40)]


def test_calls_run_at_the_same_time():
    meeting = threading.Barrier(3, timeout=30)  # breaks unless three come together
    assert sorted(map_in_threads(lambda _: meeting.wait(), range(3), 3)) == [0, 1, 2]


def test_a_single_thread_is_the_callers_own():
    caller = threading.get_ident()
    assert list(map_in_threads(lambda _: threading.get_ident(), range(3), 1)) == [caller] * 3


def test_an_exception_is_raised_in_its_turn():
    def halve(item: int) -> int:
        if item == 2:
            raise ValueError("two")
        return item

    results = map_in_threads(halve, range(9), 2)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(results)


def test_calls_run_only_so_far_ahead():
    begun = []
    results = map_in_threads(begun.append, range(100), 2)
    next(results)
    assert len(begun) <= 5


def test_omp_num_threads_bounds_these_threads_too(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert default_threads() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 5, 7}, raising=False)
    assert default_threads() == 4


def test_torch_computes_by_one_thread_in_each_and_as_before_elsewhere():
    before = torch.get_num_threads()
    assert list(map_in_threads(lambda _: torch.get_num_threads(), range(6), 3)) == [1] * 6
    assert torch.get_num_threads() == before
    with ThreadPoolExecutor(1) as later:
        assert later.submit(torch.get_num_threads).result() == before
