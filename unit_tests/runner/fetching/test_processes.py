"""Several processes that want one file, and the command line, with URLs."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from web_server import Page, WebServer

from ts.runner.fetching.cache import users_cache
from ts.runner.torchserve.config import served_models
from ts.runner.torchserve.server import TorchServe

from .conftest import mar

CONTENT = mar("one" * 1000)
DIGEST = hashlib.sha256(CONTENT).hexdigest()
OPENED = """
import sys
from ts.runner.fetching.local_copy import local_copy
with local_copy(sys.argv[1]) as copy:
    print(copy.path.stat().st_size)
"""

needs_flock = pytest.mark.skipif(os.name != "posix", reason="there is no flock")


def opening(url: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", OPENED, url], stdout=subprocess.PIPE, text=True)


@needs_flock
def test_processes_side_by_side_fetch_a_file_once(web: WebServer, cache_folder: Path) -> None:
    web.pages["/tiny.mar"] = Page(CONTENT, '"v1"')
    processes = [opening(f"{web.url}/tiny.mar") for _ in range(4)]
    assert [process.communicate()[0] for process in processes] == [f"{len(CONTENT)}\n"] * 4
    assert web.count("GET") == 1
    assert list(cache_folder.glob("parts/*")) == []


@needs_flock
def test_where_a_process_is_killed_the_one_that_waits_fetches_the_file(
    web: WebServer, cache_folder: Path
) -> None:
    gate = threading.Event()
    web.pages["/tiny.mar"] = Page(CONTENT, '"v1"', sent=100, faults=1, gate=gate)
    first = opening(f"{web.url}/tiny.mar")
    end = time.monotonic() + 60
    while not web.count("GET"):
        assert time.monotonic() < end
        time.sleep(0.01)
    assert len(list(cache_folder.glob("parts/*"))) == 1
    second = opening(f"{web.url}/tiny.mar")
    first.kill()
    assert second.communicate()[0] == f"{len(CONTENT)}\n"
    gate.set()
    assert first.communicate()[0] == ""
    assert web.count("GET") == 2
    assert list(cache_folder.glob("parts/*")) == []
    assert [path.read_bytes() for path in cache_folder.glob("files/*/*")] == [CONTENT]


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ts.runner", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def test_commands_take_urls_and_show_no_credentials(web: WebServer, tmp_path: Path) -> None:
    web.pages["/tiny.mar"] = Page(mar("meow"), '"v1"')
    (tmp_path / "input").write_text("x")
    url = web.url.replace("//", "//user:secret@") + "/tiny.mar?secret"
    shown = f"{web.url}/tiny.mar?..."
    predicted = run("predict", url, "input", "--json", "--device", "cpu", cwd=tmp_path)
    assert json.loads(predicted.stdout)[0]["response"] == "meow"
    assert f"fetched {shown}, which @sha256:" in predicted.stderr
    inspected = run("inspect", url, "--json", cwd=tmp_path)
    assert json.loads(inspected.stdout)["archive"] == shown
    verified = run("inspect", url, "--verify", cwd=tmp_path)
    assert verified.stdout.startswith(f"{shown}: nothing to verify")
    refused = run("inspect", f"{url}@sha256:{'0' * 64}", "--debug", cwd=tmp_path)
    assert (refused.returncode, f"torch-model-runner: {shown} is not the archive" in refused.stderr) == (
        2,
        True,
    )
    missing = run("inspect", url.replace("tiny", "no"), "--debug", cwd=tmp_path)
    assert (missing.returncode, "has no such file (404)" in missing.stderr) == (2, True)
    for done in (predicted, inspected, verified, refused, missing):
        assert "secret" not in done.stdout + done.stderr


@needs_flock
def test_a_torchserve_gets_the_file_in_the_cache_and_keeps_it(
    web: WebServer, cache_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.pages["/tiny"] = Page(CONTENT, '"v1"')
    model = served_models([f"{web.url}/tiny@sha256:{DIGEST}"])[0]
    assert (model.name, model.archive, model.suffix) == (
        "tiny",
        cache_folder / "files" / DIGEST / "tiny",
        ".mar",
    )

    def start(*_: object) -> None:
        users_cache().make_room(users_cache().size)
        raise OSError(f"kept: {model.archive.exists()}")

    monkeypatch.setattr(TorchServe, "_start", start)
    with pytest.raises(Exception, match="kept: True"), TorchServe([f"{web.url}/tiny@sha256:{DIGEST}"]):
        pass
    users_cache().make_room(users_cache().size)
    assert not model.archive.exists()
