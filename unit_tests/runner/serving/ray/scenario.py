"""One Ray cluster, and all that is tried on it; writes what was seen as JSON. Runs in a network of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, Callable

import requests

from benchmarks.processes.namespace import bring_loopback_up
from ts.runner.serving.embedded.server import EmbeddedServer
from ts.runner.serving.ray.server import RayServer

HANDLER = """
import os, time

class Obeys:
    def initialize(self, context):
        pass

    def handle(self, data, context):
        context.metrics.add_time("OwnTime", 5)
        values = [row.get("data") or row["body"] for row in data]
        texts = [value if isinstance(value, str) else bytes(value).decode() for value in values]
        return [self.answer(text, index, context) for index, text in enumerate(texts)]

    def answer(self, text, index, context):
        if text.startswith("wait for "):
            open(text[9:] + ".begun", "w").close()
            while not os.path.exists(text[9:]):
                time.sleep(0.01)
        if text.startswith("die and mark "):
            open(f"{text[13:]}.{os.getpid()}", "w").close()
            os._exit(3)
        if text == "raise":
            raise ValueError("no")
        if text == "pid":
            return {"pid": os.getpid()}
        context.set_response_header(index, "x-own", text[:100])
        return {"said": text, "own": context.get_request_header(index, "X-Own"),
                "explain": context.get_request_header(index, "explain")}
"""
BROKEN = """
class Broken:
    def initialize(self, context):
        raise ValueError("the weights are bad")

    def handle(self, data, context):
        return data
