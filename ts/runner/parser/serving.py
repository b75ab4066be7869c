"""The commands that serve archives."""

from __future__ import annotations

import argparse
from typing import Any

from ts.runner.argument_types import byte_count, positive
from ts.runner.parser.common import ARCHIVE, add_command, add_device, add_max_size, add_metrics, add_shares
from ts.runner.serve import ENGINES
from ts.runner.serve import serve as run_serve
from ts.runner.serving.ray.command import ray_config


def add_serve(actions: Any) -> None:
    serve = add_command(
        actions, "serve", "serve archives over HTTP by TorchServe's inference API, until Ctrl-C"
    )
    serve.add_argument("archives", metavar="ARCHIVE", nargs="+", help=ARCHIVE)
    serve.add_argument(
        "--engine",
        choices=tuple(ENGINES),
        default="embedded",
        help="embedded: this process, and workers of its own; torchserve: a real TorchServe, which needs Java;"
        " ray: a Ray cluster, started on this machine or joined (default: embedded)",
    )
    serve.add_argument("--host", help="the address to listen on, but of torchserve (default: 127.0.0.1)")
    serve.add_argument(
        "--port", metavar="N", type=positive, default=8080, help="of the inference API (default: 8080)"
    )
    add_serving(serve)
    serve.add_argument("--address", help="of the Ray cluster to join, as ray.init takes it, e.g. auto")
    serve.set_defaults(run=run_serve)


def add_ray_config(actions: Any) -> None:
    config = add_command(
        actions, "ray-config", "write what `serve deploy` or KubeRay takes to serve archives on a Ray cluster"
    )
    config.add_argument("archives", metavar="ARCHIVE", nargs="+", help=f"{ARCHIVE}; opened on each node")
    config.add_argument("-o", "--output", metavar="FILE", help="(default: standard output)")
    config.add_argument("-f", "--force", action="store_true", help="replace FILE")
    config.add_argument(
        "--kuberay", action="store_true", help="a RayService for Kubernetes, with a cluster of its own"
    )
    config.add_argument("--image", help="of the pods of --kuberay, with this library in it")
    config.add_argument(
        "--nodes", metavar="N", type=positive, default=2, help="pods of workers of --kuberay (default: 2)"
    )
    config.add_argument("--host", help="the address that each node listens on (default: 0.0.0.0)")
    config.add_argument("--port", metavar="N", type=positive, default=8000, help="likewise (default: 8000)")
    add_serving(config)
    config.set_defaults(run=ray_config)


def add_serving(serve: argparse.ArgumentParser) -> None:
    """What all engines are told, and what workers on Ray get."""
    add_device(serve)
    add_max_size(serve)
    serve.add_argument(
        "--max-request-size",
        metavar="SIZE",
        type=byte_count,
        help="what the body of a request may have, in bytes or as 50M, but of torchserve (default: 6553500)",
    )
    serve.add_argument(
        "--batch-size",
        metavar="N",
        type=positive,
        help="of each model (default: the archive's batchSize, else 1)",
    )
    add_metrics(serve)
    add_shares(serve)
