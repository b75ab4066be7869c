"""Faults of handlers, archives and disks in a live TorchServe: each is told, and the others are served."""

from __future__ import annotations

import json
import os
import sys
import time
import zipfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Union

import pytest
import requests
from faulty import FAULTY

from ts.runner import ServerError
from ts.runner.torchserve.server import TorchServe

LARGEST_FILE = (
    8192  # blocks of 512 bytes, or of 1024, as the shell counts; what is larger finds the disk full
)
TOO_LARGE = 12_000_000  # bytes
LARGEST_ANSWER = 100_000  # bytes
BATCHES = "batchSize: 2\nmaxBatchDelay: 60000\nminWorkers: 1\nmaxWorkers: 1\n"  # sent when two rows are there
NETWORK = "import torch\n\nclass Network(torch.nn.Identity):\n    pass\n"
ECHO = "def handle(data, context):\n    return data and [bytes(row['body']) for row in data]\n"
CLASSIFIER = {"modelFile": "network.py"}
WITHOUT_TOKENIZERS = {
    "tokenizer.json": "{}",
    "tokenizers.py": "raise ImportError('No module named tokenizers')\n",  # of all places it is found here first
    "network.py": NETWORK,
}


def write_archive(
    folder: Path, name: str, handler: str, files: Mapping[str, Union[str, bytes]], **model: str
) -> Path:
    path = folder / f"{name}.mar"
    section = {"modelName": name, "handler": handler, "modelVersion": "1.0", **model}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("MAR-INF/MANIFEST.json", json.dumps({"runtime": "python", "model": section}))
        for member, content in files.items():
            archive.writestr(member, content)
    return path


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python that cannot write large files, and whose children cannot."""
    script = tmp_path_factory.mktemp("limited") / "python"
    script.write_text(f'#!/bin/sh\nulimit -f {LARGEST_FILE}\nexec {sys.executable} "$@"\n')
    script.chmod(0o755)
    return str(script)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = {"echo.py": ECHO, "weights.bin": os.urandom(TOO_LARGE)}
    return write_archive(tmp_path_factory.mktemp("large"), "large", "echo.py:handle", files)


class Live:
    """A live server with the models `faulty`, whose batches are of two rows, and `echo`."""

    def __init__(self, server: TorchServe, logs: Path) -> None:
        self.server, self.console = server, logs / "console.log"
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy stands between this machine and itself

    def ask(self, model: str, row: str) -> requests.Response:
        return self._session.post(f"{self.server.url}/predictions/{model}", data=row.encode(), timeout=120)

    def pair(self, row: str) -> tuple[requests.Response, requests.Response]:
        """The answers to a row, and to a good one that shares its batch."""
        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(lambda row: self.ask("faulty", row), [row, "one"])
        return first, second

    def worker(self) -> int:
        """The process of the worker of `faulty`."""
        (worker,) = self.manage("GET", "/models/faulty").json()[0]["workers"]
        return int(worker["pid"])

    def logs(self, text: str) -> bool:
        """Whether the log has a text, or soon will: the server writes it behind its workers' backs."""
        deadline = time.monotonic() + 60
        while text not in self.console.read_text(errors="replace"):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    def register(self, archive: Path) -> requests.Response:
        asked = {"url": archive.as_uri(), "initial_workers": "1", "synchronous": "true"}
        return self.manage("POST", "/models", params=asked)

    def manage(self, method: str, path: str, **more: Any) -> requests.Response:
        return self._session.request(method, f"{self.server.management_url}{path}", timeout=120, **more)


