"""Nodes that go and come, and new content, while requests are answered, in a network of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.processes.namespace import run_in_namespace, why_not

SCENARIO = "unit_tests.runner.serving.ray.cluster"
SECONDS = 400  # a busy machine takes minutes for what takes 50 s


@pytest.fixture(scope="module")
def on_ray(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one run on one cluster has seen."""
    pytest.importorskip("ray")
    if reason := why_not():
        pytest.skip(reason)
    folder: Path = tmp_path_factory.mktemp("cluster")
    process = run_in_namespace(SCENARIO, str(folder), timeout=SECONDS)
    assert process.returncode == 0, process.stderr[-4000:]
    return json.loads((folder / "found.json").read_text())


def test_no_request_is_lost_when_a_node_is_killed(on_ray: dict[str, Any]) -> None:
    killed = on_ray["joined"]["killed"]
    assert killed["lost"] == []
    assert killed["answered"] > 100
    before, survived, after = killed["workers"]
    assert (before, survived, after) == (2, 1, 2)


def test_each_node_has_a_front_also_when_nodes_go_and_come(on_ray: dict[str, Any]) -> None:
    assert on_ray["joined"]["fronts"] == [2, 1, 2]


def test_a_server_that_joins_takes_away_only_what_it_brought(on_ray: dict[str, Any]) -> None:
    joined = on_ray["joined"]
    assert joined["applications"] == [["obeys:1.0", "theirs", "torchserve-handlers"], ["theirs"]]
    assert (joined["theirs before"], joined["theirs after"]) == ("theirs", "theirs")


def test_a_server_that_joins_answers_where_ray_serve_listens_already(on_ray: dict[str, Any]) -> None:
    assert on_ray["joined"]["port"] == 8098


def test_a_server_does_not_take_the_place_of_another(on_ray: dict[str, Any]) -> None:
    code, message = on_ray["joined"]["again"]
    assert code == "2"
    assert message.startswith("torch-model-runner: the cluster serves obeys:1.0, torchserve-handlers already")


def test_no_request_is_lost_by_an_update(on_ray: dict[str, Any]) -> None:
    update = on_ray["deployed"]["update"]
    assert update["lost"] == []
    assert update["broken"] == 0
    assert update["editions"] == [1, 2]


def test_what_is_deployed_with_a_bad_archive_is_served(on_ray: dict[str, Any]) -> None:
    assert on_ray["deployed"]["states"] == ["RUNNING", "DEPLOY_FAILED"]
    assert on_ray["deployed"]["broken"] == 503
