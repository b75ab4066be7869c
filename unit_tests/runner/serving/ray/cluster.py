"""Two nodes of a Ray cluster, and what happens to a server on them; writes what was seen as JSON.

Runs in a network of its own.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Callable, Optional

from benchmarks.processes.namespace import bring_loopback_up
from unit_tests.runner.serving.ray.load import Load
from unit_tests.runner.serving.ray.scenario import BROKEN, HANDLER, Send, sender, until, write

PORT = 8098  # of Ray Serve
DASHBOARD = 8265
NODE = {"num_cpus": 2, "object_store_memory": 80 << 20}
HEALTH = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_failure_threshold": 5,
}
PATH = "/predictions/obeys"
THEIRS = "theirs"


def main(folder: Path) -> None:
    bring_loopback_up()
    os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))
    from ray.cluster_utils import Cluster

    from ts.runner.serving.ray.server import import_ray

    import_ray()
    found: dict[str, Any] = {}
    clock = Clock()
    cluster = Cluster(
        initialize_head=True,
        head_node_args={
            **NODE,
            "include_dashboard": True,
            "dashboard_port": DASHBOARD,
            "_system_config": HEALTH,
        },
    )
    second = cluster.add_node(**NODE)
    clock("cluster")
    try:
        found["joined"] = joined(folder, cluster, second, clock)
        found["deployed"] = deployed(folder, cluster, clock)
    finally:
        found["seconds"] = clock.seconds
        (folder / "found.json").write_text(json.dumps(found))
        cluster.shutdown()


class Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.monotonic()

    def __call__(self, name: str) -> None:
        now = time.monotonic()
        self.seconds[name], self._last = round(now - self._last, 1), now
        sys.stderr.write(f"{name}: {self.seconds[name]} s\n")


def joined(folder: Path, cluster: Any, second: Any, clock: Clock) -> dict[str, Any]:
    """A server joins a cluster on which another's application runs; a node is killed, and one comes."""
    import ray
    from ray import serve

    from ts.runner.serving.ray.server import RayServer

    ray.init(cluster.address, log_to_driver=False)
    serve_theirs()
    ray.shutdown()
    source = HANDLER.replace('{"said"', '{"pid": os.getpid(), "said"')
    archives = [write(folder, "obeys", source, minWorkers=2, batchSize=4, maxBatchDelay=0)]
    with RayServer(archives, address=cluster.address, cpus=0.5, device="cpu") as server:
        clock("joined")
        send = sender(server.url)
        found = nodes_go_and_come(cluster, second, send, clock)
        found["port"] = int(server.url.rpartition(":")[2])
        found["theirs before"] = send("/theirs").text
        found["again"] = refusal(cluster.address, archives[0])
        ours = sorted(serve.status().applications)
    ray.init(cluster.address, log_to_driver=False)
    until(lambda: len(serve.status().applications) == 1)
    found["applications"] = [ours, sorted(serve.status().applications)]
    found["theirs after"] = send("/theirs").text
    ray.shutdown()
    clock("left")
    return found


def nodes_go_and_come(cluster: Any, second: Any, send: Send, clock: Clock) -> dict[str, Any]:
    until(lambda: running("front") == 2)
    fronts = [running("front")]
    with Load(send, PATH) as load:
        before = load.pids(100)
        cluster.remove_node(second, allow_graceful=False)
        until(lambda: running("front") == 1)
        until(lambda: len(load.pids(100)) == 2)
    after = load.pids(100)
    fronts.append(running("front"))
    clock("killed")
    cluster.add_node(**NODE)
    until(lambda: running("front") == 2)
    fronts.append(running("front"))
    clock("added")
    workers = [len(before), len(before & after), len(after)]
    return {"killed": {**load.found(), "workers": workers}, "fronts": fronts}


def refusal(address: str, archive: Path) -> list[str]:
    """The last words of another server that joins, and is asked to serve the same."""
    options = ["--engine", "ray", "--address", address, "--cpus-per-worker", "0.1", "--device", "cpu"]
    command = [sys.executable, "-m", "ts.runner", "serve", str(archive), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return [str(done.returncode), done.stderr.splitlines()[-1]]


def serve_theirs() -> None:
    """An application that is none of ours."""
    from ray import serve

    @serve.deployment(ray_actor_options={"num_cpus": 0})
    class Theirs:
        def __call__(self) -> str:
            return "theirs"

    serve.start(proxy_location="EveryNode", http_options={"host": "127.0.0.1", "port": PORT})
    serve.run(Theirs.bind(), name=THEIRS, route_prefix="/theirs")


def running(deployment: str) -> int:
    """How many replicas of a deployment of ours run."""
    from ray import serve

    return sum(
        found.replica_states.get("RUNNING", 0)
        for application in serve.status().applications.values()
        for name, found in application.deployments.items()
        if name == deployment
    )


def deployed(folder: Path, cluster: Any, clock: Clock) -> dict[str, Any]:
    """`serve deploy` of what `ray-config` writes, and again, under load, of another content and other numbers."""
    import ray

    ray.init(cluster.address, log_to_driver=False)
    found: dict[str, Any] = {}
    send = sender(f"http://127.0.0.1:{PORT}")
    source = HANDLER.replace('{"said"', '{"edition": 1, "said"')
    write(folder, "obeys", source, minWorkers=2)
    write(folder, "broken", BROKEN)
    deploy(folder, "obeys", "broken")
    until(answers(send, PATH))
    clock("deployed")
    with Load(send, PATH) as load:
        write(folder, "obeys", source.replace('"edition": 1', '"edition": 2'), minWorkers=2, batchSize=2)
        deploy(folder, "obeys", "broken")
        until(lambda: load.answers[-1]["edition"] == 2 and all_new(load))
    found["update"] = {**load.found(), "editions": sorted({each["edition"] for each in load.answers})}
    clock("updated")
    until(lambda: state("broken:1.0") == "DEPLOY_FAILED")
    found["states"] = [state("obeys:1.0"), state("broken:1.0")]
    found["broken"] = send("/predictions/broken").status_code
    clock("broken")
    ray.shutdown()
    return found


def all_new(load: Load) -> bool:
    """Whether the last answers all came from the new content, and the update is through."""
    return {each["edition"] for each in load.answers[-50:]} == {2} and state("obeys:1.0") == "RUNNING"


def state(application: str) -> Optional[str]:
    """As Ray Serve has it; None if there is no such application."""
    from ray import serve

    found = serve.status().applications.get(application)
    return str(found.status.value) if found else None


def answers(send: Send, path: str) -> Callable[[], bool]:
    def is_answered() -> bool:
        try:
            return send(path, b"x").status_code == 200
        except OSError:
            return False

    return is_answered


def deploy(folder: Path, *names: str, options: Sequence[str] = ("--device", "cpu")) -> Path:
    """Deploys what `ray-config` writes, and says where it is."""
    out = folder / "serve.yaml"
    archives = [str(folder / f"{name}.mar") for name in names]
    where = ["--host", "127.0.0.1", "--port", str(PORT), "--cpus-per-worker", "0.5"]
    run("-m", "ts.runner", "ray-config", *archives, *where, *options, "--force", "--output", str(out))
    serve_deploy(out)
    return out


def serve_deploy(config: Path) -> None:
    run("-m", "ray.serve.scripts", "deploy", str(config), "--address", f"http://127.0.0.1:{DASHBOARD}")


def run(*arguments: str) -> None:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise AssertionError(done.stderr[-2000:])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
