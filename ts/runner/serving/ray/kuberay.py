"""A RayService of KubeRay: a cluster on Kubernetes, and what Ray Serve runs on it.

The format is KubeRay's `ray.io/v1` (ray-operator/apis/ray/v1 of its sources).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

from ts.runner.serving.ray.config import CLUSTER, config_text, yaml_text

NAME = "torchserve-handlers"
IMAGE = "REGISTRY/torchserve-handlers-ray:TAG"  # what no registry has, so that it is not run by mistake
GIB_OF_A_NODE, GIB_OF_A_REPLICA = 4, 2

RAY = "2.60.0"  # of the image, where this machine has no Ray that could tell

ABOUT = """\
# For KubeRay 1.6 or newer: `kubectl apply -f THIS-FILE`, and again after each change.
# Written by torch-model-runner ray-config --kuberay.
#
# The image must have Ray, and this library by the same release, e.g. by
#   FROM rayproject/ray:{ray}-py311
#   RUN pip install 'torchserve-handlers[ray]'
# and it, or a volume, each archive that is named by a path, at that path.
# Pods of workers have the CPUs and GPUs that the archives' workers need by their settings. Memory is a guess: set
# it by what the models need.
# KubeRay sends requests to a new cluster when all applications run: one that does not start keeps it waiting.
"""


def ray_service(config: dict[str, Any], *, nodes: int, image: str) -> dict[str, Any]:
    """The manifest.

    Args:
        config: As `serve_config` makes it.
        nodes: Pods of workers, beside the head's.
        image: That all pods run.
    """
    replicas = [
        replicas_in(application) for application in config["applications"] if "deployments" in application
    ]
    port = config["http_options"]["port"]
    most = math.ceil(nodes * growth(replicas))
    return {
        "apiVersion": "ray.io/v1",
        "kind": "RayService",
        "metadata": {"name": NAME},
        "spec": {
            "serveConfigV2": config_text(config),
            "rayClusterConfig": {
                "rayVersion": ray_version(),  # without it KubeRay has no token
                "authOptions": {"mode": "token"},
                "enableInTreeAutoscaling": most > nodes,
                "headGroupSpec": {
                    "rayStartParams": {"dashboard-host": "0.0.0.0", "num-cpus": "0"},
                    "template": pod("ray-head", image, {"cpu": 2, "memory": f"{GIB_OF_A_NODE}Gi"}, port),
                },
                "workerGroupSpecs": [
                    {
                        "groupName": "workers",
                        "replicas": nodes,
                        "minReplicas": nodes,
                        "maxReplicas": most,
                        "rayStartParams": {},
                        "template": pod("ray-worker", image, resources(replicas, nodes), port),
                    }
                ],
            },
        },
    }


def manifest_text(manifest: dict[str, Any]) -> str:
    return ABOUT.format(ray=ray_version()) + yaml_text(manifest)


def ray_version() -> str:
    try:
        return version("ray")
    except PackageNotFoundError:
        return RAY


def pod(name: str, image: str, needed: dict[str, Any], port: int) -> dict[str, Any]:
    head = [("gcs-server", 6379), ("dashboard", 8265), ("client", 10001)] if name == "ray-head" else []
    container = {
        "name": name,
        "image": image,
        "env": [{"name": key, "value": value} for key, value in CLUSTER.items()],
        "ports": [{"name": key, "containerPort": value} for key, value in [*head, ("serve", port)]],
        "resources": {"limits": needed, "requests": dict(needed)},
    }
    return {"spec": {"containers": [container]}}


def resources(replicas: Sequence[Replicas], nodes: int) -> dict[str, Any]:
    """What each pod of workers needs, so that all have the archives' least replicas."""
    cpus = share([each.cpus for each in replicas for _ in range(each.least)], nodes)
    gpus = share([each.gpus for each in replicas for _ in range(each.least)], nodes)
    together = math.ceil(sum(each.least for each in replicas) / nodes)
    needed = {"cpu": max(1, cpus), "memory": f"{GIB_OF_A_NODE + GIB_OF_A_REPLICA * together}Gi"}
    return {**needed, "nvidia.com/gpu": gpus} if gpus else needed


def share(needs: Sequence[float], nodes: int) -> int:
    """What the fullest of so many nodes needs, if each replica goes where the least is taken; whole."""
    filled = [0.0] * nodes
    for need in sorted(needs, reverse=True):
        filled[filled.index(min(filled))] += need
    return math.ceil(max(filled))


def growth(replicas: Sequence[Replicas]) -> float:
    """How many times what the archives' least replicas need their most do, of CPUs or of GPUs."""
    needs = [(each.cpus, each) for each in replicas], [(each.gpus, each) for each in replicas]
    factors = [1.0]
    for need in needs:
        if fewest := sum(size * each.least for size, each in need):
            factors.append(sum(size * each.most for size, each in need) / fewest)
    return max(factors)


class Replicas(NamedTuple):
    """How many replicas an archive has, and what each gets."""

    least: int
    most: int
    cpus: float
    gpus: float


def replicas_in(application: dict[str, Any]) -> Replicas:
    (deployment,) = application["deployments"]
    given, scaling = deployment["ray_actor_options"], deployment.get("autoscaling_config", {})
    fixed = deployment.get("num_replicas")
    return Replicas(
        fixed or scaling["min_replicas"],
        fixed or scaling["max_replicas"],
        given["num_cpus"],
        given["num_gpus"],
    )
