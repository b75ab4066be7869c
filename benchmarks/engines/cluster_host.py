"""An archive on a Ray cluster of several nodes on this machine, each a raylet that has one CPU.

Started as `python -m benchmarks.engines.cluster_host NODES ARCHIVE PORT`.
"""

from __future__ import annotations

import os
import sys

from ts.runner.serving.ray.server import RayServer, import_ray

OBJECT_STORE = 128 << 20  # bytes, of a node


def main(nodes: str, archive: str, port: str) -> None:
    import_ray()  # before Ray is, so that it finds its settings
    from ray.cluster_utils import Cluster

    os.environ.setdefault("RAY_AUTH_MODE", "disabled")  # in a network of its own
    node = {"num_cpus": 1, "object_store_memory": OBJECT_STORE, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=node)
    for _ in range(int(nodes) - 1):
        cluster.add_node(num_cpus=1, object_store_memory=OBJECT_STORE)
    with RayServer([archive], address=cluster.address, port=int(port), cpus=1, device="cpu") as server:
        server.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
