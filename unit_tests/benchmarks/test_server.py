"""The benchmark of a live TorchServe, from its command to its tables."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import server
from benchmarks.cases import OURS, TORCHSERVE
from benchmarks.engines.contenders import STOCK
from benchmarks.load.loads import Measured
from benchmarks.parts.measuring import MEAN, SUM, TOTALS, tables_of
from benchmarks.parts.timeline import Batch
from benchmarks.results import Report
from unit_tests.benchmarks.conftest import QuickRun


def test_a_quick_run_is_one_short_round_of_both_cases() -> None:
    options = server.parse_arguments(["--quick"])
    assert (options.what, options.rounds, options.seconds, options.case) == (
        "rates",
        1,
        1.0,
        ["photo", "text"],
    )


@pytest.mark.parametrize("option", ["--rounds", "--seconds", "--clients"])
def test_nothing_can_be_measured_of_nothing(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        server.parse_arguments([option, "0"])
    assert "are more than 0" in capsys.readouterr().err


@pytest.mark.parametrize("case", server.CASES)
def test_torchserves_own_handlers_come_first_and_names_are_unique(case: server.Case) -> None:
    assert case.contenders[0].name == TORCHSERVE
    assert all(each.name.startswith(TORCHSERVE) is not each.ours for each in case.contenders)
    assert len({each.name for each in case.contenders}) == len(case.contenders)
    assert OURS in {each.name for each in case.contenders}


@pytest.mark.parametrize(
    ("log", "ours", "right"),
    [
        ("0.1: news uses ts.torch_handler.text_classifier of torchserve-handlers", True, True),
        ("Torch worker started.", False, True),
        ("Torch worker started.", True, False),
        ("0.1: news uses ts.torch_handler.text_classifier of torchserve-handlers", False, False),
    ],
)
def test_the_log_says_whose_handlers_answer(log: str, ours: bool, right: bool) -> None:
    servers: Any = SimpleNamespace(servers={"it": SimpleNamespace(log=lambda: log)})
    contender = server.Contender("it", ours=ours)
    if right:
        server.check_handlers(contender, servers)
    else:
        with pytest.raises(RuntimeError, match="wrong handlers"):
            server.check_handlers(contender, servers)


def test_a_server_that_did_not_start_is_named_with_its_reason() -> None:
    servers: Any = SimpleNamespace(servers={}, missing={"it": "no Java"})
    with pytest.raises(RuntimeError, match="it does not run: no Java"):
        server.check_handlers(server.Contender("it"), servers)


def test_the_parts_of_a_request_are_listed_with_its_mean_latency_and_the_cpu_of_each_process() -> None:
    batch = Batch(["a", "b"], free=1.25, came=2.0, encoded=3.0, left=3.5, work={"model": 1.0})
    measured = Measured(2.0, [2.5, 3.25], traced=[("a", 1.5, 4.0), ("b", 1.0, 4.25)])
    latency, tail, cycle, cpu = tables_of(measured, [batch], {"frontend": 0.2, "worker": 1.0}).values()
    assert latency == {"queue": 125, "frontend": 625, "model": 1000, "way back": 1125, SUM: 2875, MEAN: 2875}
    assert (tail["queue"], tail[SUM], tail[MEAN]) == (250, 3250, 3250)
    assert cycle == {"idle": 375, "model": 500, "sending": 250, SUM: 1125}
    assert cpu == {"frontend": 100, "worker": 500, SUM: 600}


def quick(quick_run: QuickRun, what: str, folder: Path) -> Report:
    """What a quick run found."""
    if reason := STOCK.missing():
        pytest.skip(reason)
    plot = folder / "quick.png"
    report = quick_run("server.py", what, "--case", "text", "--plot", str(plot))
    assert plot.read_bytes().startswith(b"\x89PNG")
    return report


@pytest.mark.long
def test_a_quick_run_has_rates_memory_and_answers_as_torchserves(quick_run: QuickRun, tmp_path: Path) -> None:
    (case,) = quick(quick_run, "rates", tmp_path).cases
    assert [each.name for each in case.figures] == [
        *(each.name for each in server.CASES[1].contenders),
        server.NOTHING,
    ]
    for figures in case.figures:
        assert figures.missing is None
        assert figures.more["lost"] == 0
        assert 20 < figures.more["a worker's MB"] <= figures.more["its peak MB"] < 2000
    assert [each.agrees for each in case.figures] == [None, True, True, None]
    assert f"{OURS} / {TORCHSERVE}, requests a second" in {each.text for each in case.findings}
    assert f"{OURS} / {server.NOTHING}, requests a second" in {each.text for each in case.findings}


@pytest.mark.long
def test_the_parts_of_a_live_server_add_up_to_what_clients_waited(
    quick_run: QuickRun, tmp_path: Path
) -> None:
    latency, slowest, cycle, cpu = quick(quick_run, "parts", tmp_path).cases
    for figures in (*latency.figures, *slowest.figures):
        assert figures.more[SUM] == pytest.approx(figures.more[MEAN], rel=0.1)
    for figures in cycle.figures:
        assert figures.more[SUM] == pytest.approx(1000 * figures.median, rel=0.2)
        busy = figures.more["model"] > 0
        assert busy == (figures.name != server.NOTHING)
    for figures in cpu.figures:
        assert min(figures.more.values()) > 0
    for figures in (each for case in (latency, slowest, cycle) for each in case.figures):
        assert all(value >= 0 for part, value in figures.more.items() if part not in TOTALS)
