"""How many fronts there are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("ray")

import ray

from ts.runner.serving.ray import nodes as module
from ts.runner.serving.ray.nodes import fronts, one_each


def test_nodes_that_are_alive_are_counted_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    alive, now = [True, False, True], [10.0]
    monkeypatch.setattr(ray, "nodes", lambda: [{"Alive": each} for each in alive])
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    count, state = one_each(context({}))
    assert count == 2
    alive.append(True)
    now[0] += 0.5
    count, state = one_each(context(state))
    assert count == 2
    now[0] += 0.5
    assert one_each(context(state))[0] == 3


def test_there_is_one_front_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "nodes", lambda: [{"Alive": False}])
    assert one_each(context({}))[0] == 1


def test_ray_takes_the_options() -> None:
    scaling = pytest.importorskip("ray.serve.config").AutoscalingConfig(**fronts(3)["autoscaling_config"])
    assert scaling.initial_replicas == 3
    assert scaling.policy.get_policy().__name__ == "one_each"


def context(state: dict[str, Any]) -> Any:
    return SimpleNamespace(policy_state=state)
