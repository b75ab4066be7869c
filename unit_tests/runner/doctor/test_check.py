"""How the doctor asks another process, and what it makes of no answer."""

from __future__ import annotations

import sys

import pytest

from ts.runner.doctor import check
from ts.runner.doctor.check import NoAnswerError, ask


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_the_last_line_is_the_answer() -> None:
    assert ask(python("print('a package greets'); print('[1, null]')")) == [1, None]


def test_a_variable_is_handed_on() -> None:
    assert ask(python("import os; print(os.environ['NUMBER'])"), {"NUMBER": "7"}) == 7


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("raise SystemExit('no torch here')", "no torch here"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("print('not JSON')", "no answer"),
        ("", "no answer"),
    ],
)
def test_no_answer_is_told_by_the_last_line_of_what_went_wrong(code: str, why: str) -> None:
    with pytest.raises(NoAnswerError, match=why):
        ask(python(code))


def test_a_program_that_is_not_there_is_no_answer() -> None:
    with pytest.raises(NoAnswerError, match="/no/python does not start"):
        ask(["/no/python"])


def test_the_answer_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "SECONDS", 0.2)
    with pytest.raises(NoAnswerError, match=r"no answer within 0\.2 seconds"):
        ask(python("import time; time.sleep(600)"))
