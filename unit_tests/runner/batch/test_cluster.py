"""Jobs on a Ray cluster, in a network of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.processes.namespace import run_in_namespace, why_not
from ts.runner.batch.cluster import Share, import_ray, sentence_of
from ts.runner.errors import ServerError
from unit_tests.runner.batch.scenario import DAMAGED, DEADLY, FILES, PICTURE, WAITING

SCENARIO = "unit_tests.runner.batch.scenario"
SECONDS = 600  # a busy machine takes minutes for what takes 40 s
PATHS = sorted(f"sub{number % 2}/{number:03}" for number in range(FILES))


@pytest.fixture(scope="module")
def on_ray(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one run on one cluster has seen."""
    pytest.importorskip("ray.data")
    if reason := why_not():
        pytest.skip(reason)
    folder: Path = tmp_path_factory.mktemp("batch")
    process = run_in_namespace(SCENARIO, str(folder), timeout=SECONDS)
    assert process.returncode == 0, process.stderr[-4000:]
    return json.loads((folder / "found.json").read_text())


def row_of(rows: list[dict[str, Any]], number: int) -> dict[str, Any]:
    return next(row for row in rows if row["path"].endswith(f"/{number:03}"))


@pytest.mark.parametrize("name", ["photos", "texts"])
def test_each_file_has_one_row_by_path_whatever_befell_the_job(on_ray: dict[str, Any], name: str) -> None:
    rows = on_ray["faults" if name == "photos" else "interruptions"]["rows"]
    assert [row["path"] for row in rows] == [f"{name}/{path}" for path in PATHS]
    special = {DEADLY: 503, DAMAGED: 400}
    assert [row["status"] for row in rows] == [special.get(int(path[-3:]), 200) for path in PATHS]
    for row in rows:
        number = int(row["path"][-3:])
        if number not in (DEADLY, DAMAGED, PICTURE, WAITING):
            assert json.loads(row["answer"])["said"] == f"{name} {number}"


def test_a_file_that_ends_its_worker_and_a_damaged_one_have_their_rows(on_ray: dict[str, Any]) -> None:
    rows = on_ray["faults"]["rows"]
    assert json.loads(row_of(rows, DEADLY)["answer"])["message"] == "Worker died."
    assert json.loads(row_of(rows, DAMAGED)["answer"]) == {"code": 400, "message": "it is damaged"}
    picture = row_of(rows, PICTURE)
    assert (picture["content_type"], picture["answer"], picture["body"]) == ("image/png", None, "\x89PNG")


def test_what_a_killed_process_of_rays_was_at_is_asked_again(on_ray: dict[str, Any]) -> None:
    assert on_ray["faults"]["other"] != on_ray["faults"]["killed"]
    assert row_of(on_ray["faults"]["rows"], WAITING)["status"] == 200


def test_options_go_with_each_file_and_a_worker_has_a_thread_a_cpu(on_ray: dict[str, Any]) -> None:
    answer = json.loads(on_ray["faults"]["rows"][0]["answer"])
    assert (answer["topk"], answer["threads"]) == ("3", "1")


def test_workers_share_a_gpu_where_they_are_told_to(on_ray: dict[str, Any]) -> None:
    waited = row_of(on_ray["interruptions"]["rows"], WAITING)  # which was answered last
    assert json.loads(waited["answer"])["gpu"] == "0"
    assert json.loads(on_ray["faults"]["rows"][0]["answer"])["gpu"] in ("", None)


def test_the_command_says_what_came_of_it_and_nothing_of_rays(on_ray: dict[str, Any]) -> None:
    faults = on_ray["faults"]
    assert faults["code"] == 1
    counts, now, *refused, where = faults["out"]
    assert counts == f"{FILES} files: {FILES - 2} times 200, 1 times 400, 1 times 503"
    assert now.startswith(f"{FILES} answered now, in ")
    assert refused == [
        f"photos/sub0/{DAMAGED:03}: 400 it is damaged",
        f"photos/sub1/{DEADLY:03}: 503 Worker died.",
    ]
    assert where == "The answers are in photos.parquet."
    assert "Traceback" not in faults["errors"]


def test_an_output_that_is_there_is_not_overwritten(on_ray: dict[str, Any]) -> None:
    again = on_ray["faults"]["again"]
    assert (again["code"], again["out"]) == (2, [])
    assert "photos.parquet is there already: --resume goes on with it" in again["errors"]


def test_what_was_answered_before_a_kill_is_not_asked_again(on_ray: dict[str, Any]) -> None:
    interruptions = on_ray["interruptions"]
    kept = [int(path[-3:]) for path in interruptions["kept"]]
    assert kept
    texts = [f"texts {number}" for number in kept if number not in (DEADLY, DAMAGED, PICTURE)]
    asked = [text for text in interruptions["asked"] if text in set(texts)]
    once = [text for text in texts if asked.count(text) == 1]
    beside = 4  # those of a batch in which another file ended the worker are asked alone once more
    assert len(texts) - len(once) <= beside
    assert max(map(asked.count, texts)) <= 2


def test_an_interrupted_job_says_what_is_kept_and_how_to_go_on(on_ray: dict[str, Any]) -> None:
    interrupted = on_ray["interruptions"]["interrupted"]
    assert (interrupted["code"], interrupted["out"]) == (130, [])
    assert (
        f"of {FILES} files are answered and kept; the same command with --resume goes on"
        in interrupted["errors"]
    )


def test_at_the_end_only_the_table_is_left(on_ray: dict[str, Any]) -> None:
    assert on_ray["interruptions"]["code"] == 1
    assert on_ray["interruptions"]["left"] == ["texts.parquet"]


@pytest.mark.parametrize(
    ("share", "free", "workers"),
    [
        (Share(), {"CPU": 4.0}, 4),
        (Share(cpus=0.5), {"CPU": 2.0}, 4),
        (Share(workers=3), {"CPU": 4.0}, 3),
        (Share(gpus=0.5), {"CPU": 16.0, "GPU": 2.0}, 4),
        (Share(cpus=0, gpus=0.25), {"CPU": 1.0, "GPU": 1.0}, 4),
        (Share(cpus=0), {"CPU": 2.0}, 1),
    ],
)
def test_there_are_as_many_workers_as_there_is_room_for(
    share: Share, free: dict[str, float], workers: int
) -> None:
    assert share.fitted(free).workers == workers


@pytest.mark.parametrize(
    ("share", "free", "message"),
    [
        (
            Share(workers=3),
            {"CPU": 2.0},
            "3 workers of 1 CPUs and 0 GPUs each are asked for, and the cluster has 2",
        ),
        (Share(gpus=1), {"CPU": 2.0}, "1 workers of 1 CPUs and 1 GPUs each are asked for"),
        (Share(), {}, "has 0 CPUs and 0 GPUs free: lower --workers"),
    ],
)
def test_a_cluster_that_is_too_small_is_an_error(share: Share, free: dict[str, float], message: str) -> None:
    with pytest.raises(ServerError, match=message):
        share.fitted(free)


def test_the_runners_own_sentence_is_told_of_a_long_traceback() -> None:
    text = "ray::X()\n  File a\nts.runner.errors.ServerError: handler 'a' did not start\n\nmore of Ray's"
    assert sentence_of(ValueError(text)) == "handler 'a' did not start"
    assert sentence_of(ValueError("one\ntwo")) == "two"
    assert sentence_of(ValueError()) == "ValueError"


def test_without_ray_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setitem(sys.modules, "ray.data", None)
    with pytest.raises(ServerError, match=r"pip install 'torchserve-handlers\[ray\]'"):
        import_ray()
