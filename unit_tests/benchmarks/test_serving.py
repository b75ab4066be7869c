"""The benchmark of servers, from its command to its tables."""

from __future__ import annotations

import pytest

from benchmarks import serving
from benchmarks.results import CaseResult, Report
from unit_tests.benchmarks.conftest import QuickRun


def test_resuming_needs_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        serving.parse_arguments(["--resume"])
    assert "--resume needs --json" in capsys.readouterr().err


def test_a_quick_run_is_one_short_round_of_two_cases() -> None:
    options = serving.parse_arguments(["--quick"])
    assert (options.rounds, options.case) == (1, ("echo", "slow"))
    assert serving.parse_arguments(["--quick", "--case", "photo"]).case == ["photo"]


@pytest.fixture(scope="module")
def cases(quick_run: QuickRun) -> list[CaseResult]:
    """What a quick run of one server found."""
    report = quick_run("serving.py", "--only", "embedded", "--case", "echo")
    assert int(report.machine["requests/s of the load generator at most"].replace(",", "")) > 0
    return report.cases


@pytest.mark.long
def test_a_quick_run_has_all_figures_and_loses_no_request(cases: list[CaseResult]) -> None:
    one, sixteen, start = cases
    assert [each.title for each in (one, sixteen)] == [
        "echo of 100 bytes, batchSize 8, 1 client",
        "echo of 100 bytes, batchSize 8, 16 clients",
    ]
    for case in (one, sixteen):
        (figures,) = case.figures
        assert (figures.name, figures.missing, figures.notes) == ("embedded", None, [])
        assert figures.rate > 1
        assert figures.more["lost"] == 0
        assert 0 < figures.more["p50 ms"] <= figures.more["p99 ms"]
        assert figures.more["CPU ms"] > 0
        assert 10 < figures.more["memory MB"] < 1000
        assert case.findings == []
    assert one.figures[0].more["mean batch"] == 1
    assert 1 < sixteen.figures[0].more["mean batch"] <= 8
    assert start.figures[0].seconds[0] > 0


@pytest.mark.long
def test_cases_that_are_there_are_not_measured_again(cases: list[CaseResult]) -> None:
    options = serving.parse_arguments(["--quick", "--case", "echo"])
    report = Report("serving", {}, list(cases))
    serving.Run(options, report, None).run()  # type: ignore[arg-type]
    assert report.cases == cases
