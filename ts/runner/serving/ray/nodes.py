"""As many fronts as a cluster has nodes, also when nodes come and go.

Ray Serve runs the function here in its own process, into which it copies this file's content; so nothing of this
project is imported.
"""

from __future__ import annotations

import time
from typing import Any

import ray

MOST = 10_000  # nodes that may have a front
COUNT_EVERY = 1  # seconds


def one_each(context: Any) -> tuple[int, dict[str, Any]]:
    """An autoscaling policy of Ray Serve: the number of nodes that are alive, and when they were counted.

    Args:
        context: A `ray.serve.config.AutoscalingContext`; its `policy_state` is what the last call has returned.
    """
    state, now = context.policy_state, time.monotonic()
    if now - state.get("counted", float("-inf")) < COUNT_EVERY:
        return state["nodes"], state
    alive = max(1, sum(bool(node["Alive"]) for node in ray.nodes()))
    return alive, {"nodes": alive, "counted": now}


def fronts(nodes: int) -> dict[str, Any]:
    """Options of a deployment that is to have one replica a node, and begins with so many."""
    return {
        "max_replicas_per_node": 1,
        "autoscaling_config": {
            "min_replicas": 1,
            "initial_replicas": nodes,
            "max_replicas": MOST,
            "upscale_delay_s": 0,
            "downscale_delay_s": 0,
            "policy": {"policy_function": f"{__name__}:one_each"},
        },
    }
