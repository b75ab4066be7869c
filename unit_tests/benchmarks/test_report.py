from __future__ import annotations

import pytest

from benchmarks.cases import OURS, TORCHSERVE, Goal
from benchmarks.measuring.in_turn import findings
from benchmarks.report import README, markdown, plot, text, with_tables
from benchmarks.results import CaseResult, Figures, Report, read

ITS = Figures(TORCHSERVE, 16, [0.4, 0.5, 0.6], answer_bytes=3000.0)
OUR = Figures(OURS, 16, [0.1, 0.1, 0.2], answer_bytes=30.0, agreement="numbers 1.0e-02", agrees=False)
ABSENT = Figures("nvJPEG alone", 16, missing="no GPU")


@pytest.fixture
def report():
    goals = [Goal(OURS, least=6), Goal(OURS, most=0.7, measure="time")]
    case = CaseResult("case", "A case", "images", [ITS, OUR, ABSENT], findings(goals, [ITS, OUR, ABSENT]))
    return Report("handlers-cpu", {"processor": "a processor", "gpu": None}, [case])


def test_a_ratio_is_that_of_the_medians_and_its_quartiles_those_of_the_rounds():
    (found,) = findings([Goal(OURS, least=6)], [ITS, OUR])
    assert found.value == pytest.approx(5)
    assert (found.low, found.high) == pytest.approx((3.5, 4.5))
    assert found.met is False


def test_of_several_contenders_the_slowest_counts():
    slow = Figures("slow", 4, [0.5, 0.5, 0.5])
    (found,) = findings([Goal(OURS, (TORCHSERVE, "slow"))], [ITS, OUR, slow])
    assert found.value == pytest.approx(160 / 8)
    assert found.met is None


def test_less_time_and_fewer_bytes_are_goals_too():
    time, size = findings(
        [Goal(OURS, most=0.7, measure="time"), Goal(OURS, measure="fewer bytes")], [ITS, OUR]
    )
    assert (time.value, time.met) == (pytest.approx(0.2), True)
    assert size.value == 100


def test_there_is_no_ratio_to_a_contender_without_figures():
    assert findings([Goal(OURS, (ABSENT.name,))], [OUR, ABSENT]) == []


def test_a_report_is_read_back_as_it_was_written(report, tmp_path):
    report.write(tmp_path / "report.json")
    assert read(tmp_path / "report.json") == report


def test_tables_mark_what_differs_what_is_missed_and_what_is_missing(report):
    for shown in (text(report), markdown(report)):
        assert "DIFFERENT: numbers 1.0e-02" in shown
        assert "MISSED" in shown
        assert "not available: no GPU" in shown
        assert "32 images" in shown


@pytest.mark.parametrize(
    "name",
    [
        "handlers-cpu",
        "handlers-cuda",
        "detectors-cpu",
        "server",
        "server-parts",
        "serving",
        "growth",
        "threads",
        "curves",
        "settings-cpu",
        "settings-cuda",
    ],
)
def test_the_page_has_a_place_for_the_tables_of_each_benchmark(name):
    page = README.read_text(encoding="utf-8")
    assert f"\n\nnew\n\n<!-- end of {name} -->" in with_tables(page, name, "new")


def test_a_plot_is_drawn_where_matplotlib_is(report, tmp_path):
    pytest.importorskip("matplotlib")
    report.machine.update(cores=2, torch="2.3", date="today")
    plot(report, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_tables_go_between_the_marks_of_their_name():
    page = "a\n<!-- x -->\nold\n<!-- end of x -->\nb"
    assert with_tables(page, "x", "new") == "a\n<!-- x -->\n\nnew\n\n<!-- end of x -->\nb"
    with pytest.raises(ValueError, match="no marks"):
        with_tables(page, "y", "new")
