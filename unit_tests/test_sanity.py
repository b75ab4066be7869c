"""The sanity script runs every step, tells of each on a line, and ends non-zero if one failed."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from examples import sanity as torchserve_sanity
from examples.environment import OLDEST_TORCH, ROOT, Environment
from examples.sanity import Step

PASSES = Step("passes", ("-c", "print('fine')"))
FAILS = Step("fails", ("-c", "import sys; sys.exit('a reason')"))
TELLS = Step("tells", ("-c", "print('1 passed in 0.1s')"), echo=True)


class ThisPython(Environment):
    """Stands for the environment: the Python that runs the tests."""

    ensured: ClassVar[list[ThisPython]] = []

    @property
    def python(self) -> Path:
        return Path(sys.executable)

    def ensure(self, extras: Iterable[str] = ()) -> None:
        self.ensured.append(self)


def run_main(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, steps: list[Step], *arguments: str) -> int:
    monkeypatch.setattr(torchserve_sanity, "Environment", ThisPython)
    monkeypatch.setattr(torchserve_sanity, "LOGS", tmp_path)
    monkeypatch.setattr(torchserve_sanity, "STEPS", tuple(steps))
    monkeypatch.setattr(sys, "argv", ["torchserve_sanity.py", *arguments])
    monkeypatch.chdir(tmp_path)
    return torchserve_sanity.main()


def test_a_line_a_step_and_a_summary(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_main(monkeypatch, tmp_path, [PASSES, PASSES]) == 0
    first, second, blank, summary = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"    ok  passes  \d+\.\d s", first)
    assert re.fullmatch(r"    ok  passes  \d+\.\d s", second)
    assert blank == ""
    assert re.match(r"all 2 steps passed in \d+ s; logs in ", summary)


def test_a_failed_step_shows_why_and_the_others_still_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_main(monkeypatch, tmp_path, [FAILS, PASSES]) == 1
    output = capsys.readouterr().out
    assert "FAILED  fails" in output
    assert "    a reason\n" in output
    assert "    ok  passes" in output
    assert "failed: fails in" in output
    assert (tmp_path / "sanity" / "fails.log").read_text() == "a reason\n"


def test_the_tests_own_closing_line_reaches_the_output(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_main(monkeypatch, tmp_path, [TELLS]) == 0
    assert "1 passed in 0.1s" in capsys.readouterr().out.splitlines()


def test_a_step_that_passes_may_warn(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    warns = Step("speed", ("-c", "print('fine\\nwarning: slower than in the kept run')"))
    assert run_main(monkeypatch, tmp_path, [warns]) == 0
    passed, warning = capsys.readouterr().out.splitlines()[:2]
    assert passed.startswith("    ok  speed")
    assert warning == "        warning: slower than in the kept run"


def test_only_runs_the_steps_that_it_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_main(monkeypatch, tmp_path, [FAILS, PASSES], "--only", "passes") == 0
    assert "fails" not in capsys.readouterr().out


def test_an_unknown_step_is_refused_with_the_names_of_the_known_ones(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run_main(monkeypatch, tmp_path, [PASSES], "--only", "everything")
    assert "passes" in capsys.readouterr().err


def chosen(*arguments: str) -> dict[str, Step]:
    return {
        step.name: step
        for step in torchserve_sanity.choose_steps(torchserve_sanity.parse_arguments(arguments))
    }


def test_fast_has_the_checks_and_the_tests_that_are_not_slow() -> None:
    fast = chosen("--fast")
    assert list(fast) == ["lint", "format", "types", "tests"]
    assert fast["tests"].arguments[-2:] == ("-m", "not slow and not long")
    assert fast["types"] == chosen()["types"]
    assert list(chosen("--fast", "--only", "docs")) == ["docs"]


def test_coverage_is_measured_of_the_tests() -> None:
    measured, plain = chosen("--coverage"), chosen()
    assert [name for name in plain if measured[name] != plain[name]] == ["tests"]
    assert "--cov" in measured["tests"].arguments


def test_oldest_runs_the_tests_alone_in_an_environment_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torchserve_sanity, "OLDEST_TORCH_NEWEST_PYTHON", sys.version_info[:2])
    tests = replace(TELLS, name="tests")
    assert run_main(monkeypatch, tmp_path, [FAILS, tests, FAILS], "--oldest") == 0
    assert "1 passed in 0.1s" in capsys.readouterr().out
    assert [log.name for log in (tmp_path / "sanity").iterdir()] == ["tests-oldest.log"]
    environment = ThisPython.ensured[-1]
    assert environment.folder.name == ".venv-oldest"
    assert "torch==2.3.1" in environment.requirements


def test_long_runs_the_long_tests_alone() -> None:
    assert {name: step.arguments[-2:] for name, step in chosen("--long").items()} == {
        "tests-long": ("-m", "long")
    }


def test_oldest_and_fast_go_together() -> None:
    assert "not slow and not long" in chosen("--fast", "--oldest")["tests-oldest"].arguments


def test_oldest_leaves_out_folders_that_there_are() -> None:
    everything, oldest = chosen()["tests"], chosen("--oldest")["tests-oldest"]
    left_out = [argument.partition("=")[2] for argument in oldest.arguments[len(everything.arguments) :]]
    assert "unit_tests/server/engines" in left_out
    assert all((torchserve_sanity.ROOT / folder).is_dir() for folder in left_out)


def test_oldest_refuses_a_choice_of_steps(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run_main(monkeypatch, tmp_path, [PASSES], "--oldest", "--only", "passes")
    assert "not allowed with" in capsys.readouterr().err


def test_oldest_says_that_a_python_is_too_new_for_it_and_touches_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torchserve_sanity, "OLDEST_TORCH_NEWEST_PYTHON", (3, 8))
    with pytest.raises(SystemExit, match="2"):
        run_main(monkeypatch, tmp_path, [PASSES], "--oldest")
    here = "{}.{}".format(*sys.version_info)
    said = f"torch==2.3.1 has no build for Python {here}: run --oldest with Python 3.8 or older\n"
    assert capsys.readouterr() == ("", said)
    assert not (tmp_path / "sanity").exists()


def test_the_oldest_environment_holds_the_oldest_torch_that_pyproject_promises() -> None:
    promised = re.findall(
        r'"(torch|torchvision)>=([\d.]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    )
    assert len(promised) == 2
    for name, oldest in promised:
        assert any(requirement.startswith(f"{name}=={oldest}.") for requirement in OLDEST_TORCH)
