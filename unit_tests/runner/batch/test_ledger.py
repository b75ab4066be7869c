"""A job's files and answers on disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ts.runner.batch.ledger import Ledger, shown
from ts.runner.batch.row import Row
from ts.runner.errors import InputError

FINE = Row("b", 200, None, b"fine")
REFUSED = Row("a", 400, "application/json", b"{}")
DIES = """
import os, signal, sys
from pathlib import Path
from ts.runner.batch.ledger import Ledger
from ts.runner.batch.row import Row

ledger = Ledger(Path(sys.argv[1]))
ledger.facts = {"model": "kitten"}
ledger.add(["c", "b", "a"])
ledger.record([Row("b", 200, None, b"fine")])
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger")


def test_files_are_asked_in_their_order_and_each_once(ledger: Ledger) -> None:
    ledger.add(["c", "a", "b", "c"])
    ledger.add(["a"])
    assert ledger.unanswered(2) == ["c", "a"]
    assert ledger.unanswered(10) == ["c", "a", "b"]
    assert ledger.counts() == {None: 3}


def test_the_first_answer_to_a_file_stays(ledger: Ledger) -> None:
    ledger.add(["a", "b", "c"])
    assert ledger.record([FINE, REFUSED]) == 2
    assert ledger.record([Row("b", 503, None, b"late")]) == 0
    assert ledger.unanswered(10) == ["c"]
    assert list(ledger.rows()) == [REFUSED, FINE]
    assert ledger.refused(10) == [REFUSED]
    assert ledger.refused(0) == []
    assert ledger.counts() == {None: 1, 200: 1, 400: 1}


def test_what_was_answered_outlives_a_process_that_is_killed(tmp_path: Path) -> None:
    place = tmp_path / "ledger"
    killed = subprocess.run([sys.executable, "-c", DIES, str(place)])
    assert killed.returncode == -9
    ledger = Ledger(place)
    assert ledger.facts == {"model": "kitten"}
    assert list(ledger.rows()) == [FINE]
    assert ledger.unanswered(10) == ["c", "a"]


def test_two_processes_cannot_have_one(ledger: Ledger) -> None:
    with pytest.raises(InputError, match="cannot be opened: another process is at work on it"):
        Ledger(ledger.place)


def test_what_is_no_ledger_is_told(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database at all" * 100)
    with pytest.raises(InputError, match="text cannot be opened: file is not a database"):
        Ledger(tmp_path / "text")


def test_a_disk_that_is_full_is_told_and_what_was_written_stays(ledger: Ledger) -> None:
    ledger.add(["a", "b"])
    ledger.record([FINE])
    ledger._file.execute("PRAGMA max_page_count = 1")
    with pytest.raises(InputError, match="ledger cannot be written: database or disk is full"):
        ledger.record([Row("a", 200, None, b"x" * 100_000)])
    assert list(ledger.rows()) == [FINE]


def test_deleted_nothing_of_it_is_left(ledger: Ledger, tmp_path: Path) -> None:
    ledger.add(["a"])
    ledger.delete()
    assert not ledger.is_open
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are UTF-8 elsewhere")
def test_names_that_are_no_utf8_are_kept_for_reading_and_shown_escaped(ledger: Ledger) -> None:
    name = os.fsdecode(b"a\xff.jpg")
    assert shown(name) == r"a\xff.jpg"
    ledger.add([name])
    assert ledger.unanswered(10) == [name]
    ledger.record([Row(name, 200, None, b"x")])
    assert [row.path for row in ledger.rows()] == [r"a\xff.jpg"]
    assert ledger.unanswered(10) == []
