"""What Ray Serve runs: an application an archive, so that a bad one fails alone, and a front before them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Union

import ray
from ray import serve
from ray.serve import Application, RunTarget
from starlette.types import ASGIApp

from ts.runner.serving.ray.front import front_app
from ts.runner.serving.ray.nodes import fronts
from ts.runner.serving.ray.plan import (
    DEPLOYMENT,
    FRONT,
    FRONT_DEPLOYMENT,
    QUIET,
    Plan,
    plan_archives,
    plan_from,
    replicas_of,
)
from ts.runner.serving.ray.replica import ArchiveReplica, ReplicaOptions
from ts.runner.serving.settings import MAX_REQUEST_SIZE

REQUESTS_OF_A_FRONT = 10_000  # at once; what a model cannot take, its own queue refuses
HEALTH_CHECK_SECONDS = 5
GPUS_IN_SIGHT = "CUDA_VISIBLE_DEVICES"  # of a process, by their numbers


def serve_targets(
    archives: Sequence[Union[str, Path]],
    *,
    nodes: int = 1,
    cpus: float = 1,
    max_request_size: int = MAX_REQUEST_SIZE,
    **options: Any,
) -> list[RunTarget]:
    """What `ray.serve.run_many` takes to serve archives by TorchServe's inference API.

    Example:
        serve.run_many(serve_targets(["kitten.mar"]), wait_for_applications_running=False)

    Args:
        archives: Paths, which must be the same on every node, or URLs.
        nodes: Of the cluster, each of which gets a front.
        cpus: Of each replica; its handler computes in as many threads.
        max_request_size: The bytes that the body of a request may have.
        options: Of `plan_archives`, which also says what is raised.
    """
    return targets_of(plan_archives(archives, **options), nodes, cpus, max_request_size)


def targets_of(plans: Sequence[Plan], nodes: int, cpus: float, max_request_size: int) -> list[RunTarget]:
    targets = [
        RunTarget(archive_application(plan, cpus), plan.application, None, logging_config=QUIET)
        for plan in plans
    ]
    front = front_application(plans, nodes, max_request_size)
    return [*targets, RunTarget(front, FRONT, "/", logging_config=QUIET)]


class SharedNodeReplica(ArchiveReplica):
    """A replica on a node with GPUs: Ray leaves them in sight of processes, too, that have no share of one."""

    async def __init__(self, options: ReplicaOptions) -> None:  # type: ignore[misc]
        if not ray.get_gpu_ids():
            os.environ[GPUS_IN_SIGHT] = ""
        await super().__init__(options)


def archive_application(plan: Plan, cpus: float) -> Application:
    settings = plan.options.settings
    room = 2 * (settings.job_queue_size + settings.batch_size)
    deployment: Any = serve.deployment(SharedNodeReplica)
    configured = deployment.options(
        name=DEPLOYMENT,
        # More than a replica's own queue ever holds: one that Ray finds full makes it wait longer and longer.
        max_ongoing_requests=room,
        max_queued_requests=room,  # in each front, while no replica is up
        ray_actor_options={"num_cpus": cpus, "num_gpus": plan.gpus},
        health_check_period_s=HEALTH_CHECK_SECONDS,
        graceful_shutdown_timeout_s=settings.response_timeout,
        **replicas_of(settings),
    )
    return configured.bind(plan.options)


def front_application(plans: Sequence[Plan], nodes: int, max_request_size: int) -> Application:
    def build() -> ASGIApp:
        return front_app(plans, max_request_size)

    deployment: Any = serve.deployment(serve.ingress(build)())
    configured = deployment.options(
        name=FRONT_DEPLOYMENT,
        max_ongoing_requests=REQUESTS_OF_A_FRONT,
        ray_actor_options={"num_cpus": 0},
        health_check_period_s=HEALTH_CHECK_SECONDS,
        **fronts(nodes),
    )
    return configured.bind()


def archive_of(arguments: dict[str, Any]) -> Application:
    """What a Serve YAML names for an archive; its `deployments` tell how many replicas there are, and on what."""
    return archive_application(plan_from(arguments), cpus=1)


def front_of(arguments: dict[str, Any]) -> Application:
    """What a Serve YAML names for the front."""
    plans = [plan_from(archive) for archive in arguments["archives"]]
    return front_application(plans, 1, arguments["max_request_size"])
