from __future__ import annotations

import socket
from pathlib import Path
from typing import Callable

import pytest

from ts.runner.errors import ArchiveError, ServerError
from ts.runner.torchserve.config import (
    HOST,
    Ports,
    choose_ports,
    environment,
    escape,
    lay_out,
    served_models,
)

Build = Callable[..., Path]
PORTS = Ports(8080, 8081, 8082, 7070, 7071)


def settings(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines())


def test_the_model_store_links_to_every_kind_of_archive(build: Build, tmp_path: Path) -> None:
    paths = [build(to=name, modelName=name[0]) for name in ("a.mar", "b.tgz", "c")]
    folder = tmp_path / "server"
    folder.mkdir()
    found = settings(lay_out(folder, served_models(paths), PORTS, "auto", {}))
    assert found["load_models"] == "archive-0.mar,archive-1.tar.gz,archive-2"
    assert [link.resolve() for link in sorted((folder / "store").iterdir())] == paths
    assert found["inference_address"] == "http://127.0.0.1:8080"
    assert found["management_address"] == "http://127.0.0.1:8081"
    assert "number_of_gpu" not in found


def test_the_cpu_means_no_gpu_and_further_settings_win(build: Build, tmp_path: Path) -> None:
    models = served_models([build()])
    config = {"default_workers_per_model": "2", "job_queue_size": "7"}
    found = settings(lay_out(tmp_path, models, PORTS, "cpu", config))
    assert found["number_of_gpu"] == "0"
    assert (found["default_workers_per_model"], found["job_queue_size"]) == ("2", "7")


def test_values_are_written_as_java_reads_them() -> None:
    assert escape("C:\\models\\h\u00e9") == "C:\\\\models\\\\h\\u00e9"


def test_the_same_model_twice_is_refused(build: Build) -> None:
    with pytest.raises(ServerError, match=r"two archives hold version 1\.0 of the model 'tiny'"):
        served_models([build(), build(to="other.mar")])


def test_two_versions_of_a_model_are_served(build: Build) -> None:
    models = served_models([build(), build(to="other.mar", modelVersion="2.0")])
    assert [model.version for model in models] == ["1.0", "2.0"]


def test_a_wrong_archive_is_named_before_a_server_starts(build: Build, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="does not exist"):
        served_models([build(), tmp_path / "absent.mar"])
    with pytest.raises(ServerError, match="no archive"):
        served_models([])


def test_a_port_that_is_taken_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ServerError, match=f"port {port} cannot be listened on"):
            choose_ports(port)


@pytest.mark.parametrize("port", [70000, 10**30])
def test_a_number_that_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(ServerError, match=f"port {port} cannot be listened on"):
        choose_ports(port)


def test_the_environment_keeps_the_server_in_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ts.runner.torchserve.config.java_home", lambda _: Path("/java"))
    env = environment(tmp_path, tmp_path / "logs", "cpu", {"TS_CONFIG_FILE": "/etc/other", "OWN": "1"})
    assert env == {
        "OWN": "1",
        "JAVA_HOME": "/java",
        "TMPDIR": str(tmp_path),
        "LOG_LOCATION": str(tmp_path / "logs"),
        "METRICS_LOCATION": str(tmp_path / "logs"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def test_one_gpu_is_the_only_one_that_the_server_sees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ts.runner.torchserve.config.java_home", lambda _: Path("/java"))
    monkeypatch.setattr("ts.runner.answering.device.cuda_devices", lambda: 2)
    assert environment(tmp_path, tmp_path, "cuda:1", {})["CUDA_VISIBLE_DEVICES"] == "1"
