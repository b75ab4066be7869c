"""A bar on a terminal, and nothing elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from model_archiver.writing.progress import progress

ARGUMENTS = ("--model-name", "net", "-v", "1.0", "--handler", "answer.py", "--serialized-file", "weights.pt")


def run_on_a_terminal(arguments, environment, folder):
    """Runs a command whose standard error is a terminal; returns its status and what it showed."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    environment = {**environment, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(arguments, env=environment, cwd=folder, stderr=theirs, stdout=theirs) as process:
        os.close(theirs)
        shown = b""
        while chunk := read_terminal(ours):
            shown += chunk
    os.close(ours)
    return process.returncode, shown.decode()


def read_terminal(descriptor):
    try:
        return os.read(descriptor, 1 << 16)
    except OSError:  # how Linux tells that the other side is closed
        return b""


def test_a_terminal_shows_a_bar(command, environment, inputs):
    pytest.importorskip("rich")
    status, shown = run_on_a_terminal(command(*ARGUMENTS), environment, inputs)
    assert status == 0
    assert "packing net.mar" in shown
    assert "verifying" in shown


def test_a_terminal_without_rich_shows_nothing(command, environment, inputs):
    without = "import sys; sys.modules['rich'] = None"
    assert run_on_a_terminal(command(*ARGUMENTS, before=without), environment, inputs) == (0, "")


def test_anything_else_shows_nothing(capsys):
    with progress("packing", 10) as advance:
        advance(10)
    assert capsys.readouterr() == ("", "")


def test_a_process_without_standard_error_is_no_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with progress("packing", 10) as advance:
        advance(10)
