"""Jobs, whose answers are made up here; no Ray."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable

import pytest

pytest.importorskip("pyarrow")

from ts.runner.archives.archive import open_archive
from ts.runner.batch import job as module
from ts.runner.batch.job import Job, digest_of, plan
from ts.runner.batch.listing import list_files
from ts.runner.batch.outputs.stores import open_store
from ts.runner.batch.outputs.table import read_facts, read_rows
from ts.runner.batch.question import Question
from ts.runner.batch.row import Row
from ts.runner.errors import ArchiveError, DeviceError, InputError, ServerError

FACTS = {"model": "kitten", "options": {}}


class Engine:
    """Answers files in pairs, the last ones first, until it has answered `most` pairs."""

    def __init__(self, most: int = 100) -> None:
        self.asked: list[str] = []
        self._most = most

    def __call__(self, paths: Sequence[str]) -> Iterator[list[Row]]:
        pairs = [paths[start : start + 2] for start in range(0, len(paths), 2)]
        for pair in reversed(pairs):
            if self._most == 0:
                raise KeyboardInterrupt
            self._most -= 1
            self.asked.extend(pair)
            yield [Row(path, 400 if path.endswith("3") else 200, None, path.encode()) for path in pair]


class Mute(Engine):
    def __call__(self, paths: Sequence[str]) -> Iterator[list[Row]]:
        yield from ()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six files in `in`."""
    (tmp_path / "in").mkdir()
    for number in range(6):
        (tmp_path / "in" / str(number)).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(engine: Engine, **options: Any) -> Job:
    facts = options.pop("facts", FACTS)
    with Job(open_store(Path("a.parquet"), facts, **options), list_files(["in"])) as job:
        job.run(engine, [].extend)
        job.finish()
    return job


def paths() -> list[str]:
    return [row.path for row in read_rows(Path("a.parquet"))]


def test_rows_are_in_the_order_of_the_files_in_whatever_order_answers_come(folder: Path) -> None:
    told: list[str] = []
    with Job(open_store(Path("a.parquet"), FACTS), list_files(["in"])) as job:
        job.run(Engine(), lambda rows: told.extend(row.path for row in rows))
        report = job.finish()
    assert told == ["in/4", "in/5", "in/2", "in/3", "in/0", "in/1"]
    assert paths() == [f"in/{number}" for number in range(6)]
    assert read_facts(Path("a.parquet")) == FACTS
    assert (report.files, report.answered, report.counts) == (6, 6, {200: 5, 400: 1})
    assert report.refused == [Row("in/3", 400, None, b"in/3")]
    assert sorted(path.name for path in folder.iterdir()) == ["a.parquet", "in"]


