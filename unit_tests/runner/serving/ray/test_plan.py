"""What is to run on Ray, as archives and options have it."""

from __future__ import annotations

import hashlib
import shutil
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Optional

import pytest

from ts.runner import ArchiveError, DeviceError, ServerError
from ts.runner.serving.ray.plan import gpus_of, plan_archives, replicas_of
from ts.runner.serving.ray.replica import ReplicaOptions
from ts.runner.serving.settings import ServingSettings


def test_a_plan_says_all_that_a_replica_on_another_node_needs(
    archive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = archive(batchSize=4, minWorkers=2, maxWorkers=3)
    monkeypatch.chdir(path.parent)
    (plan,) = plan_archives([path.name], batch_size=8)
    pinned = f"{path}@sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    assert plan.options == ReplicaOptions(
        "obeys", pinned, ServingSettings(batch_size=8, min_workers=2, max_workers=3)
    )
    assert (plan.application, plan.handler, plan.archive, plan.gpus) == ("obeys:1.0", "own.py", path.name, 0)
    assert plan.key == "obeys/1.0"


def test_replicas_get_the_content_that_was_checked_or_none(archive: Any, tmp_path: Path) -> None:
    path = archive(own=1)
    (plan,) = plan_archives([path])
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert plan.options.source == f"{path}@sha256:{digest}"
    assert plan_archives([plan.options.source]) == [plan]
    archive(own=2)
    with pytest.raises(ArchiveError, match="is not the archive that is pinned"):
        plan_archives([plan.options.source])


def test_a_url_is_pinned_to_what_it_gave(
    archive: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("aiohttp")
    monkeypatch.setenv("TORCHSERVE_HANDLERS_CACHE", str(tmp_path / "cache"))
    path = archive(own=1)
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/{path.name}"
        (plan,) = plan_archives([url])
        server.shutdown()
    assert plan.options.source == f"{url}@sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    assert plan_archives([plan.options.source]) == [plan]  # out of the cache


def test_a_folder_has_no_digest(archive: Any, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    shutil.unpack_archive(archive(own=1), folder, "zip")
    (plan,) = plan_archives([folder])
    assert plan.options.source == str(folder)


@pytest.mark.parametrize(
    ("config", "device", "given", "gpus"),
    [
        ({}, "auto", None, 0),
        ({}, "auto", 0.5, 0.5),
        ({"deviceType": "gpu"}, "auto", None, 1),
        ({"deviceType": "gpu"}, "auto", 0.25, 0.25),
        ({"deviceType": "gpu"}, "cpu", 0.25, 0),
        ({"deviceType": "cpu"}, "auto", 1, 0),
        ({"deviceType": "gpu", "parallelType": "pp", "torchrun": {"nproc-per-node": 4}}, "auto", None, 4),
        ({"deviceType": "gpu", "parallelType": "custom", "parallelLevel": 2}, "auto", None, 2),
        ({"deviceType": "gpu", "parallelLevel": 2}, "auto", None, 1),  # no parallelism of any type
    ],
)
def test_gpus_are_those_given_or_those_that_the_archive_asks_for(
    config: dict[str, Any], device: str, given: Optional[float], gpus: float
) -> None:
    assert gpus_of(config, device, given) == gpus


@pytest.mark.parametrize("gpus", [-1, 1.5])
def test_no_replica_can_have_a_gpu_and_a_half(archive: Any, gpus: float) -> None:
    with pytest.raises(DeviceError, match="part of one, or a whole number"):
        plan_archives([archive(own=1)], gpus=gpus)


def test_ray_chooses_gpus_itself(archive: Any) -> None:
    with pytest.raises(DeviceError, match="it may be auto or cpu"):
        plan_archives([archive(own=1)], device="cuda:1")


def test_archives_are_checked_before_anything_is_deployed(archive: Any, tmp_path: Path) -> None:
    (tmp_path / "bad.mar").write_bytes(b"no archive")
    with pytest.raises(ArchiveError, match=r"bad\.mar"):
        plan_archives([archive(own=1), tmp_path / "bad.mar"])
    with pytest.raises(ArchiveError, match="batchSize"):
        plan_archives([archive(batchSize="many")])


def test_there_is_one_archive_at_least_and_none_twice(archive: Any, tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="no archive"):
        plan_archives([])
    path = archive(own=1)
    shutil.copy(path, tmp_path / "copy.mar")
    with pytest.raises(ServerError, match=r"two archives hold version 1\.0 of the model 'obeys'"):
        plan_archives([path, tmp_path / "copy.mar"])


def test_workers_become_more_by_load_where_the_archive_allows_it() -> None:
    assert replicas_of(ServingSettings(min_workers=2, max_workers=2)) == {"num_replicas": 2}
    scaling = replicas_of(ServingSettings(batch_size=4, min_workers=1, max_workers=3))["autoscaling_config"]
    assert scaling == {"min_replicas": 1, "max_replicas": 3, "target_ongoing_requests": 8}
