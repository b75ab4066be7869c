"""What keeps the answers of a job: what is refused, gone on with, and left."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from ts.runner.batch.outputs import stores
from ts.runner.batch.outputs.lines import JsonLines
from ts.runner.batch.outputs.stores import Store, check_output, open_store
from ts.runner.batch.row import Row
from ts.runner.errors import InputError

FACTS: dict[str, Any] = {"model": "kitten", "options": {}}
FINE, REFUSED, LATE = (
    Row("a", 200, None, b"{}"),
    Row("b", 400, None, b'{"code": 400}'),
    Row("a", 200, None, b"[1]"),
)
LINES = {"jsonl": 2, "csv": 3, "ndjson": 2}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def opened(suffix: str, **options: Any) -> Store:
    if suffix == "parquet":
        pytest.importorskip("pyarrow", exc_type=ImportError)
    return open_store(Path(f"a.{suffix}"), options.pop("facts", FACTS), **options)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("suffix", LINES)
def test_lines_are_there_as_they_come_and_a_first_answer_stays(suffix: str) -> None:
    store = opened(suffix)
    store.ledger.add(["a", "b", "c"])
    assert store.record([FINE, REFUSED]) == 2
    assert len(Path(f"a.{suffix}").read_text().splitlines()) == LINES[suffix]
    assert store.record([LATE]) == 0
    assert len(Path(f"a.{suffix}").read_text().splitlines()) == LINES[suffix]
    assert store.ledger.unanswered(10) == ["c"]
    assert store.ledger.refused(10) == [REFUSED]
    store.leave()


@pytest.mark.parametrize("suffix", [*LINES, "parquet"])
def test_a_job_is_gone_on_with_only_if_that_is_said_and_it_is_the_same(suffix: str) -> None:
    store = opened(suffix)
    store.record([FINE, REFUSED])
    store.leave()
    with pytest.raises(
        InputError, match="--resume goes on with it and asks only what has no answer; --force"
    ):
        opened(suffix)
    for facts in ({**FACTS, "options": {"topk": "3"}}, {**FACTS, "saved in": "out"}, {"model": "kitten"}):
        with pytest.raises(
            InputError, match=rf"a\.{suffix} was begun with .*: --resume goes on with the same"
        ):
            opened(suffix, resume=True, facts=facts)
    store = opened(suffix, resume=True)
    store.ledger.add(["a", "b", "c"])
    assert store.ledger.unanswered(10) == ["c"]
    assert store.ledger.counts() == {None: 1, 200: 1, 400: 1}
    store.record([Row("c", 200, None, b"{}")])
    store.finish()
    again = opened(suffix, resume=True)
    assert again.ledger.counts() == {200: 2, 400: 1}
    again.leave()


@pytest.mark.parametrize("suffix", [*LINES, "parquet"])
def test_begun_anew_nothing_of_before_is_left(suffix: str) -> None:
    store = opened(suffix)
    store.record([FINE, REFUSED])
    store.finish()
    store = opened(suffix, force=True, facts={"model": "tiger"})
    assert store.ledger.counts() == {}
    store.record([REFUSED])
    store.leave()
    store = opened(suffix, resume=True, facts={"model": "tiger"})
    assert store.ledger.counts() == {400: 1}
    store.leave()


@pytest.mark.parametrize("suffix", [*LINES, "parquet"])
def test_two_processes_cannot_have_one(suffix: str) -> None:
    store = opened(suffix)
    store.record([FINE])
    for options in ({"resume": True}, {"force": True}):
        with pytest.raises(InputError, match="cannot be opened: another process is at work on it"):
            opened(suffix, **options)
    store.record([REFUSED])
    store.leave()
    store = opened(suffix, resume=True)
    assert store.ledger.counts() == {200: 1, 400: 1}
    store.leave()


@pytest.mark.parametrize("suffix", [*LINES, "parquet"])
def test_of_a_job_without_an_answer_nothing_stays(suffix: str, folder: Path) -> None:
    store = opened(suffix)
    store.ledger.add(["a"])
    store.leave()
    assert names(folder) == []


@pytest.mark.parametrize("torn", [b'{"input": "c", "st', b'{"input": "c"', b"{", b""])
def test_a_torn_line_is_cut_off_and_what_was_lost_with_it_is_asked_again(torn: bytes) -> None:
    store = opened("jsonl")
    store.record([FINE, REFUSED])
    store.leave()
    whole = Path("a.jsonl").read_bytes()
    Path("a.jsonl").write_bytes(whole + torn)
    store = opened("jsonl", resume=True)
    store.ledger.add(["a", "b", "c"])
    assert store.ledger.unanswered(10) == ["c"]
    store.record([Row("c", 200, None, b"{}")])
    store.finish()
    assert Path("a.jsonl").read_bytes() == whole + b'{"input": "c", "status": 200, "response": {}}\n'


def test_a_last_line_without_its_end_is_an_answer() -> None:
    store = opened("jsonl")
    store.record([FINE])
    store.leave()
    Path("a.jsonl").write_bytes(Path("a.jsonl").read_bytes().rstrip())
    store = opened("jsonl", resume=True)
    store.record([REFUSED])
    store.finish()
    assert [json.loads(line)["input"] for line in Path("a.jsonl").read_text().splitlines()] == ["a", "b"]


def test_a_torn_header_is_written_again() -> None:
    opened("csv").finish()
    Path("a.csv").write_bytes(b"input,sta")
    opened("csv", resume=True).finish()
    assert Path("a.csv").read_text() == "input,status,label,score,response,saved\n"


def test_a_file_of_which_nobody_knows_what_was_asked_is_not_gone_on_with() -> None:
    Path("a.jsonl").write_bytes(JsonLines().line(FINE))
    with pytest.raises(
        InputError, match=r"a\.jsonl lies without its \.a\.jsonl\.job, so that it is not known"
    ):
        opened("jsonl", resume=True)
    assert Path("a.jsonl").read_bytes() == JsonLines().line(FINE)


def test_a_file_that_holds_something_else_stays_as_it_is() -> None:
    opened("jsonl").finish()
    Path("a.jsonl").write_text("one\ntwo\n")
    with pytest.raises(InputError, match=r"a\.jsonl has no answer in line 1: --resume cannot go on with it"):
        opened("jsonl", resume=True)
    assert Path("a.jsonl").read_text() == "one\ntwo\n"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no limits of files")
def test_a_full_disk_is_told_and_what_was_written_stays_whole() -> None:
    import resource

    store = opened("jsonl")
    store.record([FINE])
    before = Path("a.jsonl").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 10, limits[1]))
    try:
        with pytest.raises(InputError, match=r"a\.jsonl cannot be written: File too large"):
            store.record([REFUSED])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert Path("a.jsonl").read_bytes() == before
    assert store.ledger.counts() == {200: 1}
    store.leave()


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("a.xlsx", r"--output a\.xlsx: answers are written as \.jsonl, \.ndjson, \.csv, \.parquet"),
        ("a", "answers are written as"),
        ("absent/a.csv", "there is no folder absent"),
    ],
)
def test_what_cannot_be_an_output(output: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_output(Path(output), may_be_there=False)


def test_a_folder_that_cannot_be_written_in_is_told(folder: Path) -> None:
    (folder / "a.jsonl").mkdir()
    with pytest.raises(InputError, match=r"a\.jsonl cannot be written: "):
        open_store(Path("a.jsonl"), FACTS, force=True)
    (folder / ".b.jsonl.job").mkdir()
    with pytest.raises(InputError, match=r"b\.jsonl cannot be written: "):
        open_store(Path("b.jsonl"), FACTS)


def test_without_pyarrow_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    way_out = r"pip install 'torchserve-handlers\[parquet\]', or write \.jsonl or \.csv"
    with pytest.raises(InputError, match=rf"needs pyarrow \(.*\): {way_out}"):
        check_output(Path("a.parquet"), may_be_there=False)


def test_without_an_output_answers_are_only_counted(folder: Path) -> None:
    store = open_store(None, FACTS)
    assert not store.goes_on
    assert store.record([FINE, REFUSED]) == 2
    assert store.ledger.refused(5) == [REFUSED]
    store.finish()
    assert names(folder) == []


def test_saved_answers_are_in_their_files_alone() -> None:
    pytest.importorskip("pyarrow")
    from ts.runner.batch.outputs.table import read_rows

    store = opened("parquet", facts={**FACTS, stores.SAVED_IN: "out"})
    rows = [
        Row("a", 200, "image/png", b"\x89PNG", "out/a.png"),
        Row("b", 200, None, b"\xff", "out/b.bin"),
        Row("c", 200, None, b'{"x": 1}', "out/c.json"),
        Row("d", 400, None, b"{}"),
    ]
    store.record(rows[:2])
    store.leave()
    store = opened("parquet", resume=True, facts={**FACTS, stores.SAVED_IN: "out"})
    assert list(store.ledger.saved()) == ["out/a.png", "out/b.bin"]
    store.record(rows[2:])
    store.finish()
    found = list(read_rows(Path("a.parquet")))
    assert [row.content for row in found] == [b"", b"", b'{"x": 1}', b"{}"]
    assert [row.saved for row in found] == ["out/a.png", "out/b.bin", "out/c.json", None]
