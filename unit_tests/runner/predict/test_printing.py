"""Answers that are printed: in tables, which are not held in memory, and as one JSON list."""

from __future__ import annotations

import json
import os
import signal
import sys

import pytest

from ts.runner.predict import printing
from unit_tests.runner.predict.conftest import Place


def test_tables_are_printed_as_answers_come(
    place: Place, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printing, "ROWS", 2)
    place.write(a="one", b="two", c="bad broken")
    assert place.here("in") == 1
    out, errors = capfd.readouterr()
    tables = out.split("┏")[1:]
    assert [[name for name in ("a.txt", "b.txt", "c.txt") if name in table] for table in tables] == [
        ["a.txt", "b.txt"],
        ["c.txt"],
    ]
    counts, now, refused = errors.splitlines()
    assert counts == "3 files: 2 times 200, 1 times 400"
    assert now.startswith("3 answered now, in ")
    assert refused == "in/c.txt: 400 it is broken"


def test_of_a_few_answers_nothing_is_told_but_they(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    place.write(a="one", b="two")
    assert place.here("in") == 0
    assert capfd.readouterr().err == ""


def test_json_is_one_list_in_the_order_of_the_inputs(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    place.write(a="one", b="bad broken", c="picture")
    assert place.here("in/c.txt", "in", "--json") == 1
    out = capfd.readouterr().out
    documents = json.loads(out)
    assert [(each["input"], each["status"]) for each in documents] == [
        ("in/c.txt", 200),
        ("in/a.txt", 200),
        ("in/b.txt", 400),
        ("in/c.txt", 200),
    ]
    assert out == json.dumps(documents, indent=2) + "\n"


@pytest.mark.skipif(sys.platform == "win32", reason="signals are others there")
def test_json_is_a_whole_document_after_ctrl_c_too(place: Place) -> None:
    place.write(a="one", b="two", c="interrupt")
    stopped = place.run("in", "--json")
    assert stopped.returncode == 128 + signal.SIGINT
    assert [each["input"] for each in json.loads(stopped.stdout)] == ["in/a.txt", "in/b.txt"]


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no terminals")
def test_on_a_terminal_a_bar_says_how_far_it_is(place: Place) -> None:
    place.write(a="one", b="bad broken", c="three", d="four")
    terminal, end = os.openpty()
    process = place.start("in", "--output", "a.jsonl", stderr=end, env={"TERM": "xterm", "COLUMNS": "100"})
    os.close(end)
    shown = read_all(terminal)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert out.startswith("4 files: 3 times 200, 1 times 400\n")
    assert "answering" in shown
    assert "4/4" in shown
    assert "1 refused" in shown
    assert "broken" not in shown


def read_all(terminal: int) -> str:
    parts = []
    try:
        while part := os.read(terminal, 65536):
            parts.append(part)
    except OSError:  # the other end is closed
        pass
    os.close(terminal)
    return b"".join(parts).decode()
