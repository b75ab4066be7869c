"""The benchmark of the detectors: what it measures, and with what it goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.cases import OPENVINO, OURS, TORCHSERVE, Case
from benchmarks.detecting import __main__ as command
from benchmarks.detecting.__main__ import main
from benchmarks.detecting.cases import FAMILY, chosen, is_start
from benchmarks.measuring import in_turn
from benchmarks.results import CaseResult, Figures, read

SMALLEST = "ssdlite320_mobilenet_v3_large"


def test_both_sides_are_timed_and_give_the_same_answers(
    torchserve: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "measure", without_openvino)
    path, work = tmp_path / "figures.json", tmp_path / "work"
    asked = [
        "--upstream",
        str(torchserve),
        "--quick",
        "--json",
        str(path),
        "--work",
        str(work),
        "--seed",
        "1",
    ]
    main([*asked, "--only", f"{SMALLEST}/1"])
    (case,) = read(path).cases
    its, ours = case.figures
    assert (its.name, ours.name) == (TORCHSERVE, OURS)
    assert [len(each.seconds) for each in case.figures] == [1, 1]
    assert ours.agrees, ours.agreement
    assert not (ours.agreement or "").startswith("the same 0 detections")
    assert (work / f"{SMALLEST}-1" / "archive" / "network.py").is_file()


def without_openvino(case: Case, *args: Any) -> CaseResult:
    contenders = tuple(each for each in case.contenders if each.name != OPENVINO)
    return in_turn.measure(command.replace(case, contenders=contenders), *args)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The cases that a command has measured, none of them really."""
    names: list[str] = []

    def fake(case: Case, plan: in_turn.Plan, folder: Path) -> CaseResult:
        names.append(f"{case.name} {plan.rounds} {plan.seed}")
        (folder / "left").touch()
        figures = [Figures(each.name, case.rows, [1.0], first=2.0) for each in case.contenders]
        return CaseResult(case.name, case.title, case.unit, figures, [])

    monkeypatch.setattr(command, "measure", fake)
    return names


def test_what_is_in_the_file_is_not_measured_again_and_the_seed_is_its(
    torchserve: Path, tmp_path: Path, measured: list[str]
) -> None:
    asked = ["--upstream", str(torchserve), "--json", str(tmp_path / "figures.json"), "--resume", "--only"]
    main([*asked, f"{SMALLEST}/4", "--seed", "5"])
    report = main([*asked, SMALLEST, "--seed", "6", "--rounds", "9"])
    assert measured == [f"{SMALLEST}/4 3 5", f"{SMALLEST}/start 2 5", f"{SMALLEST}/1 3 5"]
    assert [case.name for case in report.cases] == [f"{SMALLEST}/{name}" for name in ("start", "1", "4")]
    assert read(tmp_path / "figures.json") == report


def test_a_start_finds_nothing_that_was_kept_and_what_follows_does(
    torchserve: Path, tmp_path: Path, measured: list[str]
) -> None:
    old = tmp_path / f"{SMALLEST}-5" / "old"
    old.mkdir(parents=True)
    asked = ["--upstream", str(torchserve), "--work", str(tmp_path), "--seed", "5", "--only"]
    main([*asked, f"{SMALLEST}/4"])
    assert old.is_dir()
    main([*asked, SMALLEST])
    assert not old.exists()
    assert (tmp_path / f"{SMALLEST}-5" / "left").is_file()


def test_an_unknown_network_and_a_wrong_folder_are_named(
    torchserve: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (["--upstream", str(torchserve), "--only", "yolo"], ["--upstream", str(tmp_path)]):
        with pytest.raises(SystemExit):
            main(arguments)
    said = capsys.readouterr().err
    assert "invalid choice: 'yolo'" in said
    assert "holds no ts/model_server.py" in said


def test_of_each_network_the_start_comes_first_and_names_are_unique() -> None:
    names = [case.name for _, case in chosen([])]
    assert len({*names}) == len(names) == 3 * len(FAMILY)
    assert [is_start(case) for _, case in chosen(["fcos_resnet50_fpn"])] == [True, False, False]
    assert [case.name for _, case in chosen(["fcos_resnet50_fpn/4"])] == ["fcos_resnet50_fpn/4"]
    for _, case in chosen([]):
        assert {goal.of for goal in case.goals} <= {each.name for each in case.contenders}
