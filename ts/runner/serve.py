"""What `torch-model-runner serve` does, by each engine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, Callable

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ts.runner.errors import InputError
from ts.runner.signals import ignore_signals, unwind_on_signals
from ts.runner.torchserve.config import metrics_settings
from ts.runner.torchserve.curl import example_request, file_request
from ts.runner.torchserve.server import TorchServe


def serve(arguments: argparse.Namespace) -> int:
    """Serves the archives until Ctrl-C, SIGTERM or SIGHUP, each of which is an end in order."""
    for name, engines in ONLY_FOR.items():
        if getattr(arguments, name) is not None and arguments.engine not in engines:
            raise InputError(f"--{name.replace('_', '-')} is for --engine {' or '.join(engines)}")
    return ENGINES[arguments.engine](arguments)


def serve_embedded(arguments: argparse.Namespace) -> int:
    """By this process and workers of its own; what is being answered at the end is answered."""
    from ts.runner.serving.embedded.server import (
        EmbeddedServer,
    )  # uvicorn and starlette: for this engine only

    console = Console(stderr=True)
    optional = {"host": arguments.host, "max_request_size": arguments.max_request_size}
    server = EmbeddedServer(
        arguments.archives,
        port=arguments.port,
        device=arguments.device,
        batch_size=arguments.batch_size,
        metrics_file=arguments.metrics,
        max_size=arguments.max_size,
        **{name: value for name, value in optional.items() if value is not None},
    )
    with console.status("starting") if console.is_terminal else nullcontext() as status, server:
        if status:
            status.stop()
        for name, reason in server.failures.items():
            sys.stderr.write(f"torch-model-runner: {name} is not served: {reason}\n")
        ready = [
            (archive.name, archive.handler)
            for archive in server.archives
            if f"{archive.name}/{archive.model['modelVersion']}" not in server.failures
        ]
        announce(server.url, ready, f"{server.url}/metrics")
        wait(server, console, "stopping")
    return 0


def serve_torchserve(arguments: argparse.Namespace) -> int:
    """By a real TorchServe on 127.0.0.1."""
    console = Console(stderr=True)
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    tasks: dict[str, Any] = {}

    def show(name: str, state: str) -> None:
        if name not in tasks:
            tasks[name] = progress.add_task("", total=None)
        progress.update(tasks[name], description=f"{name}: {state}")

    with (
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress,
        TorchServe(
            arguments.archives,
            port=arguments.port,
            device=arguments.device,
            config=metrics_settings(arguments.metrics),
            max_size=arguments.max_size,
            on_state=show,
        ) as server,
    ):
        progress.stop()
        metrics = f"{server.metrics_url}/metrics" if arguments.metrics is not None else None
        announce(server.url, [(model.name, model.handler) for model in server.models], metrics)
        wait(server, console, "stopping TorchServe")
    return 0


def serve_ray(arguments: argparse.Namespace) -> int:
    """On a Ray cluster: one of this machine's own, or one that is there."""
    from ts.runner.serving.ray.server import RayServer

    console = Console(stderr=True)
    optional = {"host": arguments.host, "max_request_size": arguments.max_request_size}
    server = RayServer(
        arguments.archives,
        address=arguments.address,
        port=arguments.port,
        cpus=arguments.cpus_per_worker,
        gpus=arguments.gpus_per_worker,
        device=arguments.device,
        batch_size=arguments.batch_size,
        metrics_file=arguments.metrics,
        max_size=arguments.max_size,
        **{name: value for name, value in optional.items() if value is not None},
    )
    sys.stderr.write(OPEN_PORTS)
    with console.status("starting Ray") if console.is_terminal else nullcontext() as status, server:
        unwind_on_signals()  # Ray has put its own handlers in their place
        if status:
            status.stop()
        for name, reason in server.failures.items():
            sys.stderr.write(f"torch-model-runner: {name} is not served: {reason}\n")
        ready = [(plan.name, plan.handler) for plan in server.plans if plan.key not in server.failures]
        announce(server.url, ready, f"{server.url}/metrics")
        wait(server, console, "stopping Ray")
    return 0


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


def announce(url: str, models: Sequence[tuple[str, str]], metrics: str | None) -> None:
    """Says how to ask the models, which are given by name and handler."""
    lines = []
    for name, handler in models:
        example, file = example_request(url, name, handler), file_request(url, name)
        if example is None:
            lines.append(f"{name} is ready. Send it a file: {file}")
        else:
            lines += [f"{name} is ready. Try it:", f"  {example}", f"or send it a file: {file}"]
    if metrics:
        lines.append(f"metrics: curl {metrics}")
    lines.append(f"The server answers on {url} until Ctrl-C.")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
