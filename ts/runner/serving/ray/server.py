"""Archives on a Ray cluster: one that this process starts on this machine, or one that is there."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable, Optional, Union

from ts.runner.errors import ServerError
from ts.runner.serving.app import url_of
from ts.runner.serving.ray.config import HERE
from ts.runner.serving.ray.plan import FRONT, QUIET, Plan, plan_archives
from ts.runner.serving.settings import MAX_REQUEST_SIZE

HOST = "127.0.0.1"
OBJECT_STORE = 128 << 20  # bytes of shared memory, for the requests and replies on their way
TRIES = 3  # of Ray, to start a replica, before it gives an application up


class RayServer:
    """Serves archives on Ray Serve, for the time of a `with` block.

    Example:
        with RayServer(["kitten.mar"]) as server:
            requests.post(f"{server.url}/predictions/kitten", data=photo)

    Attributes:
        plans: The archives as they run, in the order in which they were named.
        failures: Why models are not served, by name and version (`kitten/1.0`), where others are.
    """

    def __init__(
        self,
        archives: Sequence[Union[str, Path]],
        *,
        address: Optional[str] = None,
        host: str = HOST,
        port: int = 0,
        cpus: Optional[float] = None,
        max_request_size: int = MAX_REQUEST_SIZE,
        on_start: Callable[[str, Optional[str]], None] = lambda *_: None,
        **options: Any,
    ) -> None:
        """Takes note of what is wanted; all happens when the `with` block is entered.

        Args:
            archives: Paths, which must be the same on every node, or URLs.
            address: A cluster's, as `ray.init` takes it; None starts one on this machine.
            host: The address on which each node listens for requests. Where Ray Serve runs, it stays.
            port: Likewise; 0 takes one that is free on this machine.
            cpus: Of each replica. By default 1, and less on this machine's own cluster where it has too few.
            max_request_size: The bytes that the body of a request may have.
            on_start: Called as `on_start("kitten/1.0", None)` when a model has started, and with the reason in
                place of None when it has failed.
            options: Of `plan_archives`.
        """
        self.plans: list[Plan] = []
        self.failures: dict[str, str] = {}
        self._archives = archives
        self._address = address
        self._host, self._port = host, port
        self._cpus = cpus
        self._max_request_size = max_request_size
        self._on_start = on_start
        self._options = options
        self._stack = ExitStack()

    def __enter__(self) -> RayServer:
        """Checks the archives, deploys them, and returns when each has its replicas or is given up.

        Raises:
            RunnerError: As `plan_archives` does.
            ServerError: Ray is not installed or cannot be reached, the cluster is too small, the port is taken, or
                no model has started.
        """
        self.plans = plan_archives(self._archives, **self._options)
        import_ray()
        with ExitStack() as stack:
            self._connect(stack)
            self._host, self._port = listening() or (self._host, free_port(self._host, self._port))
            self._deploy(stack)
            self.failures = self._await_replicas()
            if len(self.failures) == len(self.plans):
                raise ServerError("; ".join(self.failures.values()))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        """Answers what is being answered, and ends what was started."""
        self._stack.close()

    @property
    def url(self) -> str:
        """Where it answers, e.g. "http://127.0.0.1:8080"."""
        return url_of(self._host, self._port)

    def wait(self) -> None:
        """Blocks as long as the cluster can be reached.

        Raises:
            ServerError: It cannot any more.
        """
        from ray import serve

        while True:
            time.sleep(5)
            try:
                serve.status()
            except Exception as error:
                raise ServerError(f"the Ray cluster has ended: {error}") from error

    def _connect(self, stack: ExitStack) -> None:
        import ray

        local: dict[str, Any] = {"include_dashboard": False, "object_store_memory": OBJECT_STORE}
        quiet = not logging.getLogger().isEnabledFor(logging.INFO)
        try:
            ray.init(
                address=self._address or "local",  # None would join any cluster that it finds
                logging_level=logging.WARNING,
                log_to_driver=not quiet,
                **({} if self._address else local),
            )
        except (ConnectionError, OSError, ValueError, RuntimeError) as error:
            raise ServerError(f"there is no Ray cluster at {self._address or 'hand'}: {error}") from error
        stack.callback(ray.shutdown)
        self._check_room(ray.available_resources())

    def _check_room(self, free: dict[str, float]) -> None:
        """Ray waits for ever, and says nothing, where a replica finds no room."""
        workers = sum(plan.options.settings.min_workers for plan in self.plans)
        cpus, gpus = free.get("CPU", 0), free.get("GPU", 0)
        if self._cpus is None:
            self._cpus = 1 if self._address else min(1, int(100 * cpus / workers) / 100)
        if workers * self._cpus > cpus:
            raise ServerError(
                f"{workers} workers of {self._cpus:g} CPUs each are asked for, and the cluster has {cpus:g} CPUs"
                " free: lower minWorkers, or --cpus-per-worker (0.5 lets two share a CPU)"
            )
        wanted = sum(plan.gpus * plan.options.settings.min_workers for plan in self.plans)
        if wanted > gpus:
            raise ServerError(
                f"{wanted:g} GPUs are asked for, and the cluster has {gpus:g} free: lower minWorkers, or"
                " --gpus-per-worker (0.5 lets two share a GPU), or give --device cpu"
            )

    def _deploy(self, stack: ExitStack) -> None:
        import ray
        from ray import serve
        from ray.serve.exceptions import RayServeException

        from ts.runner.serving.ray.targets import targets_of

        assert self._cpus is not None
        nodes = sum(node["Alive"] for node in ray.nodes())
        names = [FRONT, *(plan.application for plan in self.plans)]
        if self._address:
            check_free(names)
        serve.start(
            proxy_location="EveryNode",
            http_options={"host": self._host, "port": self._port},
            logging_config=QUIET,
        )
        stack.callback(delete, names) if self._address else stack.callback(serve.shutdown)
        targets = targets_of(self.plans, nodes, self._cpus, self._max_request_size)
        try:
            serve.run_many(
                targets, wait_for_ingress_deployment_creation=False, wait_for_applications_running=False
            )
        except RayServeException as error:
            raise ServerError(f"Ray Serve does not take it: {error}") from error

    def _await_replicas(self) -> dict[str, str]:
        """Why models are not served, by name and version, once all are decided."""
        from ray import serve

        slowest = max(plan.options.settings.startup_timeout for plan in self.plans)
        end = time.monotonic() + TRIES * slowest + 60
        keys = {FRONT: FRONT, **{plan.application: plan.key for plan in self.plans}}
        failures: dict[str, str] = {}
        while keys:
            found = serve.status().applications
            for name in [name for name in keys if name in found]:
                if found[name].status == "RUNNING":
                    self._tell(keys.pop(name), None)
                elif found[name].status == "DEPLOY_FAILED":
                    failures[keys[name]] = reason_of(found[name])
                    self._tell(keys.pop(name), reason_of(found[name]))
            if keys and time.monotonic() > end:
                for key in keys.values():
                    failures[key] = f"{key} did not start in time"
                    self._tell(key, failures[key])
                break
            time.sleep(0.1)
        if FRONT in failures:
            raise ServerError(f"the front did not start: {failures[FRONT]}")
        return failures

    def _tell(self, key: str, failure: Optional[str]) -> None:
        if key != FRONT:
            self._on_start(key, failure)


def import_ray() -> None:
    for name, value in HERE.items():
        os.environ.setdefault(name, value)
    try:
        import ray.serve  # noqa: F401
    except ImportError as error:
        raise ServerError(
            f"Ray Serve cannot be imported ({error}): pip install 'torchserve-handlers[ray]', with Python 3.10 or"
            " newer"
        ) from error


def check_free(names: Sequence[str]) -> None:
    """What is deployed by a name that is there already would take its place.

    Raises:
        ServerError: Some names are.
    """
    from ray import serve

    taken = sorted({*names} & {*serve.status().applications})
    if taken:
        raise ServerError(
            f"the cluster serves {', '.join(taken)} already; ray.serve.delete(NAME) ends what is left over"
        )


def delete(names: Sequence[str]) -> None:
    """Ends applications of a cluster that has others."""
    from ray import serve

    for name in names:
        serve.delete(name, _blocking=False)


def listening() -> Optional[tuple[str, int]]:
    """The host and port of a cluster's Ray Serve, if it runs already; they cannot be changed then."""
    from ray.serve.context import _get_global_client  # what it knows has no public way

    client = _get_global_client(raise_if_no_controller_running=False)
    return (client.http_config.host, client.http_config.port) if client else None


def free_port(host: str, port: int) -> int:
    """Ray's HTTP servers share a port with whoever has it, and each would get part of the requests.

    Raises:
        ServerError: Something listens there, or nothing can.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            return listener.getsockname()[1]
    except OSError as error:
        raise ServerError(f"port {port} of {host} cannot be listened on: {error}") from error


def reason_of(application: Any) -> str:
    """The last line of what Ray says of an application, which is the sentence of its exception."""
    messages = [application.message, *(each.message for each in application.deployments.values())]
    lines = [line.strip() for message in messages for line in message.splitlines() if line.strip()]
    ours = [line for line in lines if line.startswith("ts.runner.errors.")]
    return ours[-1].partition(": ")[2] if ours else (lines or ["it did not start"])[-1]