"""
WORKERS = 'torch_model_workers{model="obeys",version="1.0"} 2.0'
LIMIT = 100_000  # bytes of a body
SENDERS = 8
REQUESTS = 240
REQUEST_SET: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/predictions/obeys", {"data": b"raw", "headers": {"X-Own": "1"}}),
    ("PUT", "/predictions/obeys/1.0", {"data": b"raw"}),
    ("POST", "/predictions/obeys", {"files": {"data": ("a.txt", b"of a form")}}),
    ("POST", "/predictions/obeys", {"data": "größer".encode(), "headers": {"Content-Type": "text/plain"}}),
    ("POST", "/predictions/obeys", {"data": b"raise"}),
    ("POST", "/explanations/obeys", {"data": b"why"}),
    ("POST", "/predictions/obeys/9.0", {"data": b"x"}),
    ("POST", "/predictions/absent", {"data": b"x"}),
    ("POST", "/predictions/broken", {"data": b"x"}),
    ("GET", "/predictions/obeys", {}),
    ("OPTIONS", "/predictions/obeys", {}),
    ("POST", "/predictions/obeys", {"data": b"x" * (LIMIT + 1)}),
    ("POST", "/predictions/obeys", {"data": b"x" * (LIMIT - 1)}),
    ("POST", "/elsewhere", {"data": b"x"}),
    ("GET", "/ping", {}),
    ("GET", "/models", {}),
]

Send = Callable[..., requests.Response]


def write(folder: Path, name: str, source: str, *, version: str = "1.0", **config: Any) -> Path:
    path = folder / f"{name}.mar"
    model = {"modelName": name, "handler": "own.py", "modelVersion": version, "configFile": "config.yaml"}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("own.py", source)
        archive.writestr("config.yaml", json.dumps(config))
        archive.writestr("MAR-INF/MANIFEST.json", json.dumps({"runtime": "python", "model": model}))
    return path


def sender(url: str) -> Send:
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=SENDERS))
    return lambda path, data=b"", method="POST", **more: session.request(
        method, url + path, data=None if "files" in more else data or None, **{"timeout": 60, **more}
    )


def replies(send: Send) -> list[Any]:
    """What each request of the set gets."""
    return [seen(send(path, method=method, **more)) for method, path, more in REQUEST_SET]


def seen(response: requests.Response) -> list[Any]:
    headers = {name: response.headers.get(name) for name in ("content-type", "x-own", "retry-after")}
    return [response.status_code, headers, response.text]


def killed_under_load(send: Send) -> dict[str, Any]:
    """A replica is killed among the answers; every request must have its own."""
    pid = send("/predictions/obeys", b"pid").json()["pid"]
    texts = [str(number) for number in range(REQUESTS)]
    with ThreadPoolExecutor(SENDERS) as pool:
        answers = {}
        for number, text in enumerate(texts):
            answers[text] = pool.submit(send, "/predictions/obeys", text.encode())
            if number == REQUESTS // 3:
                wait([answers["0"]])
                os.kill(pid, signal.SIGKILL)
    found = {text: answer.result() for text, answer in answers.items()}
    lost = {text: seen(got) for text, got in found.items() if got.status_code != 200}
    return {
        "folders": len(list(Path(tempfile.gettempdir()).glob("torch-model-*"))),
        "killed": pid,
        "left": send("/predictions/obeys", b"pid").json()["pid"],
        "lost": lost,
        "own": sum(got.json().get("said") == text for text, got in found.items()),
    }


def full_queue(send: Send, gate: Path) -> dict[str, Any]:
    """One request at work, one that may wait, and four too many."""
    with ThreadPoolExecutor(SENDERS) as pool:
        busy = pool.submit(send, "/predictions/narrow", f"wait for {gate}".encode())
        until(Path(f"{gate}.begun").exists)
        more = {pool.submit(send, "/predictions/narrow", b"more") for _ in range(5)}
        refused = []
        while len(refused) < 4:
            done, more = wait(more, return_when=FIRST_COMPLETED)
            refused.extend(seen(answer.result()) for answer in done)
        gate.touch()
        answered = [busy.result().status_code, *(answer.result().status_code for answer in more)]
    return {"refused": refused, "answered": answered}


def deadly_request(send: Send, mark: Path) -> dict[str, Any]:
    """Ends its process, and one more; the next request waits for a new one."""
    reply = seen(send("/predictions/narrow", f"die and mark {mark}".encode()))
    after = seen(send("/predictions/narrow", b"x"))
    return {"reply": reply, "deaths": len(list(mark.parent.glob(f"{mark.name}.*"))), "next": after}


def left(send: Send, folder: Path) -> dict[str, Any]:
    """A client does not wait for its turn; nobody need answer it."""
    gate, unwanted = folder / "busy", folder / "unwanted"
    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(send, "/predictions/narrow", f"wait for {gate}".encode())
        until(Path(f"{gate}.begun").exists)
        try:
            send("/predictions/narrow", f"wait for {unwanted}".encode(), timeout=1)
        except requests.Timeout:
            unwanted.touch()
        until(lambda: has_room(send))  # the replica has heard of it
        gate.touch()
        answered = [busy.result().status_code, send("/predictions/narrow", b"x").status_code]
    return {"answered": answered, "begun": Path(f"{unwanted}.begun").exists()}


def has_room(send: Send) -> bool:
    """Whether a request may wait for its turn, while another is answered."""
    try:
        return send("/predictions/narrow", b"x", timeout=1).status_code != 503
    except requests.Timeout:
        return True


def command(archives: list[Path], port: int = 8099) -> dict[str, Any]:
    """`torch-model-runner serve`, until it is told to end."""
    options = ["serve", "--engine", "ray", "--device", "cpu", "--port", str(port), "--max-request-size", "10"]
    process = subprocess.Popen(
        [sys.executable, "-m", "ts.runner", *options, *map(str, archives)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.strip())
        if line.startswith("The server answers"):
            break
    send = sender(f"http://127.0.0.1:{port}")
    statuses = [send("/predictions/obeys", b"x" * size).status_code for size in (10, 11)] if lines else []
    process.terminate()
    _, errors = process.communicate(timeout=60)
    return {"lines": lines, "statuses": statuses, "errors": errors.splitlines(), "code": process.returncode}


def until(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it did not come")
        time.sleep(0.02)


def main(folder: Path) -> None:
    bring_loopback_up()
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder / "temporary")
    os.mkdir(tempfile.tempdir)
    os.environ["RAY_TMPDIR"] = "/tmp"  # its sockets' paths may have 107 bytes
    archives = [
        write(folder, "broken", BROKEN),
        write(folder, "obeys", HANDLER, batchSize=4, maxBatchDelay=0, minWorkers=2),
        write(folder, "narrow", HANDLER, jobQueueSize=1),
    ]
    found: dict[str, Any] = {}
    with EmbeddedServer(archives, device="cpu", max_request_size=LIMIT) as server:
        found["embedded"] = replies(sender(server.url))
    with RayServer(archives, device="cpu", max_request_size=LIMIT) as server:
        send = sender(server.url)
        found["failures"] = server.failures
        found["ray"] = replies(send)
        found["ids"] = send("/predictions/obeys", b"x", headers={"X-Request-Id": "mine"}).headers[
            "x-request-id"
        ]
        found["killed"] = killed_under_load(send)
        found["full"] = full_queue(send, folder / "gate")
        found["left"] = left(send, folder)
        until(lambda: WORKERS in send("/metrics", method="GET").text)
        found["metrics"] = send("/metrics", method="GET").text
        found["deadly"] = deadly_request(send, folder / "dead")
    found["folders"] = len(list((folder / "temporary").glob("torch-model-*")))
    found["command"] = command([write(folder, "obeys", HANDLER, own=1)])
    (folder / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
