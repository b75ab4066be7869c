"""Workers that follow the load, new versions and shares of GPUs, on a cluster in a network of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.processes.namespace import run_in_namespace, why_not

SCENARIO = "unit_tests.runner.serving.ray.growth"
SECONDS = 600


@pytest.fixture(scope="module")
def on_ray(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one run on one cluster has seen."""
    pytest.importorskip("ray")
    if reason := why_not():
        pytest.skip(reason)
    folder: Path = tmp_path_factory.mktemp("growth")
    process = run_in_namespace(SCENARIO, str(folder), timeout=SECONDS)
    assert process.returncode == 0, process.stderr[-4000:]
    return json.loads((folder / "found.json").read_text())


def test_workers_become_as_many_as_the_load_asks_for_and_few_again(on_ray: dict[str, Any]) -> None:
    assert on_ray["scaled"]["workers"] == [1, 3, 1]
    assert on_ray["scaled"]["lost"] == []
    assert on_ray["scaled"]["answered"] >= 100


def test_a_new_version_takes_over_without_a_lost_request(on_ray: dict[str, Any]) -> None:
    versions = on_ray["versions"]
    assert (versions["lost"], versions["broken"]) == ([], 0)
    assert (versions["editions"], versions["last"]) == ([1, 2], 2)


def test_workers_share_gpus_and_see_their_own_only(on_ray: dict[str, Any]) -> None:
    assert on_ray["gpus"] == {"gpus": ["0", "0", "1", "1"], "lost": []}


def test_workers_without_a_share_see_no_gpu(on_ray: dict[str, Any]) -> None:
    assert on_ray["versions"]["gpus"] == [""]
