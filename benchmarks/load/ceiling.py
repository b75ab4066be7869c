"""The most requests a second that the load generator itself can send."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.load.generator import Generator
from benchmarks.processes.namespace import ROOT

CLIENTS = 16
BODY = b"0" * 100  # which the responder's answer holds


def ceiling(generator: Generator, seconds: float = 1.0) -> float:
    """Asks a trivial responder, as an echo is asked."""
    command = [sys.executable, "-m", "benchmarks.load.responder"]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as responder,
    ):
        assert responder.stdin
        assert responder.stdout
        body = Path(folder, "body")
        body.write_bytes(BODY)
        requests = {"path": "/predictions/echo", "content_type": "text/plain", "bodies": [str(body)]}
        port = int(responder.stdout.readline())
        task = {"port": port, "requests": {**requests, "tokens": [BODY.decode()]}, "clients": CLIENTS}
        (found,) = generator.send([{**task, "seconds": seconds}])
        responder.stdin.close()
    return len(found["latencies"]) / found["seconds"]
