"""Ratios to TorchServe, and what is aimed at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Optional

import pytest

from benchmarks.engines.contenders import EMBEDDED, LITSERVE, OURS
from benchmarks.engines.findings import MEAN_BATCH_AT, findings, starts
from benchmarks.load.loads import Arrivals, Closed, Load, Measured
from benchmarks.report import more_rows
from benchmarks.results import CaseResult, Finding

THEIRS = Measured(1.0, [0.010] * 100, [8] * 100, cpu=0.2)
ALL = (OURS, EMBEDDED, LITSERVE)


def found_of(own: list[Measured], load: Load, rate: Optional[float] = None) -> dict[str, Finding]:
    rounds: dict[str, Any] = {OURS.key: [THEIRS] * len(own), EMBEDDED.key: own}
    return {each.text.rpartition(", ")[2]: each for each in findings(rounds, ALL, load, rate)}


@pytest.mark.parametrize(("rate", "met"), [(1.4, True), (1.6, False)])
def test_requests_a_second_of_16_clients_have_a_target(rate: float, met: bool) -> None:
    found = found_of([replace(THEIRS, latencies=[0.010] * 150)], Closed(16, 1.0), rate)
    assert found["requests a second"].value == 1.5
    assert found["requests a second"].met is met
    assert found["p99"].met is True


def test_a_worse_p99_misses() -> None:
    found = found_of([replace(THEIRS, latencies=[0.011] * 150)], Closed(16, 1.0), 1.4)
    assert found["p99"].value == pytest.approx(1.1)
    assert found["p99"].met is False


@pytest.mark.parametrize(("rows", "met"), [(8, True), (6, False)])
def test_the_mean_batch_has_a_target_at_60_arrivals_a_second(rows: int, met: bool) -> None:
    found = found_of([replace(THEIRS, rows=[rows] * 100)], Arrivals(MEAN_BATCH_AT, 15))
    assert found["mean batch"].value == pytest.approx(rows / 8)
    assert (found["mean batch"].met, found["mean batch"].target) == (met, "0.95 to 1.05")
    assert "requests a second" not in found  # as many as arrive
    assert found["CPU a request"].met is None


def test_a_ratio_is_that_of_the_medians_and_its_quartiles_those_of_the_rounds() -> None:
    rounds = [replace(THEIRS, latencies=[0.010] * count) for count in (100, 200, 400)]
    found = found_of(rounds, Closed(16, 1.0))["requests a second"]
    assert (found.value, found.low, found.high) == (2, 1.5, 3)


def test_the_start_has_a_target_for_the_embedded_engine() -> None:
    case = starts("echo", "echo", {"torchserve": 4.0, "embedded": 1.0, "litserve": 3.0}, ALL)
    assert [(each.text, each.value, each.met) for each in case.findings] == [
        ("embedded / TorchServe, ours, time", 0.25, True),
        ("LitServe, ours / TorchServe, ours, time", 0.75, None),
    ]
    assert starts("echo", "echo", {"embedded": 1.0}, ALL).findings == []


def test_ratios_stand_beside_the_figures_that_they_are_of() -> None:
    from benchmarks.engines.measuring import figures_of

    own = replace(THEIRS, latencies=[0.010] * 150, failed={"503": 2})
    rounds: dict[str, Any] = {OURS.key: [THEIRS], EMBEDDED.key: [own]}
    figures = [figures_of(each.name, rounds[each.key], {"memory MB": 100.0}) for each in (OURS, EMBEDDED)]
    case = CaseResult("echo", "echo", "requests", figures, findings(rounds, ALL, Closed(16, 1.0), 1.4))
    heading, ours, embedded = (dict(zip(more_rows(case)[0], row)) for row in more_rows(case))
    assert list(heading)[1:4] == ["requests a second", "quartiles", "p50 ms"]
    assert (ours["requests a second"], embedded["requests a second"]) == ("100", "150")
    assert (ours["lost"], embedded["lost"], embedded["notes"]) == ("0", "2", "2 requests: 503")
    assert embedded["mean batch"] == "8"
    assert ours["/ TorchServe, ours, requests a second"] == ""
    assert embedded["/ TorchServe, ours, requests a second"] == "1.50 (1.50 to 1.50)"
    assert embedded["CPU ms"] == "1.33"
