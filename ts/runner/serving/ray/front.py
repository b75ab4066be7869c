"""What speaks HTTP on each node of a Ray cluster: the app of all engines, over handles to applications."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any, Callable, Optional, Protocol

from ray import serve
from ray.exceptions import RayActorError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError
from ray.serve.handle import DeploymentHandle
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ts.runner.serving.app import build_app
from ts.runner.serving.metrics import Meter, ModelMeter
from ts.runner.serving.ray.plan import DEPLOYMENT, Plan
from ts.runner.serving.ray.replica import Outcome
from ts.runner.serving.registry import Models
from ts.runner.serving.replies import (
    SOON,
    Refused,
    Reply,
    error_reply,
    no_worker,
    queue_full,
    worker_died,
)
from ts.runner.serving.requests import Call

ASK_EVERY = 1  # seconds
ID = "x-request-id"  # the header in which Ray's proxy gives a request an id, and sends it back

logger = logging.getLogger(__name__)


class States(Protocol):
    """Applications' states by their names, as Ray Serve has them, e.g. "RUNNING"."""

    def of(self, application: str) -> Optional[str]: ...


class AskedStates:
    """What Ray Serve says, asked again and again in a thread, as each answer may take long.

    Args:
        meters: Are told how many workers each application has, by its name.
    """

    def __init__(self, meters: Mapping[str, ModelMeter]) -> None:
        self._states: Mapping[str, str] = {}
        self._meters = meters
        threading.Thread(target=self._keep_asking, name="states", daemon=True).start()

    def of(self, application: str) -> Optional[str]:
        return self._states.get(application)

    def _keep_asking(self) -> None:
        while True:
            try:
                applications = serve.status().applications
                self._states = {name: str(found.status.value) for name, found in applications.items()}
                for name, meter in self._meters.items():
                    meter.workers(workers_of(applications.get(name)))
            except Exception:  # while the controller is being started again
                logger.error("Ray Serve does not say how its applications are", exc_info=True)
            time.sleep(ASK_EVERY)


def workers_of(application: Any) -> int:
    """How many replicas of an archive's application run, if there is one."""
    deployments = application.deployments if application else {}
    return deployments[DEPLOYMENT].replica_states.get("RUNNING", 0) if DEPLOYMENT in deployments else 0


class RemoteArchive:
    """An archive whose replicas run anywhere in the cluster.

    Args:
        plan: How it runs.
        handle: Sends calls to its replicas.
        states: Say how it is.
        meter: Gets what its replicas measure.
    """

    def __init__(self, plan: Plan, handle: Any, states: States, meter: ModelMeter) -> None:
        self.name = plan.name
        self.version = plan.version
        self.archive = plan.archive
        self._plan = plan
        self._handle = handle
        self._states = states
        self._meter = meter
        settings = plan.options.settings
        self._method: Any = None  # of the handle, which wants to be made in the event loop, and only once
        self._limit = settings.startup_timeout + settings.response_timeout

    @property
    def is_healthy(self) -> bool:
        return self._states.of(self._plan.application) == "RUNNING"

    @property
    def has_failed(self) -> bool:
        return self._states.of(self._plan.application) == "DEPLOY_FAILED"

    async def answer(self, call: Call, is_awaited: Callable[[], bool]) -> Reply:
        """As `Served` has it. When the client leaves Ray's own proxy cancels this; HAProxy does not tell."""
        try:
            outcome = await self._wait_for(self._send(replace(call, id=call.headers.get(ID, call.id))))
        except DeploymentUnavailableError:
            raise no_worker(self.name) from None
        except BackPressureError:
            raise queue_full(self.name, self._plan.options.settings.job_queue_size) from None
        for waited in outcome.measured.batches:
            self._meter.batch(waited)
        self._meter.measured(outcome.measured.measurements)
        if outcome.reason is not None:
            raise Refused(outcome.reason, outcome.reply)
        return outcome.reply

    async def _wait_for(self, answer: Coroutine[Any, Any, Outcome]) -> Outcome:
        """Waits no longer than there can be an answer: Ray lets calls to an application that has failed wait."""
        end = time.monotonic() + self._limit
        sending = asyncio.create_task(answer)
        try:
            while not sending.done():
                if self.has_failed:
                    raise no_worker(self.name)
                if time.monotonic() >= end:
                    raise no_answer(self._limit)
                await asyncio.wait({sending}, timeout=min(ASK_EVERY, self._limit))
            return sending.result()
        finally:
            sending.cancel()

    async def _send(self, call: Call) -> Outcome:
        """Sends a call, once again if its replica is lost: a request that ends its process may end two of them."""
        self._method = self._method or self._handle.options(method_name="answer")
        try:
            return await self._method.remote(call)
        except RayActorError as error:
            logger.warning("a replica of %s is lost: %s", self.name, error)
        try:
            return await self._method.remote(call)
        except RayActorError:
            raise worker_died() from None

    def facts(self) -> dict[str, Any]:
        settings = self._plan.options.settings
        return {
            "modelName": self.name,
            "modelVersion": self.version,
            "modelUrl": self.archive,
            "runtime": self._plan.runtime,
            "minWorkers": settings.min_workers,
            "maxWorkers": settings.max_workers,
            "batchSize": settings.batch_size,
            "maxBatchDelay": settings.max_batch_delay,
            "responseTimeout": settings.response_timeout,
            "startupTimeout": settings.startup_timeout,
            "loadedAtStartup": True,
        }


def no_answer(seconds: float) -> Refused:
    message = f"No answer within {seconds:g} seconds, startupTimeout and responseTimeout together."
    return Refused("no answer", error_reply(503, "ServiceUnavailableException", message, SOON))


def front_app(plans: Sequence[Plan], max_request_size: int) -> ASGIApp:
    """The app of a front, made in its process."""
    meter = Meter()
    meters = {plan.application: meter.of(plan.name, plan.version) for plan in plans}
    states = AskedStates(meters)
    archives = [
        RemoteArchive(plan, DeploymentHandle(DEPLOYMENT, name), states, meters[name])
        for name, plan in zip(meters, plans)
    ]
    return without_own_ids(build_app(Models(archives), meter, max_request_size=max_request_size))


def without_own_ids(app: ASGIApp) -> ASGIApp:
    """Leaves x-request-id to Ray's proxy, which appends its own, so that there are not two."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [header for header in message["headers"] if header[0] != ID.encode()]
                message = {**message, "headers": headers}
            await send(message)

        await app(scope, receive, send_on)

    return call
