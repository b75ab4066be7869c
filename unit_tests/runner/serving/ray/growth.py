"""What takes a cluster minutes: workers that become more by load, shared GPUs, and a new version; as JSON.

Runs in a network of its own.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from pathlib import Path
from typing import Any

import yaml

from benchmarks.processes.namespace import bring_loopback_up
from ts.runner.serving.ray.config import CLUSTER
from unit_tests.runner.serving.ray.cluster import (
    DASHBOARD,
    HEALTH,
    NODE,
    PATH,
    PORT,
    Clock,
    answers,
    deploy,
    running,
    serve_deploy,
    state,
)
from unit_tests.runner.serving.ray.load import Load
from unit_tests.runner.serving.ray.scenario import HANDLER, Send, sender, until, write

SLOW = HANDLER.replace("values = [", "time.sleep(0.05); values = [")
SEES = HANDLER.replace('{"said"', '{"pid": os.getpid(), "gpu": os.environ["CUDA_VISIBLE_DEVICES"], "said"')
SOON = {"RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "5"}  # replicas that are to end do so
GPUS = {"num_cpus": 4, "num_gpus": 2}  # by name only: nothing is computed on them


def main(folder: Path) -> None:
    bring_loopback_up()
    os.environ.update(CLUSTER, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32), **SOON)
    import ray
    from ray.cluster_utils import Cluster

    from ts.runner.serving.ray.server import import_ray

    import_ray()
    dashboard = {"include_dashboard": True, "dashboard_port": DASHBOARD, "_system_config": HEALTH}
    cluster = Cluster(initialize_head=True, head_node_args={**NODE, **GPUS, **dashboard})
    ray.init(cluster.address, log_to_driver=False)
    send, clock = sender(f"http://127.0.0.1:{PORT}"), Clock()
    found: dict[str, Any] = {"seconds": clock.seconds}
    try:
        found["scaled"] = scaled(folder, send)
        clock("scaled")
        found["versions"] = versions(folder, send)
        clock("versions")
        found["gpus"] = shared_gpus(folder, send)
        clock("gpus")
    finally:
        (folder / "found.json").write_text(json.dumps(found))
        ray.shutdown()
        cluster.shutdown()


def scaled(folder: Path, send: Send) -> dict[str, Any]:
    """Workers from `minWorkers` to `maxWorkers` and back, at delays that a user would set in the YAML."""
    write(folder, "obeys", SLOW, minWorkers=1, maxWorkers=3, maxBatchDelay=0)
    out = deploy(folder, "obeys")
    document = yaml.safe_load(out.read_text())
    scaling = document["applications"][0]["deployments"][0]["autoscaling_config"]
    scaling.update(upscale_delay_s=1, downscale_delay_s=2, look_back_period_s=2)
    out.write_text(yaml.safe_dump(document))
    serve_deploy(out)
    until(answers(send, PATH))
    workers = [running("archive")]
    with Load(send, PATH, clients=12) as load:
        until(lambda: running("archive") == 3)
        load.wait_for(100)
    workers.append(running("archive"))
    with Load(send, PATH, clients=1) as rest:
        until(lambda: running("archive") == 1)
    workers.append(running("archive"))
    return {"workers": workers, "lost": load.lost + rest.lost, "answered": len(load.answers)}


def versions(folder: Path, send: Send) -> dict[str, Any]:
    """A new version beside the old one, then before it, then alone."""
    old, new = folder / "old", folder / "new"
    old.mkdir()
    new.mkdir()
    write(old, "obeys", SEES.replace('{"pid"', '{"edition": 1, "pid"'))
    write(new, "obeys", SEES.replace('{"pid"', '{"edition": 2, "pid"'), version="2.0")
    deploy(folder, "old/obeys")
    until(lambda: state("obeys:1.0") == "RUNNING" and send(PATH, b"x").json().get("edition") == 1)
    with Load(send, PATH) as load:
        deploy(folder, "old/obeys", "new/obeys")
        until(lambda: state("obeys:2.0") == "RUNNING" and send(f"{PATH}/2.0", b"x").status_code == 200)
        deploy(folder, "new/obeys", "old/obeys")
        until(lambda: load.answers[-1]["edition"] == 2 and state("torchserve-handlers") == "RUNNING")
        deploy(folder, "new/obeys")
        until(lambda: state("obeys:1.0") is None)
        load.wait_for(50)
    editions = [answer["edition"] for answer in load.answers]
    gpus = sorted({answer["gpu"] for answer in load.answers})
    return {**load.found(), "editions": sorted(set(editions)), "last": editions[-1], "gpus": gpus}


def shared_gpus(folder: Path, send: Send) -> dict[str, Any]:
    write(folder, "obeys", SEES, minWorkers=4, deviceType="gpu", maxBatchDelay=0)
    deploy(folder, "obeys", options=["--gpus-per-worker", "0.5", "--device", "auto"])
    until(lambda: running("archive") == 4 and "gpu" in send(PATH, b"x").json())
    seen = {}
    with Load(send, PATH) as load:
        until(lambda: len({each["pid"] for each in list(load.answers)}) == 4)
    for answer in load.answers:
        seen[answer["pid"]] = answer["gpu"]
    return {"gpus": sorted(seen.values()), "lost": load.lost}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
