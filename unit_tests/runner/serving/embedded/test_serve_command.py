"""`torch-model-runner serve`, by the embedded engine, as a user of a shell meets it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable

import pytest
import requests
import torch

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the embedded engine needs Linux or macOS")

Archive = Callable[..., Path]
Send = Callable[..., requests.Response]


READY = re.compile(r"obeys/1\.0 is ready after \d+\.\d s\n")


def asked(port: int, model: str) -> str:
    """The command that sends a model a file."""
    return f"curl http://127.0.0.1:{port}/predictions/{model} -T FILE"


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
        assert lines[:2] == [
            "Try:",
            f"# obeys takes what code of its own reads: {asked(serve.port, 'obeys')}",
        ]
        assert lines[-2:] == [f"metrics: curl {url}/metrics", f"The server answers on {url} until Ctrl-C."]
        pid = send(f"{url}/predictions/obeys").json()["pid"]
        with ThreadPoolExecutor(1) as thread:
            answer = thread.submit(send, f"{url}/predictions/obeys", f"wait for {gate}")
            while "torch_model_batch_requests_count" not in batches_of_two(send, url):
                pass
            serve.process.send_signal(number)
            assert serve.process.stderr is not None
            assert READY.fullmatch(serve.process.stderr.readline())
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
        assert [line.split()[1] for line in lines if line.startswith("# ")] == ["obeys"]
        url = f"http://127.0.0.1:{serve.port}/predictions/obeys"
        assert send(url).status_code == 200
        assert send(url, b"x" * 1025).status_code == 413
        serve.process.terminate()
        _, errors = serve.process.communicate(timeout=60)
    finally:
        serve.process.kill()
    reason = f"handler 'own.py' of {broken} did not start: ValueError: the weights are bad"
    told = sorted(errors.splitlines(keepends=True)[:2])
    assert READY.fullmatch(told[0])
    assert told[1] == f"torch-model-runner: broken/1.0 is not served: {reason}\n"
    assert errors.endswith("\nstopping\n")


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


GREY = """
import torch
from torchvision import transforms
from ts.torch_handler.image_classifier import ImageClassifier

class Digits(ImageClassifier):
    topk = 3
    image_processing = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
"""
DIGITS = """
from torch import nn

class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2 * 26 * 26, 10))
"""
ROWS = """
from torch import nn

class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(4, 2))
"""
OF_ONE = """
from ts.torch_handler.base_handler import BaseHandler

class OfOne(BaseHandler):
    pass
"""


def test_each_model_gets_a_request_that_suits_it_and_works_as_pasted(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    archives = [
        packed(tmp_path, "digits", "digits.py", {"digits.py": GREY, "model.py": DIGITS}),
        packed(tmp_path, "rows", "base_handler", {"model.py": ROWS}),
        packed(tmp_path, "own_rows", "of_one.py", {"of_one.py": OF_ONE, "model.py": ROWS}),
    ]
    serve = Serve(tmp_path, *archives)
    try:
        lines = serve.until_ready()
        commands = [line for line in lines if line.startswith("curl -s ")]
        assert [command.split()[2].rpartition("/")[2] for command in commands] == [
            "digits",
            "rows",
            "own_rows",
        ]
        assert lines[4] == f"or with a file of yours: {asked(serve.port, 'MODEL')}"
        answers = [paste(command) for command in commands]
    finally:
        serve.process.kill()
        serve.process.communicate()
    assert len(answers[0]) == 3
    assert all(0 <= probability <= 1 for probability in answers[0].values())
    assert [len(answer) for answer in answers[1:]] == [2, 2]


def paste(command: str) -> Any:
    environment = {**os.environ, "no_proxy": "*"}
    return json.loads(subprocess.check_output(["sh", "-c", command], env=environment, text=True))


def packed(folder: Path, name: str, handler: str, files: dict[str, str]) -> Path:
    """An archive of a network with weights as they come."""
    made: dict[str, Any] = {}
    exec(files["model.py"], made)
    torch.save(made["Net"]().state_dict(), folder / "weights.pt")
    with zipfile.ZipFile(folder / f"{name}.mar", "w") as archive:
        model = {"modelName": name, "modelVersion": "1.0", "handler": handler, "modelFile": "model.py"}
        manifest = {"model": {**model, "serializedFile": "weights.pt"}, "archiverVersion": "0.12.0"}
        archive.writestr("MAR-INF/MANIFEST.json", json.dumps({**manifest, "runtime": "python"}))
        archive.write(folder / "weights.pt", "weights.pt")
        for path, text in files.items():
            archive.writestr(path, text)
    return folder / f"{name}.mar"
