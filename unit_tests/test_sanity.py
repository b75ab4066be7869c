"""The sanity script runs every step, tells of each on a line, and ends non-zero if one failed."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

import torchserve_sanity
from examples.environment import Environment
from torchserve_sanity import Step

PASSES = Step("passes", ("-c", "print('fine')"))
FAILS = Step("fails", ("-c", "import sys; sys.exit('a reason')"))
TELLS = Step("tells", ("-c", "print('1 passed in 0.1s')"), echo=True)


class ThisPython(Environment):
    """Stands for the environment: the Python that runs the tests."""

    @property
    def python(self) -> Path:
        return Path(sys.executable)

    def ensure(self, extras: Iterable[str] = ()) -> None:
        pass


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


def test_fast_leaves_out_the_live_server_alone() -> None:
    everything = {step.name: step for step in torchserve_sanity.choose_steps(None, fast=False)}
    fast = {step.name: step for step in torchserve_sanity.choose_steps(None, fast=True)}
    assert fast.keys() == everything.keys()
    assert [name for name in fast if fast[name] != everything[name]] == ["tests"]
    assert "--ignore=unit_tests/server" in fast["tests"].arguments
