"""What `torch-model-runner serve` does, by each engine."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any, Callable, NamedTuple

from rich.console import Console

from ts.runner.errors import InputError
from ts.runner.fetching.reference import read_reference
from ts.runner.samples.asking import about_model, describes_itself
from ts.runner.samples.curl import example_request, file_request
from ts.runner.signals import ignore_signals, unwind_on_signals
from ts.runner.torchserve.config import metrics_settings
from ts.runner.torchserve.server import READY, TorchServe


def serve(arguments: argparse.Namespace) -> int:
    """Serves the archives until Ctrl-C, SIGTERM or SIGHUP, each of which is an end in order."""
    for name, engines in ONLY_FOR.items():
        if getattr(arguments, name) is not None and arguments.engine not in engines:
            raise InputError(f"--{name.replace('_', '-')} is for --engine {' or '.join(engines)}")
    return ENGINES[arguments.engine](arguments)


def serve_embedded(arguments: argparse.Namespace) -> int:
    """By this process and workers of its own; what is being answered at the end is answered."""
    from ts.runner.serving.embedded.server import EmbeddedServer  # brings uvicorn: for this engine only

    with Start("starting", len(arguments.archives)) as start:
        server = EmbeddedServer(arguments.archives, **settings_of(arguments, start))
        with server:
            start.end()
            models = [
                Ready(archive.name, archive.model["modelVersion"], archive.handler, archive.source)
                for archive in server.archives
            ]
            announce(server.url, server.url, start.started(models), f"{server.url}/metrics")
            wait(server, start.console, "stopping")
    return 0


def serve_torchserve(arguments: argparse.Namespace) -> int:
    """By a real TorchServe on 127.0.0.1."""
    with Start("starting TorchServe", len(arguments.archives)) as start:
        server = TorchServe(
            arguments.archives,
            port=arguments.port,
            device=arguments.device,
            config=metrics_settings(arguments.metrics),
            max_size=arguments.max_size,
            on_state=lambda model, state: start.tell(model, None) if state == READY else None,
        )
        with server:
            start.end()
            models = [Ready(each.name, each.version, each.handler, each.archive) for each in server.models]
            metrics = f"{server.metrics_url}/metrics" if arguments.metrics is not None else None
            announce(server.url, server.management_url, models, metrics)
            wait(server, start.console, "stopping TorchServe")
    return 0


def serve_ray(arguments: argparse.Namespace) -> int:
    """On a Ray cluster: one of this machine's own, or one that is there."""
    from ts.runner.serving.ray.server import RayServer

    sys.stderr.write(OPEN_PORTS)
    with Start("starting Ray", len(arguments.archives)) as start:
        server = RayServer(
            arguments.archives,
            address=arguments.address,
            cpus=arguments.cpus_per_worker,
            gpus=arguments.gpus_per_worker,
            **settings_of(arguments, start),
        )
        with server:
            unwind_on_signals()  # Ray has put its own handlers in their place
            start.end()
            models = [
                Ready(plan.name, plan.version, plan.handler, Path(read_reference(plan.options.source).place))
                for plan in server.plans
            ]
            announce(server.url, server.url, start.started(models), f"{server.url}/metrics")
            wait(server, start.console, "stopping Ray")
    return 0


def settings_of(arguments: argparse.Namespace, start: Start) -> dict[str, Any]:
    """What the embedded engine and Ray are told alike; what is unset is theirs to choose."""
    optional = {"host": arguments.host, "max_request_size": arguments.max_request_size}
    return {
        "port": arguments.port,
        "device": arguments.device,
        "batch_size": arguments.batch_size,
        "metrics_file": arguments.metrics,
        "max_size": arguments.max_size,
        "on_start": start.tell,
        **{name: value for name, value in optional.items() if value is not None},
    }


ENGINES: dict[str, Callable[[argparse.Namespace], int]] = {
    "embedded": serve_embedded,
    "torchserve": serve_torchserve,
    "ray": serve_ray,
}
ONLY_FOR = {
    "host": ("embedded", "ray"),
    "max_request_size": ("embedded", "ray"),
    "address": ("ray",),
    "cpus_per_worker": ("ray",),
    "gpus_per_worker": ("ray",),
}
OPEN_PORTS = (
    "torch-model-runner: Ray's own processes listen on all addresses of each node, at ports of their choice,"
    " whatever --host is: a cluster belongs in a private network\n"
)


def wait(server: Any, console: Console, last_word: str) -> None:
    """Blocks until the process is asked to end.

    Raises:
        ServerError: The server ended by itself.
    """
    try:
        server.wait()
    except KeyboardInterrupt:
        ignore_signals()  # stopping takes seconds, and must not be cut short
        console.print(last_word)


class Ready(NamedTuple):
    """A model that is served: its name, version and handler as the manifest has them, and where its archive is."""

    name: str
    version: str
    handler: str
    archive: Path

    @property
    def key(self) -> str:
        return f"{self.name}/{self.version}"


class Start:
    """Says of each model, as soon as that is known, that it has started or failed, and after how many seconds.

    Args:
        what: Is going on.
        models: That there are; of one alone that fails, the server's own error tells.
    """

    def __init__(self, what: str, models: int) -> None:
        self.console = Console(stderr=True)
        self._models = models
        self._began = time.monotonic()
        self._failed: set[str] = set()
        self._stack = ExitStack()
        self._status = self.console.status(what) if self.console.is_terminal else nullcontext()

    def __enter__(self) -> Start:
        self._stack.enter_context(self._status)
        return self

    def __exit__(self, *error: object) -> None:
        self.end()

    def tell(self, model: str, failure: str | None) -> None:
        """Takes note of a model, by name and version; from any thread."""
        text = f"{model} is ready after {time.monotonic() - self._began:.1f} s"
        if failure is not None:
            self._failed.add(model)
            text = f"torch-model-runner: {model} is not served: {failure}"
        if failure is None or self._models > 1:
            self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def end(self) -> None:
        """All have started or failed."""
        self._stack.close()

    def started(self, models: Sequence[Ready]) -> list[Ready]:
        """Those that have not failed."""
        return [model for model in models if model.key not in self._failed]


def announce(url: str, about_url: str, models: Sequence[Ready], metrics: str | None) -> None:
    """Says how to ask the models, each by a request that suits it.

    Args:
        url: Of the inference API.
        about_url: Of the API that has models' descriptions.
        models: The models.
        metrics: Of the metrics API.
    """
    names = [model.name for model in models]
    lines = ["Try:"]
    for model in models:
        name = model.name if names.count(model.name) == 1 else model.key
        asked = describes_itself(model.handler, model.archive)
        about = about_model(about_url, model.name, model.version) if asked else {}
        example = example_request(url, name, about)
        takes = "; or ".join(about.get("payloads") or ["what code of its own reads"])
        lines.append(f"  {example}" if example else f"  # {name} takes {takes}: {file_request(url, name)}")
    lines.append(f"or with a file of yours: {file_request(url, names[0] if len(names) == 1 else 'MODEL')}")
    if metrics:
        lines.append(f"metrics: curl {metrics}")
    lines.append(f"The server answers on {url} until Ctrl-C.")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
