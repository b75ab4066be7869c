"""What `torch-model-runner ray-config` does."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ts.runner.errors import InputError
from ts.runner.fetching.reference import read_reference
from ts.runner.serving.ray.config import config_text, serve_config
from ts.runner.serving.ray.kuberay import IMAGE, manifest_text, ray_service
from ts.runner.serving.ray.plan import Plan, plan_archives
from ts.runner.serving.settings import MAX_REQUEST_SIZE

HOST = "0.0.0.0"  # a cluster's nodes are asked by others


def ray_config(arguments: argparse.Namespace) -> int:
    """Checks the archives, and writes what a cluster is told."""
    if arguments.image is not None and not arguments.kuberay:
        raise InputError("--image is for --kuberay")
    out = Path(arguments.output) if arguments.output else None
    if out and out.exists() and not arguments.force:
        raise InputError(f"{out} exists; --force replaces it")
    plans = plan_archives(
        arguments.archives,
        device=arguments.device,
        batch_size=arguments.batch_size,
        metrics_file=arguments.metrics,
        max_size=arguments.max_size,
        gpus=arguments.gpus_per_worker,
    )
    warn_of_secrets(plans)
    text = document(plans, arguments)
    if out is None:
        sys.stdout.write(text)
    else:
        write(out, text)
    return 0


def document(plans: list[Plan], arguments: argparse.Namespace) -> str:
    config = serve_config(
        plans,
        host=arguments.host or HOST,
        port=arguments.port,
        cpus=1 if arguments.cpus_per_worker is None else arguments.cpus_per_worker,
        max_request_size=arguments.max_request_size or MAX_REQUEST_SIZE,
    )
    if not arguments.kuberay:
        return config_text(config)
    return manifest_text(ray_service(config, nodes=arguments.nodes, image=arguments.image or IMAGE))


def write(out: Path, text: str) -> None:
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror}") from error


def warn_of_secrets(plans: list[Plan]) -> None:
    """A URL's credentials are in the document, since nodes need them."""
    for plan in plans:
        reference = read_reference(plan.options.source)
        if reference.is_url and str(reference) != reference.place:
            sys.stderr.write(
                f"torch-model-runner: what is written holds credentials, or what may be some, of {reference}\n"
            )
