"""The figures on the pages are those of the runs that are kept."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import summary
from benchmarks.curves import page as curves_page
from benchmarks.curves.cases import curves
from benchmarks.detecting import page as detecting_page
from benchmarks.report import README, markdown, with_tables
from benchmarks.results import CaseResult, Figures, Report, read

RUNS = sorted(summary.RUNS.glob("*.json"))
MARKS = {"handlers-cuda", "handlers-cpu", "server", "serving"}


def pages(report: Report) -> dict[Path, str]:
    """What stands on which page of a kept run."""
    if report.name == "curves":
        return curves_page.pages(report, curves())
    return detecting_page.pages(report) if report.name == detecting_page.NAME else {README: markdown(report)}


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.stem)
def test_the_tables_of_a_kept_run_are_on_the_page(path: Path) -> None:
    report = read(path)
    assert path.stem == report.name
    for file, tables in pages(report).items():
        page = file.read_text(encoding="utf-8")
        assert with_tables(page, report.name, tables) == page


def test_no_table_is_on_the_page_whose_run_is_not_kept() -> None:
    page = README.read_text(encoding="utf-8")
    filled = {
        name
        for name in re.findall(r"<!-- end of (\S+) -->", page)
        if f"<!-- {name} -->\n<!-- end" not in page
    }
    assert filled >= MARKS
    assert filled == {path.stem for path in RUNS}


@pytest.mark.parametrize("path", summary.PAGES, ids=lambda path: path.name)
def test_the_table_of_speed_is_that_of_the_kept_runs(path: Path) -> None:
    page = path.read_text(encoding="utf-8")
    assert with_tables(page, summary.MARK, summary.summary()) == page


def test_a_row_has_the_ratio_and_both_sides_times_or_rates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = [Figures("torchserve 0.12", 16, [4.0]), Figures("this library", 16, [0.0314])]
    server = [
        Figures("torchserve 0.12", 1, [0.02], more={"p50 ms": 200.0, "p99 ms": 420.4}),
        Figures("this library", 1, [0.008], more={"p50 ms": 80.0, "p99 ms": 9.0}),
    ]
    cases = [
        CaseResult("a", "A case", "images", figures, []),
        CaseResult("b", "A server", "requests", server, []),
    ]
    Report("run", {}, cases).write(tmp_path / "run.json")
    monkeypatch.setattr(summary, "RUNS", tmp_path)
    assert summary.cells(summary.Row("reading", "run", "a")) == ["reading", "127x", "4.0 s", "31 ms"]
    assert summary.cells(summary.Row("served", "run", "b"))[1:] == [
        "2.5x",
        "50 requests/s, p99 420 ms",
        "125 requests/s, p99 9.0 ms",
    ]
