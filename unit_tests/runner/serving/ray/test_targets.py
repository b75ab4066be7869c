"""What Ray Serve is told to run."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest

pytest.importorskip("ray")

import ray

from ts.runner.serving.ray.plan import arguments_of, plan_archives
from ts.runner.serving.ray.targets import SharedNodeReplica, archive_of, front_of, serve_targets


def deployment_of(application: Any) -> Any:
    return application._bound_deployment


def deployment(target: Any) -> Any:
    return deployment_of(target.target)


def test_each_archive_is_an_application_without_a_route_and_the_front_has_the_only_one(archive: Any) -> None:
    targets = serve_targets([archive(own=1), archive("other", own=1)], nodes=3)
    names = [(target.name, target.route_prefix) for target in targets]
    assert names == [("obeys:1.0", None), ("other:1.0", None), ("torchserve-handlers", "/")]
    front = deployment(targets[-1])
    scaling = front._deployment_config.autoscaling_config
    assert (scaling.initial_replicas, front._replica_config.max_replicas_per_node) == (3, 1)
    assert front.ray_actor_options["num_cpus"] == 0


def test_a_replica_gets_the_cpus_and_gpus_that_it_is_to_have(archive: Any) -> None:
    (target, _) = serve_targets([archive(deviceType="gpu")], cpus=2, gpus=0.5)
    assert deployment(target).ray_actor_options == {"num_cpus": 2, "num_gpus": 0.5}


def test_ray_takes_more_than_the_queue_of_a_replica_which_so_is_what_refuses(archive: Any) -> None:
    (target, _) = serve_targets([archive(jobQueueSize=10, batchSize=4)])
    assert deployment(target).max_ongoing_requests == 28


def test_a_document_names_the_same_applications(archive: Any) -> None:
    (plan,) = plan_archives([archive(jobQueueSize=10, batchSize=4)])
    arguments = arguments_of(plan)
    made = deployment_of(archive_of(arguments))
    assert made.init_args == (plan.options,)
    assert made.max_ongoing_requests == 28
    front = deployment_of(front_of({"archives": [arguments], "max_request_size": 10}))
    assert (front.name, front.ray_actor_options["num_cpus"]) == ("front", 0)


@pytest.mark.parametrize(("share", "in_sight"), [([], ""), ([1], "1")])
def test_a_replica_sees_no_gpu_that_it_has_no_share_of(
    archive: Any, monkeypatch: pytest.MonkeyPatch, share: list[int], in_sight: str
) -> None:
    async def start() -> None:
        (plan,) = plan_archives([archive(own=1)], device="cpu")
        replica = SharedNodeReplica.__new__(SharedNodeReplica)
        await replica.__init__(plan.options)  # type: ignore[misc]
        replica.__del__()

    monkeypatch.setattr(ray, "get_gpu_ids", lambda: share)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    asyncio.run(start())
    assert os.environ["CUDA_VISIBLE_DEVICES"] == in_sight
