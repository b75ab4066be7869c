"""`torch-model-runner serve`, by the embedded engine, as a user of a shell meets it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable

import pytest
import requests

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the embedded engine needs Linux or macOS")

Archive = Callable[..., Path]
Send = Callable[..., requests.Response]


class Serve:
    """The command, with temporary files where a test can look."""

    def __init__(self, folder: Path, *arguments: object) -> None:
        self.folder = folder / "t"
        self.folder.mkdir()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        command = [sys.executable, "-m", "ts.runner", "serve", "--device", "cpu", "--port", str(self.port)]
        self.process = subprocess.Popen(
            [*command, *map(str, arguments)],
            env={**os.environ, "TMPDIR": str(self.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def until_ready(self) -> Sequence[str]:
        """What it prints, once it answers."""
        lines: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            lines.append(line.strip())
            if line.startswith("The server answers on "):
                return lines
        raise AssertionError(self.process.communicate()[1])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_answers_until_it_is_told_to_end_and_leaves_nothing(
    archive: Archive, send: Send, tmp_path: Path, number: signal.Signals
) -> None:
    gate = tmp_path / "gate"
    serve = Serve(tmp_path, archive())
    try:
        lines = serve.until_ready()
        url = f"http://127.0.0.1:{serve.port}"
        assert lines[0] == "obeys is ready. Try it:"
        assert lines[-2:] == [f"metrics: curl {url}/metrics", f"The server answers on {url} until Ctrl-C."]
        pid = send(f"{url}/predictions/obeys").json()["pid"]
        with ThreadPoolExecutor(1) as thread:
            answer = thread.submit(send, f"{url}/predictions/obeys", f"wait for {gate}")
            while "torch_model_batch_requests_count" not in batches_of_two(send, url):
                pass
            serve.process.send_signal(number)
            assert serve.process.stderr is not None
            assert serve.process.stderr.readline() == "stopping\n"
            gate.touch()
            assert answer.result().status_code == 200
        assert serve.process.wait(60) == 0
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert list(serve.folder.iterdir()) == []
    finally:
        serve.process.kill()
        serve.process.communicate()


def batches_of_two(send: Send, url: str) -> str:
    """The line of the metrics that counts batches, if there are two."""
    lines = send(f"{url}/metrics", method="GET").text.splitlines()
    return next(
        (
            line
            for line in lines
            if line.startswith("torch_model_batch_requests_count") and line.endswith(" 2.0")
        ),
        "",
    )


def test_a_handler_that_does_not_start_is_told_and_the_others_are_served(
    archive: Archive, broken: Path, send: Send, tmp_path: Path
) -> None:
    serve = Serve(tmp_path, broken, archive(), "--max-request-size", "1K")
    try:
        lines = serve.until_ready()
        assert [line for line in lines if line.endswith("Try it:")] == ["obeys is ready. Try it:"]
        url = f"http://127.0.0.1:{serve.port}/predictions/obeys"
        assert send(url).status_code == 200
        assert send(url, b"x" * 1025).status_code == 413
        serve.process.terminate()
        _, errors = serve.process.communicate(timeout=60)
    finally:
        serve.process.kill()
    reason = f"handler 'own.py' of {broken} did not start: ValueError: the weights are bad"
    assert errors == f"torch-model-runner: broken/1.0 is not served: {reason}\nstopping\n"


def test_a_handler_alone_that_does_not_start_is_one_sentence(broken: Path, tmp_path: Path) -> None:
    serve = Serve(tmp_path, broken)
    output, errors = serve.process.communicate(timeout=60)
    reason = f"handler 'own.py' of {broken} did not start: ValueError: the weights are bad"
    assert (serve.process.returncode, output) == (2, "")
    assert errors == f"torch-model-runner: {reason}\n"
    assert list(serve.folder.iterdir()) == []


def test_options_of_the_embedded_engine_are_not_torchserves(archive: Archive, tmp_path: Path) -> None:
    serve = Serve(tmp_path, archive(), "--engine", "torchserve", "--host", "0.0.0.0")
    assert (
        serve.process.communicate(timeout=60)[1]
        == "torch-model-runner: --host is for --engine embedded or ray\n"
    )
    assert serve.process.returncode == 2
