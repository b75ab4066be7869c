"""How a reader and a program get what the doctor found."""

from __future__ import annotations

import json
from typing import Callable

import pytest
from rich.console import Console

from ts import HANDLERS_VERSION
from ts.runner.doctor import report
from ts.runner.doctor.check import Check, NoAnswerError
from ts.runner.main import main

FINE = Check("torch", "ok", "torch 2.14.1")
ABSENT = Check("extras", "note", "none; not ray", "pip install 'torchserve-handlers[ray]'")
BYPASSED = Check("python", "wrong", "torchserve's own ts", "put /folder in front of PYTHONPATH")

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`run(checks, *arguments)` is the command's exit code and output, where the checks find these."""

    def run(checks: list[Check], *arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(report, "CHECKS", [lambda check=check: check for check in checks])
        return main(["doctor", *arguments]), capsys.readouterr().out

    return run


def test_a_line_a_check_and_a_line_of_what_to_do(run: Run) -> None:
    code, out = run([FINE, ABSENT])
    assert code == 0
    assert [line.rstrip() for line in out.splitlines()] == [
        "ok    torch   torch 2.14.1",
        "note  extras  none; not ray",
        "              -> pip install 'torchserve-handlers[ray]'",
    ]


def test_what_is_wrong_makes_it_1(run: Run) -> None:
    code, out = run([FINE, BYPASSED])
    assert code == 1
    assert "-> put /folder in front of PYTHONPATH" in out


def test_json_is_one_document(run: Run) -> None:
    code, out = run([BYPASSED], "--json")
    assert code == 1
    assert json.loads(out) == {
        "library": "torchserve-handlers",
        "version": HANDLERS_VERSION,
        "ok": False,
        "checks": [
            {
                "name": "python",
                "state": "wrong",
                "found": "torchserve's own ts",
                "advice": "put /folder in front of PYTHONPATH",
            }
        ],
    }


@pytest.mark.parametrize("error", [NoAnswerError("no answer"), PermissionError("no answer")])
def test_a_check_that_cannot_be_made_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def whose_java() -> Check:
        raise error

    monkeypatch.setattr(report, "CHECKS", [whose_java, lambda: FINE])
    assert report.examine() == [Check("whose java", "note", "cannot be told: no answer"), FINE]


def test_brackets_are_shown_as_they_are() -> None:
    console = Console(width=80)
    with console.capture() as capture:
        console.print(report.table([ABSENT]))
    assert "[ray]" in capture.get()


def test_the_version_is_this_librarys(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"torchserve-handlers {HANDLERS_VERSION}\n"
