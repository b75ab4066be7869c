"""A step shows its progress on one line, and keeps its command's output in a log."""

from __future__ import annotations

import io
import os
import re
import sys
from pathlib import Path

import pytest

from examples import steps
from examples.steps import ProgressLine, StepFailedError, run_step


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_step_prints_one_line_and_logs_the_rest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_step("greet", python("print('hello'); print('world')"), tmp_path / "new" / "greet.log")
    assert re.fullmatch(r"    ok  greet  \d+\.\d s\n", capsys.readouterr().out)
    assert (tmp_path / "new" / "greet.log").read_text() == "hello\nworld\n"


def test_a_failing_step_names_its_log_and_gives_its_last_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = "import sys; [print(i) for i in range(100)]; sys.exit('no such thing')"
    with pytest.raises(StepFailedError, match=r"break failed with exit status 1; .*break\.log") as failure:
        run_step("break", python(code), tmp_path / "break.log")
    lines = failure.value.tail().splitlines()
    assert "    no such thing" in lines
    assert len(lines) == steps.TAIL_LINES
    assert capsys.readouterr().out.startswith("FAILED  break")


def test_an_echoed_step_prints_its_output_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_step("greet", python("print('hello')"), tmp_path / "greet.log", echo=True)
    assert capsys.readouterr().out.startswith("hello\n    ok  greet")


def test_a_step_has_no_standard_input(tmp_path: Path) -> None:
    run_step("read", python("import sys; print(repr(sys.stdin.read()))"), tmp_path / "read.log")
    assert (tmp_path / "read.log").read_text() == "''\n"


@pytest.fixture
def collecting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A command that says "collecting" and ends once its progress line has shown that."""
    shown = tmp_path / "shown"
    show = ProgressLine.show

    def show_and_tell(self: ProgressLine, detail: str) -> None:
        show(self, detail)
        if detail == "collecting":
            shown.touch()

    monkeypatch.setattr(ProgressLine, "show", show_and_tell)
    monkeypatch.setattr(steps, "POLL_SECONDS", 0.02)
    wait = f"while not pathlib.Path({str(shown)!r}).exists(): time.sleep(0.01)"
    return python(f"import pathlib, time; print('collecting')\n{wait}")


def test_a_long_step_says_now_and_then_what_it_does(
    collecting: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(steps, "HEARTBEAT_SECONDS", 0.0)
    run_step("wait", collecting, tmp_path / "wait.log")
    assert re.search(r"^   \.\.\.  wait  \d+ s  collecting$", capsys.readouterr().out, re.MULTILINE)


class Terminal(io.StringIO):
    """A terminal, as far as a progress line can tell."""

    def isatty(self) -> bool:
        return True


def test_on_a_terminal_the_line_is_redrawn_in_place(
    collecting: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    run_step("wait", collecting, tmp_path / "wait.log")
    *drawn, last = terminal.getvalue().split("\r")
    assert any(re.match(r"   \.\.\.  wait  \d+ s  collecting", line) for line in drawn)
    assert re.fullmatch(r"    ok  wait  \d+\.\d s\n", last)


def test_an_interrupted_step_leaves_no_process_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[int] = []

    def interrupt(self: ProgressLine, detail: str) -> None:
        if detail:
            started.append(int(detail))
            raise KeyboardInterrupt

    monkeypatch.setattr(ProgressLine, "show", interrupt)
    monkeypatch.setattr(steps, "INTERRUPT_GRACE_SECONDS", 0.1)
    with pytest.raises(KeyboardInterrupt):
        run_step("wait", python("import os, time; print(os.getpid()); time.sleep(60)"), tmp_path / "wait.log")
    with pytest.raises(ProcessLookupError):
        os.kill(started[0], 0)
