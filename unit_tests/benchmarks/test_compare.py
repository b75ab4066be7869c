"""Two runs of a benchmark are compared by times beside the first contender's, and by how far rounds scatter."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import compare as script
from benchmarks.cases import OURS, TORCHSERVE
from benchmarks.compare import Change, compare
from benchmarks.results import CaseResult, Figures, Report

ITS = [1.0, 1.1, 0.9, 1.0]


def report(ours: list[float], its: list[float] = ITS, *, processor: str = "one", **others: Figures) -> Report:
    figures = [Figures(TORCHSERVE, 16, its), Figures(OURS, 16, ours), *others.values()]
    return Report(
        "handlers-cpu", {"processor": processor}, [CaseResult("case", "A case", "images", figures, [])]
    )


def times(factor: float) -> list[float]:
    return [factor * seconds for seconds in ITS]


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [
        (times(0.6), "slower"),
        (times(0.4), "faster"),
        (times(0.53), "same"),  # within the share that does not count
        ([0.3, 0.9, 0.4, 0.8], "same"),  # the rounds scatter over the old ones
    ],
)
def test_a_change_counts_where_it_is_larger_than_the_noise(ours: list[float], verdict: str) -> None:
    (change,) = compare(report(times(0.5)), report(ours), 0.1)
    assert change.verdict == verdict


def test_a_machine_that_is_slower_for_all_changes_nothing() -> None:
    slow = report([seconds * 3 for seconds in times(0.5)], [seconds * 3 for seconds in ITS])
    (change,) = compare(report(times(0.5)), slow, 0.1)
    assert change == Change(
        f"case, {OURS}", "same", f"0.5 (0.5 to 0.5) of the time of {TORCHSERVE}, was 0.5 (0.5 to 0.5)"
    )


def test_rows_count_and_not_batches() -> None:
    new = report(times(0.25))
    new.cases[0].figures[1].rows = 8
    (change,) = compare(report(times(0.5)), new, 0.1)
    assert change.verdict == "same"


def test_what_has_no_figures_any_more_is_named_and_what_never_had_is_not() -> None:
    bare = Figures("bare", 16, times(0.1))
    never = Figures("never", 16, missing="no GPU")
    old = report(times(0.5), bare=bare, never=never)
    new = report([], bare=never)
    new.cases[0].figures[1].missing = "RuntimeError: it broke"
    assert [(change.verdict, change.text) for change in compare(old, new, 0.1)] == [
        ("gone", "RuntimeError: it broke"),
        ("gone", "no contender of this name any more"),
    ]
    assert list(compare(old, Report("handlers-cpu", {}, []), 0.1)) == []  # a run of other cases


@pytest.mark.parametrize(("ours", "status"), [(0.6, 1), (0.5, 0), (0.4, 0)])
def test_the_command_prints_what_changed_and_ends_with_it(
    ours: float,
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    report(times(0.5)).write(tmp_path / "old.json")
    report(times(ours), processor="two").write(tmp_path / "new.json")
    monkeypatch.setattr("sys.argv", ["compare.py", str(tmp_path / "old.json"), str(tmp_path / "new.json")])
    assert script.main() == status
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "another processor: one, now two"
    changed = [line for line in said if line.startswith(("slower", "faster"))]
    assert (
        changed
        == {
            0.6: [
                f"slower  case, {OURS}: 0.6 (0.6 to 0.6) of the time of {TORCHSERVE}, was 0.5 (0.5 to 0.5)"
            ],
            0.5: [],
            0.4: [
                f"faster  case, {OURS}: 0.4 (0.4 to 0.4) of the time of {TORCHSERVE}, was 0.5 (0.5 to 0.5)"
            ],
        }[ours]
    )
    assert said[-1].startswith("1 compared: ")
