"""The YAML of Ray Serve."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ts.runner.serving.ray.config import config_text, serve_config
from ts.runner.serving.ray.plan import plan_archives, plan_from


def config(*archives: Any, **options: Any) -> dict[str, Any]:
    plans = plan_archives(archives, **options)
    return serve_config(plans, host="0.0.0.0", port=8000, cpus=0.5, max_request_size=10)


def test_an_archive_is_an_application_without_a_route_and_says_what_its_replicas_get(archive: Any) -> None:
    document = config(archive(minWorkers=2), archive("gpu", deviceType="gpu", maxWorkers=3), gpus=0.25)
    first, second, front = document["applications"]
    assert (first["name"], first["route_prefix"]) == ("obeys:1.0", None)
    assert first["import_path"] == "ts.runner.serving.ray.targets:archive_of"
    assert first["deployments"] == [
        {"name": "archive", "num_replicas": 2, "ray_actor_options": {"num_cpus": 0.5, "num_gpus": 0.25}}
    ]
    assert second["deployments"][0]["autoscaling_config"]["max_replicas"] == 3
    assert (front["name"], front["route_prefix"]) == ("torchserve-handlers", "/")
    assert front["args"] == {"max_request_size": 10, "archives": [first["args"], second["args"]]}


def test_the_plan_comes_back_from_the_text(archive: Any) -> None:
    (plan,) = plan_archives([archive(batchSize=4, minWorkers=2)], device="cpu", max_size=100_000)
    text = config_text(serve_config([plan], host="0.0.0.0", port=8000, cpus=1, max_request_size=10))
    read = yaml.safe_load(text)
    assert plan_from(read["applications"][0]["args"]) == plan
    assert plan_from(read["applications"][1]["args"]["archives"][0]) == plan


def test_what_two_applications_are_told_is_written_once(archive: Any) -> None:
    text = config_text(config(archive(own=1), archive("other", own=1)))
    assert text.count("source:") == 2
    assert "args: &archive1" in text
    assert "- *archive1\n" in text
    assert "- *archive2\n" in text


def test_how_nodes_are_made_ready_is_told(archive: Any) -> None:
    text = config_text(config(archive(own=1)))
    assert "#   pip install 'torchserve-handlers[ray]'" in text
    assert "#   RAY_SERVE_THROUGHPUT_OPTIMIZED=1\n#   RAY_SERVE_ENABLE_HA_PROXY=1\n" in text


def test_it_is_what_ray_serve_takes(archive: Any) -> None:
    schema = pytest.importorskip("ray.serve.schema")
    document = yaml.safe_load(config_text(config(archive(own=1), archive("more", maxWorkers=2))))
    read = schema.ServeDeploySchema(**document)
    assert [each.name for each in read.applications] == ["obeys:1.0", "more:1.0", "torchserve-handlers"]
    assert (read.http_options.host, read.http_options.port) == ("0.0.0.0", 8000)
    assert read.logging_config.enable_access_log is False
    options = read.applications[0].deployments[0].ray_actor_options
    assert (options.num_cpus, options.num_gpus) == (0.5, 0)
