"""A request's time and a worker's by parts, of moments that are known."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.parts.timeline import Batch, batches, cycle, latency


def noted(start: float, requests: list[str], worker: int = 1) -> dict[str, Any]:
    """A batch that comes at some second, and takes 16 until its answers have left."""
    moments = {"came": 0, "decoded": 1, "begun": 1.5, "ended": 12, "encoded": 13, "left": 16}
    hooks = {"preprocess": 2.0, "inference": 5.0, "postprocess": 3.0}
    return {
        **{name: start + moment for name, moment in moments.items()},
        **hooks,
        "worker": worker,
        "requests": requests,
    }


@pytest.fixture
def second() -> Batch:
    """It comes 4 seconds after the first has left, at 20."""
    (found,) = batches([noted(0, ["before"]), noted(20, ["a", "b"])])
    return found


WORK = {
    "message": 1,
    "reading": 2,
    "model": 5,
    "answer": 3,
    "rest of the handler": 0.5,
    "rest of the worker": 1.5,
}


def test_a_request_that_came_while_the_worker_was_busy_has_queued_so_long(second: Batch) -> None:
    found = latency([second], [("a", 10.0, 40.0)])
    assert found == {
        "queue": 6000,
        "frontend": 4000,
        **{part: 1000 * value for part, value in WORK.items()},
        "way back": 7000,
    }
    assert sum(found.values()) == 30_000


def test_a_request_that_came_later_has_not_queued(second: Batch) -> None:
    found = latency([second], [("a", 18.0, 40.0)])
    assert (found["queue"], found["frontend"]) == (0, 2000)
    assert sum(found.values()) == 22_000


def test_the_parts_are_means_over_requests_of_a_load_alone(second: Batch) -> None:
    found = latency([second], [("a", 10.0, 40.0), ("b", 18.0, 40.0), ("of another server", 0.0, 1.0)])
    assert found["queue"] == 3000
    assert sum(found.values()) == 26_000
    assert latency([second], []) == {}


def test_a_worker_is_idle_between_batches_and_its_parts_are_shared_by_their_requests(second: Batch) -> None:
    found = cycle([second], [("a", 10.0, 40.0), ("b", 18.0, 40.0)])
    assert found == {
        "idle": 2000,
        **{part: 500 * value for part, value in WORK.items()},
        "sending": 1500,
    }
    assert sum(found.values()) == pytest.approx(1000 * (36 - 16) / 2)
    assert cycle([second], [("of another load", 0.0, 1.0)]) == {}
    assert cycle([second], [("a", 17.0, 40.0)]) == {}  # its worker was free before the load began


def test_each_worker_has_a_batch_before_of_its_own() -> None:
    found = list(batches([noted(0, ["a"], 1), noted(5, ["b"], 2), noted(20, ["c"], 1), noted(30, ["d"], 2)]))
    assert [(each.requests, each.free) for each in found] == [(["c"], 16), (["d"], 21)]


def test_a_handler_without_hooks_has_all_its_time_as_rest() -> None:
    bare = {key: value for key, value in noted(20, ["a"]).items() if not key.endswith(("process", "ence"))}
    (found,) = batches([noted(0, ["before"]), bare])
    assert (found.work["reading"], found.work["model"], found.work["rest of the handler"]) == (0, 0, 10.5)