@pytest.fixture(scope="module")
def live(needs_torchserve: None, limited: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("faults")
    faulty = {"faulty.py": FAULTY, "settings.yaml": BATCHES}
    archives = [
        write_archive(folder, "faulty", "faulty.py", faulty, configFile="settings.yaml"),
        write_archive(folder, "echo", "echo.py:handle", {"echo.py": ECHO}),
    ]
    config = {"enable_model_api": "true", "max_response_size": str(LARGEST_ANSWER)}
    with TorchServe(archives, device="cpu", python=limited, config=config, log_dir=folder / "logs") as server:
        yield Live(server, folder / "logs")


@pytest.mark.parametrize(
    ("row", "status"),
    [
        ("preprocess value", 503),
        ("inference mute", 503),
        ("postprocess memory", 507),
        ("preprocess teapot", 418),
        ("nan", 503),
        ("deep", 503),
        ("none", 503),
        (
            "status",
            503,
        ),  # each of these, if it were sent, would end the worker, or have its batch wait for ever
        ("header", 503),
        ("type", 503),
        ("split", 503),
    ],
)
def test_a_fault_is_its_rows_own_and_its_request_is_in_the_log(live: Live, row: str, status: int) -> None:
    worker = live.worker()
    bad, good = live.pair(row)
    assert (bad.status_code, good.status_code, good.content) == (status, 200, b"one")
    assert b"secret" not in bad.content
    assert live.logs(f"Request {bad.headers['x-request-id']}: {status}, ")
    assert live.worker() == worker


def test_an_answer_may_be_as_large_as_the_server_takes_and_no_larger(live: Live) -> None:
    worker = live.worker()
    large, good = live.pair(f"size {LARGEST_ANSWER}")
    assert (len(large.content), good.content) == (LARGEST_ANSWER, b"one")
    larger, good = live.pair(f"size {LARGEST_ANSWER + 1}")
    assert (larger.status_code, good.content) == (413, b"one")
    assert f"max_answer_bytes is {LARGEST_ANSWER}: " in larger.json()["message"]
    assert live.worker() == worker


def test_a_phrase_is_sent_in_letters_that_can_be(live: Live) -> None:
    bad, good = live.pair("phrase")
    assert (bad.status_code, bad.reason, bad.content, good.content) == (404, "n?thing", b"phrase", b"one")


def test_a_hook_that_exits_costs_its_batch_and_the_server_starts_another_worker(live: Live) -> None:
    worker = live.worker()
    for answer in live.pair("inference exit"):
        assert (answer.status_code, answer.json()["message"]) == (500, "Worker died.")
    assert live.ask("echo", "still here").content == b"still here"
    assert [answer.content for answer in live.pair("two")] == [b"two", b"one"]
    assert live.worker() != worker


BROKEN: dict[str, tuple[str, dict[str, str], dict[str, str], str]] = {
    "labels": (
        "image_classifier",
        {"network.py": NETWORK, "index_to_name.json": "cat, dog"},
        CLASSIFIER,
        "ValueError: index_to_name.json is not JSON: ",
    ),
    "settings": (
        "image_classifier",
        {"network.py": NETWORK, "settings.yaml": "handler: {topk: many}\n"},
        {**CLASSIFIER, "configFile": "settings.yaml"},
        "ValueError: model-config.yaml: handler.topk: Input should be a valid integer",
    ),
    "weights": (
        "image_classifier",
        {"network.py": NETWORK},
        {**CLASSIFIER, "serializedFile": "model.pt"},
        "FileNotFoundError: The archive has no serialized file model.pt",
    ),
    "extra": (
        "text_classifier",
        WITHOUT_TOKENIZERS,
        CLASSIFIER,
        "tokenizer.json needs tokenizers: pip install 'torchserve-handlers[tokenizers]'",
    ),
}


@pytest.fixture(scope="module")
def refused(live: Live, tmp_path_factory: pytest.TempPathFactory) -> dict[str, requests.Response]:
    """What the management API says to archives that cannot be served; asked together, since each takes seconds."""
    folder = tmp_path_factory.mktemp("broken")
    archives = [
        write_archive(folder, name, handler, files, **model)
        for name, (handler, files, model, _) in BROKEN.items()
    ]
    with ThreadPoolExecutor(len(archives)) as pool:
        return dict(zip(BROKEN, pool.map(live.register, archives)))


@pytest.mark.parametrize("name", BROKEN)
def test_an_archive_that_cannot_be_served_is_refused_and_the_log_says_why(
    live: Live, refused: dict[str, requests.Response], name: str
) -> None:
    assert refused[name].status_code == 500
    assert refused[name].json()["message"] == f"Failed to start workers for model {name} version: 1.0"
    assert live.logs(BROKEN[name][3])
    assert live.ask("echo", "still here").content == b"still here"


def test_an_archive_that_finds_the_disk_full_is_refused(live: Live, large: Path) -> None:
    answer = live.register(large)
    assert (answer.status_code, answer.json()["type"]) == (400, "DownloadArchiveException")
    assert live.ask("echo", "still here").content == b"still here"
    assert [answer.content for answer in live.pair("two")] == [b"two", b"one"]


def test_a_server_that_finds_the_disk_full_at_its_start_says_so(
    needs_torchserve: None, limited: str, large: Path
) -> None:
    with pytest.raises(ServerError) as raised, TorchServe([large], device="cpu", python=limited):
        pass
    assert str(raised.value) == "TorchServe could not start 'large': java.io.IOException: File too large"


def test_a_folder_that_cannot_be_written_is_one_sentence(
    needs_torchserve: None, large: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    logs = tmp_path / "file" / "logs"
    with pytest.raises(ServerError) as raised, TorchServe([large], device="cpu", log_dir=logs):
        pass
    assert str(raised.value) == f"TorchServe cannot be started: [Errno 20] Not a directory: '{logs}'"


def test_logs_that_find_the_disk_full_stop_nobody(live: Live) -> None:
    flood, good = live.pair("flood")
    assert (flood.content, good.content) == (b"flood", b"one")
    assert live.console.stat().st_size < TOO_LARGE  # the log has an end, though all of it was printed
    assert [answer.content for answer in live.pair("two")] == [b"two", b"one"]
    assert live.ask("echo", "still here").content == b"still here"
