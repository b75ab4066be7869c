"""The RayService of KubeRay."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ts.runner.serving.ray.config import serve_config
from ts.runner.serving.ray.kuberay import manifest_text, ray_service, share
from ts.runner.serving.ray.plan import plan_archives


def manifest(*archives: Any, nodes: int = 2, cpus: float = 1, **options: Any) -> dict[str, Any]:
    plans = plan_archives(archives, **options)
    config = serve_config(plans, host="0.0.0.0", port=8000, cpus=cpus, max_request_size=10)
    return yaml.safe_load(manifest_text(ray_service(config, nodes=nodes, image="own:1")))


def container(spec: dict[str, Any]) -> dict[str, Any]:
    (found,) = spec["template"]["spec"]["containers"]
    return found


def cluster(document: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    found = document["spec"]["rayClusterConfig"]
    (workers,) = found["workerGroupSpecs"]
    return found, workers


def test_what_ray_serve_runs_is_in_it_as_text(archive: Any) -> None:
    schema = pytest.importorskip("ray.serve.schema")
    document = manifest(archive(own=1))
    assert (document["apiVersion"], document["kind"]) == ("ray.io/v1", "RayService")
    read = schema.ServeDeploySchema(**yaml.safe_load(document["spec"]["serveConfigV2"]))
    assert [each.name for each in read.applications] == ["obeys:1.0", "torchserve-handlers"]


def test_pods_have_the_image_the_ports_and_the_environment(archive: Any) -> None:
    found, workers = cluster(manifest(archive(own=1)))
    head, worker = container(found["headGroupSpec"]), container(workers)
    assert (head["image"], worker["image"]) == ("own:1", "own:1")
    assert {port["name"]: port["containerPort"] for port in head["ports"]} == {
        "gcs-server": 6379,
        "dashboard": 8265,
        "client": 10001,
        "serve": 8000,
    }
    assert worker["ports"] == [{"name": "serve", "containerPort": 8000}]
    assert {"name": "RAY_SERVE_THROUGHPUT_OPTIMIZED", "value": "1"} in worker["env"]
    assert found["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    assert found["authOptions"] == {"mode": "token"}
    assert tuple(map(int, found["rayVersion"].split("."))) >= (2, 58)


def test_pods_are_as_large_as_the_archives_need(archive: Any) -> None:
    document = manifest(archive(minWorkers=3), archive("gpu", deviceType="gpu", minWorkers=2), nodes=2)
    _, workers = cluster(document)
    assert container(workers)["resources"]["limits"] == {"cpu": 3, "memory": "10Gi", "nvidia.com/gpu": 1}
    assert container(workers)["resources"]["requests"] == container(workers)["resources"]["limits"]
    assert (workers["replicas"], workers["minReplicas"], workers["maxReplicas"]) == (2, 2, 2)


def test_without_need_of_gpus_pods_have_none(archive: Any) -> None:
    _, workers = cluster(manifest(archive(own=1), cpus=0.5))
    assert container(workers)["resources"]["limits"] == {"cpu": 1, "memory": "6Gi"}


def test_there_may_be_more_pods_where_an_archive_may_have_more_workers(archive: Any) -> None:
    found, workers = cluster(manifest(archive(minWorkers=2, maxWorkers=5), nodes=2))
    assert found["enableInTreeAutoscaling"] is True
    assert (workers["minReplicas"], workers["maxReplicas"]) == (2, 5)
    found, _ = cluster(manifest(archive("fixed", minWorkers=2), nodes=2))
    assert found["enableInTreeAutoscaling"] is False


@pytest.mark.parametrize(
    ("needs", "nodes", "each"),
    [([1, 1, 1], 2, 2), ([2, 1, 1], 2, 2), ([0.5, 0.5, 0.5], 2, 1), ([4], 3, 4), ([], 2, 0)],
)
def test_a_node_has_what_the_fullest_needs(needs: list[float], nodes: int, each: int) -> None:
    assert share(needs, nodes) == each