def test_a_job_that_was_ended_goes_on_with_what_has_no_answer(folder: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(Engine(most=2))
    assert not Path("a.parquet").exists()
    with pytest.raises(
        InputError, match=r"a\.parquet\.unfinished is a job that was not finished: --resume goes on"
    ):
        run(Engine())
    rest = Engine()
    run(rest, resume=True)
    assert rest.asked == ["in/0", "in/1"]
    assert paths() == [f"in/{number}" for number in range(6)]
    assert not Path("a.parquet.unfinished").exists()


def test_a_finished_job_goes_on_with_files_that_are_new(folder: Path) -> None:
    run(Engine())
    with pytest.raises(
        InputError, match=r"a\.parquet is there already: --resume goes on.*--force begins anew"
    ):
        run(Engine())
    (folder / "in" / "25").touch()
    rest = Engine()
    run(rest, resume=True)
    assert rest.asked == ["in/25"]
    assert paths() == ["in/0", "in/1", "in/2", "in/3", "in/4", "in/5", "in/25"]
    nothing = Engine()
    run(nothing, resume=True)
    assert nothing.asked == []


def test_other_options_or_another_archive_are_another_job(folder: Path) -> None:
    run(Engine())
    with pytest.raises(InputError, match=r"was begun with options \{\}, not options \{'topk': '3'\}"):
        run(Engine(), resume=True, facts={**FACTS, "options": {"topk": "3"}})
    Path("a.parquet").unlink()
    with pytest.raises(KeyboardInterrupt):
        run(Engine(most=1))
    with pytest.raises(InputError, match="was begun with model kitten, not model tiger"):
        run(Engine(), resume=True, facts={**FACTS, "model": "tiger"})
    run(Engine(), resume=True)


def test_a_job_without_an_answer_leaves_nothing(folder: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(Engine(most=0))
    assert [path.name for path in folder.iterdir()] == ["in"]


def test_files_are_taken_some_at_a_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FILES_AT_ONCE", 4)
    engine = Engine()
    run(engine)
    assert engine.asked == ["in/2", "in/3", "in/0", "in/1", "in/4", "in/5"]


def test_an_engine_that_answers_nothing_is_not_asked_for_ever(folder: Path) -> None:
    with pytest.raises(ServerError, match="6 files got no answer, the first of them in/0"):
        run(Mute())


def test_a_job_without_files_is_none_and_leaves_nothing(folder: Path) -> None:
    with pytest.raises(InputError, match="there are no files to be answered"):
        Job(open_store(Path("a.parquet"), FACTS), [])
    assert [path.name for path in folder.iterdir()] == ["in"]


def test_an_archive_is_checked_and_what_answers_depend_on_is_noted(
    archive: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = archive(batchSize=4, deviceType="gpu")
    monkeypatch.chdir(path.parent)
    question = Question((("topk", "3"),), (("X-Own", "1"),), True)
    planned = plan(path.name, question, batch_size=8)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert planned.options.source == f"{path}@sha256:{digest}"
    assert planned.options.settings.batch_size == 8
    assert planned.gpus == 1
    facts = dict(planned.facts)
    assert len(facts.pop("content")) == 64
    assert facts == {
        "model": "obeys",
        "version": "1.0",
        "options": {"topk": "3"},
        "headers": {"X-Own": "1"},
        "explain": True,
    }


def test_what_cannot_be_planned(archive: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match="may be auto or cpu"):
        plan(archive(), Question(), device="cuda:1")
    with pytest.raises(InputError, match=r"x\.yaml cannot be read"):
        plan(archive(), Question(), metrics_file="x.yaml")
    with pytest.raises(ArchiveError, match="does not exist"):
        plan(tmp_path / "absent.mar", Question())


def test_the_same_content_is_the_same_archive_whenever_it_was_packed(tmp_path: Path) -> None:
    def digest(folder: str, **manifest: Any) -> str:
        root = tmp_path / folder
        (root / "MAR-INF").mkdir(parents=True, exist_ok=True)
        (root / "own.py").write_text(manifest.pop("source", "1"))
        model = {"modelName": "tiny", "handler": "own.py", "modelVersion": "1.0"}
        (root / "MAR-INF" / "MANIFEST.json").write_text(json.dumps({"model": model, **manifest}))
        with open_archive(root) as archive:
            packed = replace(archive, source=tmp_path / "tiny.mar")  # as if it were no folder
            return digest_of(packed if folder == "packed" else archive)

    stated = {"sha256": {"own.py": "12"}}
    assert digest("packed", createdOn="today", **stated) == digest("packed", createdOn="tomorrow", **stated)
    assert digest("packed", **stated) != digest("packed", sha256={"own.py": "13"})
    assert digest("packed", createdOn="today") != digest(
        "packed", createdOn="tomorrow"
    )  # all that tells them apart
    assert digest("folder", createdOn="today") == digest("other", createdOn="tomorrow")
    assert digest("folder") != digest("folder", source="2")


def test_lines_are_in_the_order_in_which_answers_come_and_each_is_there_once(folder: Path) -> None:
    class Twice(Engine):
        def __call__(self, paths: Sequence[str]) -> Iterator[list[Row]]:
            for rows in super().__call__(paths):
                yield rows
                yield rows  # as when a worker's answers arrive and it is lost

    def run_lines(engine: Engine, **options: Any) -> list[str]:
        with Job(open_store(Path("a.jsonl"), FACTS, **options), list_files(["in"])) as job:
            job.run(engine, [].extend)
            job.finish()
        return [json.loads(line)["input"] for line in Path("a.jsonl").read_text().splitlines()]

    with pytest.raises(KeyboardInterrupt):
        run_lines(Twice(most=1))
    rest = Engine()
    assert run_lines(rest, resume=True) == ["in/4", "in/5", "in/2", "in/3", "in/0", "in/1"]
    assert rest.asked == ["in/2", "in/3", "in/0", "in/1"]


def test_answers_are_saved_before_they_are_kept(folder: Path) -> None:
    seen: list[str] = []

    def save(rows: Sequence[Row]) -> list[Row]:
        seen.extend(row.path for row in rows)
        return [row._replace(saved=f"out/{row.path}") for row in rows]

    with Job(open_store(Path("a.jsonl"), FACTS), list_files(["in"]), save=save) as job:
        job.run(Engine(), [].extend)
        assert sorted(job._ledger.saved()) == [f"out/in/{number}" for number in range(6)]
        job.finish()
    assert sorted(seen) == [f"in/{number}" for number in range(6)]
