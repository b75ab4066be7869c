"""What is shown of the detectors."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.cases import OPENVINO, OURS, TORCHSERVE, Goal
from benchmarks.detecting.page import HANDLER, in_order, markdown, pages, summary
from benchmarks.measuring.in_turn import findings
from benchmarks.report import README
from benchmarks.results import CaseResult, Figures, Report

MACHINE = {"processor": "a processor", "cores": 2, "torch": "2.3", "date": "today", "gpu": None}
GOALS = [Goal(OURS, least=1.4), Goal(OPENVINO, least=1.4)]


def case(what: str, *seconds: float, first: Any = None, **more: Any) -> CaseResult:
    figures = [
        Figures(name, 4, [value, value, value], memory=1000 * value, first=first, **more)
        for name, value in zip((TORCHSERVE, OURS, OPENVINO), seconds)
    ]
    return CaseResult(f"fcos_resnet50_fpn/{what}", "A case", "images", figures, findings(GOALS, figures))


@pytest.fixture
def report() -> Report:
    cases = [case("start", 5.0, 4.0, 6.0, first=20.0), case("1", 1.2, 0.8, 0.6), case("4", 5.0, 2.5, 2.0)]
    return Report("detectors-cpu", MACHINE, cases)


def test_a_row_a_network_has_ratios_and_starts(report: Report) -> None:
    shown = summary(report)
    assert "| FCOS ResNet-50 | 5.0 s | 2.00x | 2.50x | 1.50x | 2.00x | 20.0 s | 6.0 s |" in shown
    assert shown.endswith("\n\na processor, 2 cores, torch 2.3.")
    assert "RetinaNet" not in shown


def test_all_figures_are_on_the_page_of_the_benchmarks(report: Report) -> None:
    report.cases[2].figures[1].agreement, report.cases[2].figures[1].agrees = "7 of 9 detections", False
    shown = markdown(report)
    assert "| FCOS ResNet-50 | 1 | 1,200 | 800 | 600 | 1.50x (1.50 to 1.50) | 2.00x (2.00 to 2.00) |" in shown
    assert "| 5,000 | 2,500 | 2,000 | DIFFERENT: 7 of 9 detections |  |" in shown
    assert "| FCOS ResNet-50 | 5.0 s | 4.0 s | 6.0 s | 20.0 s |" in shown
    assert pages(report) == {README: shown, HANDLER: summary(report)}


def test_what_is_missing_is_left_empty(report: Report) -> None:
    figures = report.cases[2].figures
    figures[2] = Figures(OPENVINO, 4, missing="openvino is not installed")
    report.cases[2:] = [CaseResult(report.cases[2].name, "", "images", figures, findings(GOALS, figures))]
    del report.cases[:2]
    assert "| FCOS ResNet-50 | 5.0 s | 2.00x |  |  |  |  |  |" in summary(report)
    assert "| FCOS ResNet-50 | 4 | 5,000 | 2,500 |  | 2.00x (2.00 to 2.00) |  |" in markdown(report)


def test_cases_are_in_the_familys_order(report: Report) -> None:
    report.cases.reverse()
    in_order(report)
    assert [each.name.rpartition("/")[2] for each in report.cases] == ["start", "1", "4"]
