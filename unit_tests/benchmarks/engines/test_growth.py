"""What is compared where one more worker or node is added, and threads of workers."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.engines import threads
from benchmarks.engines.growth import NODES_TWO, ONE, RAY_ONE, RAY_TWO, TWO, grown
from benchmarks.load.loads import Measured


def of(rate: int, cpu: float = 1.0) -> list[Measured]:
    return [Measured(1.0, [0.01] * rate, cpu=cpu)]


def test_two_are_compared_with_one_by_the_yardstick_of_their_own_rounds() -> None:
    """While Ray ran with two, the machine was half as fast: the yardstick made 50 a second, and not 100."""
    rounds = {ONE.key: of(100), TWO.key: of(180), RAY_ONE.key: of(40), RAY_TWO.key: of(38, cpu=0.5)}
    beside = {ONE.key: of(100), TWO.key: of(100), RAY_ONE.key: of(100), RAY_TWO.key: of(50)}
    found = {each.text: each.value for each in grown(rounds, beside)}
    assert found["embedded, 2 workers / embedded, 1 worker, requests a second"] == pytest.approx(1.8)
    assert found["Ray, 2 workers / Ray, 1 worker, requests a second"] == pytest.approx(1.9)
    assert found["Ray, 2 workers / Ray, 1 worker, CPU a request"] == pytest.approx((500 / 38) / (1000 / 40))
    assert not any(text.startswith(NODES_TWO.name) for text in found)


def test_the_engines_choice_of_threads_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "threads_of_a_worker", lambda workers: 2 // workers)
    names = [threads.contender_of(*counts).name for counts in ((1, 1), (2, 1), (1, 2), (2, 2))]
    assert names == [
        "workers 1, threads 1",
        "workers 1, threads 2, the engine's choice",
        "workers 2, threads 1, the engine's choice",
        "workers 2, threads 2",
    ]
    assert threads.contender_of(2, 1).env == {"OMP_NUM_THREADS": "2"}


def test_cores_are_busy_for_as_long_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Any] = []
    popen = threads.subprocess.Popen
    monkeypatch.setattr(
        threads.subprocess, "Popen", lambda *args, **how: begun.append(popen(*args, **how)) or begun[-1]
    )
    with threads.busy_cores(2):
        assert [process.poll() for process in begun] == [None, None]
    assert [process.poll() for process in begun] == [-9, -9]
