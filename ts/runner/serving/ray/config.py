"""What `serve deploy` takes: a YAML of Ray Serve with an application for each archive, and the front.

The format is Ray Serve's config file (`ray.serve.schema.ServeDeploySchema`). Ray itself is not needed to write it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from ts.runner.serving.ray.plan import DEPLOYMENT, FRONT, QUIET, Plan, arguments_of, replicas_of

BUILDERS = "ts.runner.serving.ray.targets"  # by whose functions Ray makes the applications
# Of every process of Ray's, unless it is told something else.
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",  # else Ray sends figures of the machine to its makers
    "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
}
# On one's own machine: THROUGHPUT_OPTIMIZED would bring it, and with it ports, and half a minute to stop.
HERE = {**ENVIRONMENT, "RAY_SERVE_ENABLE_DIRECT_INGRESS": "0"}
# A request costs a third of the CPU by it. It gives statistics on all addresses, at ports 8404 and 9101, which
# nodes on one machine would share; and what a client does not wait for is computed all the same.
CLUSTER = {**ENVIRONMENT, "RAY_SERVE_ENABLE_HA_PROXY": "1"}

ABOUT = """\
# For Ray Serve: `serve deploy THIS-FILE`, and again after each change.
# Written by torch-model-runner ray-config. `deployments` tells how many replicas there are and what each gets,
# `args` what each is told. A digest pins an archive: another file at its place is an error there.
#
# Every node needs this library, by the same release: in the image, or in its environment by
#   pip install 'torchserve-handlers[ray]'
# or, where nodes may install what they are told, here in each application:
#   runtime_env: {pip: ["torchserve-handlers[ray]"]}
# Archives are opened on the nodes: a path must lead to the same file on each. What fetches a URL needs (s3fs,
# gcsfs, credentials) is needed there, too.
#
# Start each node (`ray start`) with these in its environment, by which a request costs less, and Ray sends its
# makers nothing. By the last it listens on ports 8404 and 9101, too, on all addresses.
"""


def serve_config(
    plans: Sequence[Plan], *, host: str, port: int, cpus: float, max_request_size: int
) -> dict[str, Any]:
    """The document.

    Args:
        plans: The archives.
        host: The address on which each node listens for requests.
        port: Likewise.
        cpus: Of each replica.
        max_request_size: The bytes that the body of a request may have.
    """
    archives = [arguments_of(plan) for plan in plans]
    front = {
        "name": FRONT,
        "route_prefix": "/",
        "import_path": f"{BUILDERS}:front_of",
        "args": {"max_request_size": max_request_size, "archives": archives},
    }
    return {
        "proxy_location": "EveryNode",
        "http_options": {"host": host, "port": port},
        "logging_config": dict(QUIET),
        "applications": [
            *(application(plan, arguments, cpus) for plan, arguments in zip(plans, archives)),
            front,
        ],
    }


def application(plan: Plan, arguments: dict[str, Any], cpus: float) -> dict[str, Any]:
    return {
        "name": plan.application,
        "route_prefix": None,  # requests come by the front only
        "import_path": f"{BUILDERS}:archive_of",
        "args": arguments,
        "deployments": [
            {
                "name": DEPLOYMENT,
                **replicas_of(plan.options.settings),
                "ray_actor_options": {"num_cpus": cpus, "num_gpus": plan.gpus},
            }
        ],
    }


def config_text(config: dict[str, Any]) -> str:
    """The document as YAML, with what its reader must know."""
    environment = "".join(f"#   {name}={value}\n" for name, value in CLUSTER.items())
    return f"{ABOUT}{environment}{yaml_text(config)}"


def yaml_text(document: dict[str, Any]) -> str:
    """A document as YAML. What it has twice, as the archives' arguments, is written once, and named."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)


class _Dumper(yaml.SafeDumper):
    def generate_anchor(self, node: yaml.Node) -> str:
        return f"archive{super().generate_anchor(node).lstrip('id0')}"

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """Lines below each other, not one in quotes."""
        style = "|" if "\n" in text else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _Dumper.represent_text)
