"""The benchmark of the handlers runs, on its cheapest case."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.cases import OURS, TORCHSERVE, cpu_cases
from benchmarks.gpu_cases import cuda_cases
from benchmarks.handlers import main, warn_of_what_is_slower
from benchmarks.results import CaseResult, Figures, Report, read
from benchmarks.workers.processes import ROOT, Worker, WorkerError, search_path


def test_both_sides_are_timed_and_give_the_same_answers(torchserve, tmp_path):
    path = tmp_path / "figures.json"
    main(["--quick", "--only", "texts", "--json", str(path), "--seed", "1"])
    (result,) = read(path).cases
    figures = {each.name: each for each in result.figures}
    assert [each.missing for each in result.figures] == [None] * len(figures)
    assert [len(each.seconds) for each in result.figures] == [1] * len(figures)
    assert figures[TORCHSERVE].agrees is None
    if sys.platform == "linux":
        assert all(50 < (each.memory or 0) < 5000 for each in result.figures)
    assert figures[OURS].agrees, figures[OURS].agreement
    assert result.findings[0].text == f"{OURS} / {TORCHSERVE}, rate"


def test_what_is_slower_than_in_a_kept_run_is_a_warning(capsys):
    figures = [Figures(TORCHSERVE, 1, [1.0, 1.0]), Figures(OURS, 1, [0.1, 0.1])]
    kept = Report("handlers-cpu", {}, [CaseResult("texts", "Texts", "texts", figures, [])])
    slower = Figures(OURS, 1, [0.5, 0.5])
    new = Report("handlers-cpu", {}, [CaseResult("texts", "Texts", "texts", [figures[0], slower], [])])
    warn_of_what_is_slower(kept, kept)
    assert capsys.readouterr().out == ""
    warn_of_what_is_slower(kept, new)
    assert capsys.readouterr().out.startswith(
        f"warning: slower than in the kept run: texts, {OURS}: 0.5 (0.5 to 0.5) of the time of {TORCHSERVE}"
    )


def test_a_side_imports_its_own_handlers_first(torchserve):
    assert search_path("upstream", torchserve)[:2] == [str(torchserve), str(ROOT)]
    assert search_path("ours", torchserve)[:2] == [str(ROOT), str(torchserve)]
    for side in ("upstream", "ours", "machine"):
        assert not any(Path(path, "ts", "runner").is_dir() for path in search_path(side, torchserve)[2:])


def test_a_worker_says_in_one_line_why_it_cannot(torchserve):
    with Worker(search_path("ours", torchserve)) as worker:
        with pytest.raises(WorkerError, match="RuntimeError: no task has been prepared"):
            worker.ask("run", 0, 1)
        with pytest.raises(WorkerError, match="has no attribute 'nonsense'"):
            worker.ask("nonsense")


def test_names_of_cases_are_unique_and_goals_name_contenders():
    for cases in (cpu_cases(), cuda_cases(None)):
        assert len({case.name for case in cases}) == len(cases)
        for case in cases:
            names = [contender.name for contender in case.contenders]
            has_one = case.name != "texts-transformer"  # torchserve, a handler for it
            assert names[0] == (TORCHSERVE if has_one else OURS)
            assert len(set(names)) == len(names)
            assert {name for goal in case.goals for name in (goal.of, *goal.over)} <= set(names)


def test_an_unknown_case_and_a_wrong_folder_are_named(torchserve, tmp_path, capsys):
    with pytest.raises(SystemExit, match="there is no case 'nonsense'; there are preprocess-500x375"):
        main(["--upstream", str(torchserve), "--only", "nonsense"])
    with pytest.raises(SystemExit):
        main(["--upstream", str(tmp_path)])
    assert "holds no ts/model_server.py" in capsys.readouterr().err
