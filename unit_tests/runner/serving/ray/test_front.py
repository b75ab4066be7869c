"""An archive as a front sees it; its replicas and Ray's word on them are stood in for."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, Optional

import pytest

pytest.importorskip("ray")

from ray.exceptions import RayActorError
from ray.serve.exceptions import BackPressureError

from ts.runner.answering.metrics import Measurement
from ts.runner.serving.metrics import Meter
from ts.runner.serving.ray import front as module
from ts.runner.serving.ray.front import RemoteArchive, without_own_ids, workers_of
from ts.runner.serving.ray.plan import DEPLOYMENT, Plan
from ts.runner.serving.ray.replica import Measured, Outcome, ReplicaOptions
from ts.runner.serving.replies import Refused, Reply
from ts.runner.serving.requests import Call, prediction_call
from ts.runner.serving.settings import ServingSettings

FINE = Outcome(Reply(200, b"fine"))


class Replicas:
    """A handle, each of whose calls has the next of these outcomes; None never comes."""

    def __init__(self, *outcomes: Any) -> None:
        self.left = list(outcomes)
        self.calls: list[Call] = []
        self.handles = 0

    def options(self, method_name: str) -> Replicas:
        assert method_name == "answer"
        self.handles += 1
        return self

    async def remote(self, call: Call) -> Outcome:
        self.calls.append(call)
        outcome = self.left.pop(0)
        if outcome is None:
            await asyncio.Event().wait()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class States:
    def __init__(self, *states: str) -> None:
        self.left = list(states)

    def of(self, application: str) -> Optional[str]:
        assert application == "kitten:1.0"
        return self.left.pop(0) if len(self.left) > 1 else self.left[0]


def archive(
    replicas: Replicas, states: Optional[States] = None, limit: int = 60, meter: Optional[Meter] = None
) -> RemoteArchive:
    settings = ServingSettings(startup_timeout=0, response_timeout=limit)
    plan = Plan(
        "kitten", "1.0", "own.py", "kitten.mar", "python", ReplicaOptions("kitten", "kitten.mar", settings)
    )
    model_meter = (meter or Meter()).of("kitten", "1.0")
    return RemoteArchive(plan, replicas, states or States("RUNNING"), model_meter)


def refusal(served: RemoteArchive) -> Refused:
    with pytest.raises(Refused) as refused:
        asyncio.run(served.answer(prediction_call([], b"x"), bool))
    return refused.value


def test_a_lost_replica_is_asked_once_more_and_no_more() -> None:
    replicas = Replicas(RayActorError(), FINE)
    assert asyncio.run(archive(replicas).answer(prediction_call([], b"x"), bool)) == FINE.reply
    assert replicas.calls[0] == replicas.calls[1]
    replicas = Replicas(RayActorError(), RayActorError(), FINE)
    refused = refusal(archive(replicas))
    assert (refused.reason, refused.reply.status, len(replicas.left)) == ("worker died", 503, 1)


def test_an_application_that_fails_while_a_call_waits_lets_it_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ASK_EVERY", 0.001)
    refused = refusal(archive(Replicas(None), States("DEPLOYING", "DEPLOYING", "DEPLOY_FAILED")))
    assert refused.reason == "no worker"


def test_a_call_has_a_time_limit() -> None:
    refused = refusal(archive(Replicas(None), limit=0))
    assert (refused.reason, refused.reply.status) == ("no answer", 503)
    assert refused.reply.headers == {"retry-after": "1"}


def test_what_ray_has_no_room_for_is_a_full_queue() -> None:
    assert refusal(archive(Replicas(BackPressureError(1, 1)))).reason == "queue full"


def test_a_replicas_refusal_stays_one() -> None:
    reply = Reply(503, b"full")
    refused = refusal(archive(Replicas(Outcome(reply, "queue full"))))
    assert (refused.reason, refused.reply) == ("queue full", reply)


def test_what_replicas_measure_is_the_fronts() -> None:
    times = [Measurement("HandlerTime", value, "ms", None, {}, "gauge") for value in (125, 500)]
    first = Outcome(FINE.reply, measured=Measured([[0.5, 0.25], [2.0]], times))
    refused = Outcome(Reply(503, b"full"), "queue full", Measured([[1.0]], []))
    meter = Meter()
    served = archive(Replicas(first, FINE, refused), meter=meter)
    for _ in range(2):
        asyncio.run(served.answer(prediction_call([], b"x"), bool))
    refusal(served)
    page = meter.page().decode()
    model = 'model="kitten"'
    assert f'torch_model_batch_requests_count{{{model},version="1.0"}} 3.0' in page
    assert f'torch_model_batch_requests_sum{{{model},version="1.0"}} 4.0' in page
    assert f'torch_model_queue_seconds_sum{{{model},version="1.0"}} 3.75' in page
    assert f'torch_model_handler_seconds_sum{{{model},name="HandlerTime",version="1.0"}} 0.625' in page


def test_workers_are_those_of_its_deployment_that_run() -> None:
    application = SimpleNamespace(
        deployments={DEPLOYMENT: SimpleNamespace(replica_states={"RUNNING": 2, "STARTING": 1})}
    )
    assert workers_of(application) == 2
    assert workers_of(SimpleNamespace(deployments={})) == 0
    assert workers_of(None) == 0


def test_one_handle_is_made_for_all_calls_and_a_call_has_the_id_that_the_client_gets() -> None:
    replicas = Replicas(FINE, FINE)

    async def run() -> None:
        served = archive(replicas)
        for _ in range(2):
            await served.answer(prediction_call([(b"x-request-id", b"mine")], b"x"), bool)

    asyncio.run(run())
    assert (replicas.handles, [call.id for call in replicas.calls]) == (1, ["mine", "mine"])


def test_health_is_what_ray_says() -> None:
    states = ("RUNNING", "DEPLOYING", "DEPLOY_FAILED")
    assert [archive(Replicas(), States(state)).is_healthy for state in states] == [True, False, False]
    assert [archive(Replicas(), States(state)).has_failed for state in states] == [False, False, True]


def test_the_apps_own_ids_are_left_out() -> None:
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"x-request-id", b"own"), (b"x-own", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"x"})

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(without_own_ids(app)({}, None, send))  # type: ignore[arg-type]
    assert sent[0]["headers"] == [(b"x-own", b"1")]
    assert sent[1]["body"] == b"x"
