"""The threads that torch computes by."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest
import torch

from ts.handler_utils.images import threads as reading
from ts.handler_utils.models import cpu_threads
from ts.handler_utils.models.cpu_threads import compute_bags_alone, share_cpus


@pytest.fixture(autouse=True)
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A worker of TorchServe on six CPUs, whose environment says nothing of threads."""
    threads = torch.get_num_threads()
    monkeypatch.setattr(sys, "argv", ["/site-packages/ts/model_service_worker.py", "--port", "1"])
    for name in cpu_threads.CHOSEN_BY:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(cpu_threads, "_AT_FIRST", 6)
    monkeypatch.setattr(reading, "_workers", 1)
    monkeypatch.setattr(cpu_threads, "_unchosen", {6})
    torch.set_num_threads(6)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize(("workers", "threads"), [(1, 6), (2, 3), (4, 1), (6, 1), (9, 1)])
def test_workers_share_the_cpus_and_each_has_a_thread(workers: int, threads: int) -> None:
    share_cpus({"minWorkers": workers})
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize(("config", "threads"), [({}, 2), ({"minWorkers": 2}, 2), ({"minWorkers": 6}, 1)])
def test_workers_that_run_are_counted_where_the_archive_names_fewer(
    config: dict[str, int], threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cpu_threads, "count_siblings", {"model_service_worker.py": 3}.get)
    share_cpus(config)
    assert torch.get_num_threads() == threads


def test_images_are_read_by_a_workers_share_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {*range(6)}, raising=False)
    assert reading.default_threads() == 6
    share_cpus({"minWorkers": 3})
    assert reading.default_threads() == 2
    share_cpus({"minWorkers": 9})
    assert reading.default_threads() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert reading.default_threads() == 4


@pytest.mark.parametrize("config", [{}, {"minWorkers": None}, {"minWorkers": "2"}, {"minWorkers": 0}])
def test_of_no_known_number_of_workers_nothing_follows(config: dict[str, object]) -> None:
    share_cpus(config)
    assert torch.get_num_threads() == 6


@pytest.mark.parametrize("name", cpu_threads.CHOSEN_BY)
def test_the_environment_chooses(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "6")
    share_cpus({"minWorkers": 2})
    assert torch.get_num_threads() == 6


def test_a_handler_chooses() -> None:
    torch.set_num_threads(5)
    share_cpus({"minWorkers": 2})
    assert torch.get_num_threads() == 5


def test_a_second_handler_of_a_process_divides_no_further() -> None:
    share_cpus({"minWorkers": 2})
    share_cpus({"minWorkers": 2})
    assert torch.get_num_threads() == 3


def test_another_process_has_no_such_workers_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/bin/torch-model-runner", "predict"])
    share_cpus({"minWorkers": 2})
    assert torch.get_num_threads() == 6


class Bag(torch.nn.Module):
    def __init__(self, weights: int) -> None:
        super().__init__()
        self.words = torch.nn.Parameter(torch.empty(2_000_000, device="meta"))
        self.others = torch.nn.Parameter(torch.empty(weights, device="meta"))


@pytest.mark.parametrize(
    ("model", "threads"), [(Bag(1_000_000), 1), (Bag(1_000_001), 6), (None, 6), (len, 6)]
)
def test_a_small_bag_of_words_is_computed_by_one_thread(model: object, threads: int) -> None:
    compute_bags_alone(model)
    assert torch.get_num_threads() == threads


def test_a_bag_whose_worker_shares_the_cpus_is_computed_by_one_thread_too() -> None:
    share_cpus({"minWorkers": 2})
    compute_bags_alone(Bag(1))
    assert torch.get_num_threads() == 1
    share_cpus({"minWorkers": 2})  # of another handler in this process
    assert torch.get_num_threads() == 1
