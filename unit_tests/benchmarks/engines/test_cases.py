"""Which servers run together, and under which loads."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

import pytest

from benchmarks.engines.archives import Served
from benchmarks.engines.cases import CASES, answers, arrivals_below, run_case, slowest
from benchmarks.engines.contenders import CONTENDERS, Contender
from benchmarks.engines.measuring import Plan
from benchmarks.load.loads import Arrivals, Closed, Load, Measured
from benchmarks.results import Figures

SERVED = Served("echo", Path("echo"), 8, "text/plain", [])
BY_NAME = {case.name: case for case in CASES}
ALL = [each.key for each in CONTENDERS]


class FakeField:
    """Starts nothing, and measures the same of all."""

    def __init__(self, quick: bool = False) -> None:
        self.plan = Plan(rounds=2, seconds=1.0, quick=quick)
        self.servers: dict[str, Any] = {}
        self.at_once_seen: list[set[str]] = []
        self.loads: list[Load] = []

    def start(self, contenders: list[Contender], served: Served) -> None:
        self.servers.update({each.key: None for each in contenders})
        assert sum(key.startswith("ray") for key in self.servers) <= 1

    def stop(self, key: str) -> None:
        self.servers.pop(key, None)

    def rounds(self, keys: list[str], loads: list[Load], most: Optional[int] = None) -> Any:
        self.at_once_seen.append(set(keys))
        self.loads += loads
        return {load: {key: [Measured(1.0, [0.01] * 40, cpu=0.1)] for key in keys} for load in loads}

    def at_once(self, keys: list[str], load: Load, most: int) -> Any:
        return self.rounds(keys, [load])[load]

    def figures(self, contender: Contender, rounds: Any) -> Figures:
        return Figures(contender.name, 1, [0.1])


def run(name: str, only: list[str] = ALL, **options: Any) -> tuple[FakeField, list[Any]]:
    field = FakeField(**options)
    return field, run_case(BY_NAME[name], SERVED, field, only)  # type: ignore[arg-type]


def test_there_is_one_ray_cluster_at_a_time_and_torchserve_beside_each() -> None:
    field, results = run("echo")
    assert field.at_once_seen == [
        {"stock", "torchserve", "embedded", "litserve", "ray"},
        {"torchserve", "ray-haproxy"},
        {"torchserve", "ray-plain"},
        {"torchserve", "ray-plain-haproxy"},
    ]
    assert [each.title.rpartition(", ")[2] for each in results] == ["1 client", "16 clients"] * 4


def test_a_quick_run_has_one_mode_of_ray() -> None:
    field, _ = run("echo", quick=True)
    assert len(field.at_once_seen) == 1


def test_only_what_is_asked_for_is_started() -> None:
    field, results = run("echo", ["embedded"])
    assert field.at_once_seen == [{"embedded"}]
    assert all(result.findings == [] for result in results)


def test_arrivals_to_a_real_model_are_shares_of_the_slowest() -> None:
    field, _ = run("text")
    assert [load for load in field.loads if isinstance(load, Arrivals)] == [
        Arrivals(20.0, 3.0),
        Arrivals(32.0, 2.0),
    ]


def test_the_slowest_is_that_with_all_clients() -> None:
    fast, slow = Measured(1.0, [0.01] * 100), Measured(1.0, [0.01] * 10)
    found: Any = {Closed(1, 1.0): {"a": [slow]}, Closed(16, 1.0): {"a": [fast, fast, slow], "b": [fast]}}
    assert slowest(found) == 100
    assert slowest({Closed(16, 1.0): {}}) == 1
    assert arrivals_below(100, Plan(seconds=1.5)) == [Arrivals(50, 3.0), Arrivals(80, 3.0)]
    assert arrivals_below(10, Plan(seconds=1.5)) == [Arrivals(5, 6), Arrivals(8, 6)]


def test_the_handler_that_sleeps_gets_60_arrivals_a_second_for_the_mean_batch() -> None:
    field, _ = run("slow")
    seen = [(load.rate, load.seconds) for load in field.loads if isinstance(load, Arrivals)]
    assert seen == 2 * [(40, 12), (60, 12), (70, 12)]


def test_ray_is_not_asked_while_others_are_whose_latencies_count() -> None:
    field, _ = run("slow")
    assert field.at_once_seen[0] == {"torchserve", "embedded", "litserve"}
    assert field.at_once_seen[-1] == {"torchserve", "ray"}


@pytest.mark.parametrize(("bodies", "expected"), [([b'{"a": 1}'], [{"a": 1}]), ([b'{"a": 1}', b""], [])])
def test_answers_are_compared_where_there_are_some(bodies: list[bytes], expected: list[Any]) -> None:
    class Server:
        def answers(self, count: int) -> list[bytes]:
            return bodies

    assert answers(Server()) == expected  # type: ignore[arg-type]
    assert answers(None) == []
