"""Processes that do the same are found."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ts.utils import siblings
from ts.utils.siblings import count_siblings

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = "a_worker.py"
COUNTS = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from ts.utils.siblings import count_siblings
for _ in sys.stdin:
    print(count_siblings({SCRIPT!r}), flush=True)
"""

pytestmark = pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="there is no /proc here")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[object]:
    """Starts a process in a folder, and returns a function that asks it how many siblings it sees."""
    with ExitStack() as stack:

        def process(folder: str, script: str = SCRIPT) -> object:
            (tmp_path / script).write_text(COUNTS)
            (tmp_path / folder).mkdir(exist_ok=True)
            started = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, str(tmp_path / script)],
                    cwd=tmp_path / folder,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(started.kill)

            def ask() -> int:
                print(file=started.stdin, flush=True)
                return int(started.stdout.readline())

            assert ask() >= 0  # it runs
            return ask

        yield process


def test_those_of_one_folder_count_and_no_others(start) -> None:
    first, second = start("model"), start("model")
    other, unlike = start("another"), start("model", "something_else.py")
    assert [first(), second()] == [2, 2]
    assert [other(), unlike()] == [1, 2]


def test_the_children_of_another_do_not_count(start) -> None:
    start("model")
    assert count_siblings(SCRIPT) == 0  # their parent is this process


def test_where_nothing_is_known_of_processes_there_are_none(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(siblings, "PROCESSES", tmp_path)
    assert count_siblings(SCRIPT) == 0
