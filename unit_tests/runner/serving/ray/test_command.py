"""`torch-model-runner ray-config`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from ts.runner.main import main
from ts.runner.serving.ray.command import warn_of_secrets
from ts.runner.serving.ray.plan import plan_archives


def test_it_prints_what_serve_deploy_takes(archive: Any, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--cpus-per-worker", "0.5", "--port", "9000", "--max-request-size", "1M", "--batch-size", "3"]
    assert main(["ray-config", str(archive(own=1)), *options]) == 0
    document = yaml.safe_load(capsys.readouterr().out)
    assert document["http_options"] == {"host": "0.0.0.0", "port": 9000}
    first, front = document["applications"]
    assert first["args"]["options"]["settings"]["batch_size"] == 3
    assert first["deployments"][0]["ray_actor_options"]["num_cpus"] == 0.5
    assert front["args"]["max_request_size"] == 1 << 20


def test_it_writes_a_manifest_and_replaces_no_file_unasked(
    archive: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "service.yaml"
    command = [
        "ray-config",
        "--kuberay",
        "--image",
        "own:1",
        "--nodes",
        "3",
        str(archive(own=1)),
        "-o",
        str(out),
    ]
    assert main(command) == 0
    found = yaml.safe_load(out.read_text())
    assert found["kind"] == "RayService"
    assert found["spec"]["rayClusterConfig"]["workerGroupSpecs"][0]["replicas"] == 3
    out.write_text("edited")
    assert main(command) == 2
    assert capsys.readouterr().err == f"torch-model-runner: {out} exists; --force replaces it\n"
    assert out.read_text() == "edited"
    assert main([*command, "--force"]) == 0
    assert yaml.safe_load(out.read_text()) == found


def test_nothing_is_written_where_an_archive_is_bad(
    archive: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.mar").write_bytes(b"no archive")
    out = tmp_path / "serve.yaml"
    assert main(["ray-config", str(archive(own=1)), str(tmp_path / "bad.mar"), "-o", str(out)]) == 2
    assert "bad.mar" in capsys.readouterr().err
    assert not out.exists()


def test_where_nothing_can_be_written_is_told(
    archive: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "absent" / "serve.yaml"
    assert main(["ray-config", str(archive(own=1)), "-o", str(out)]) == 2
    assert f"{out} cannot be written: No such file or directory" in capsys.readouterr().err


def test_an_image_is_for_kubernetes(archive: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ray-config", str(archive(own=1)), "--image", "own:1"]) == 2
    assert capsys.readouterr().err == "torch-model-runner: --image is for --kuberay\n"


def test_secrets_that_are_written_are_told_but_not_shown(
    archive: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    (plan,) = plan_archives([archive(own=1)])
    url = "https://me:secret@example.org/obeys.mar@sha256:" + 64 * "0"
    warn_of_secrets([plan, replace(plan, options=replace(plan.options, source=url))])
    assert capsys.readouterr().err == (
        "torch-model-runner: what is written holds credentials, or what may be some, of"
        " https://example.org/obeys.mar\n"
    )
