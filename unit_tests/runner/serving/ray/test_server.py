"""Archives on a Ray cluster that is started here, in a network of its own."""

from __future__ import annotations

import json
import re
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.processes.namespace import run_in_namespace, why_not
from ts.runner.errors import InputError, ServerError
from ts.runner.parser import parser
from ts.runner.serve import serve
from ts.runner.serving.ray.server import RayServer, free_port
from unit_tests.runner.serving.ray.scenario import REQUEST_SET, REQUESTS

SCENARIO = "unit_tests.runner.serving.ray.scenario"
SECONDS = 300  # a busy machine takes minutes for what takes 30 s


@pytest.fixture(scope="module")
def on_ray(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one run on one cluster has seen."""
    pytest.importorskip("ray")
    if reason := why_not():
        pytest.skip(reason)
    folder: Path = tmp_path_factory.mktemp("ray")
    process = run_in_namespace(SCENARIO, str(folder), timeout=SECONDS)
    assert process.returncode == 0, process.stderr[-4000:]
    return json.loads((folder / "found.json").read_text())


@pytest.mark.parametrize("index", range(len(REQUEST_SET)), ids=lambda i: " ".join(REQUEST_SET[i][:2]))
def test_answers_are_those_of_the_embedded_engine(on_ray: dict[str, Any], index: int) -> None:
    assert on_ray["ray"][index] == on_ray["embedded"][index]


def test_a_bad_archive_is_told_and_the_others_are_served(on_ray: dict[str, Any]) -> None:
    assert list(on_ray["failures"]) == ["broken/1.0"]
    assert on_ray["failures"]["broken/1.0"].endswith(
        "broken.mar did not start: ValueError: the weights are bad"
    )
    assert on_ray["ray"][0][0] == 200


def test_no_request_is_lost_when_a_replica_is_killed(on_ray: dict[str, Any]) -> None:
    assert on_ray["killed"]["lost"] == {}
    assert on_ray["killed"]["own"] == REQUESTS
    assert on_ray["killed"]["left"] != on_ray["killed"]["killed"]


def test_replicas_of_a_node_share_the_unpacked_files_and_killed_ones_leave_none(
    on_ray: dict[str, Any],
) -> None:
    assert on_ray["killed"]["folders"] == 2  # of the two archives that start
    assert on_ray["folders"] == 0


def test_a_full_queue_refuses_and_says_when_to_come_back(on_ray: dict[str, Any]) -> None:
    assert on_ray["full"]["answered"] == [200, 200]
    for status, headers, text in on_ray["full"]["refused"]:
        assert (status, headers["retry-after"], headers["content-type"]) == (503, "1", "application/json")
        assert "1 requests wait already, its jobQueueSize" in json.loads(text)["message"]
    assert len(on_ray["full"]["refused"]) == 4


def test_a_request_that_ends_its_process_is_tried_once_more_and_refused(on_ray: dict[str, Any]) -> None:
    status, headers, text = on_ray["deadly"]["reply"]
    assert (status, headers["retry-after"], json.loads(text)["message"]) == (503, "1", "Worker died.")
    assert on_ray["deadly"]["deaths"] == 2
    assert on_ray["deadly"]["next"][0] == 200


def test_what_a_client_does_not_wait_for_is_not_answered(on_ray: dict[str, Any]) -> None:
    assert on_ray["left"] == {"answered": [200, 200], "begun": False}


def test_a_front_shows_what_replicas_measure(on_ray: dict[str, Any]) -> None:
    model = 'model="obeys"'
    values = dict(line.rsplit(" ", 1) for line in on_ray["metrics"].splitlines() if line[:1] != "#")
    rows = float(values[f'torch_model_batch_requests_sum{{{model},version="1.0"}}'])
    assert rows >= REQUESTS
    assert float(values[f'torch_model_queue_seconds_count{{{model},version="1.0"}}']) == rows
    assert float(values[f'torch_model_handler_seconds_count{{{model},name="OwnTime",version="1.0"}}']) > 0


def test_the_id_of_a_request_is_sent_back_once(on_ray: dict[str, Any]) -> None:
    assert on_ray["ids"] == "mine"


def test_the_command_serves_until_it_is_told_to_end_and_tells_what_is_open(on_ray: dict[str, Any]) -> None:
    command = on_ray["command"]
    assert command["lines"][:1] == ["Try:"], command["errors"]
    assert command["lines"][1].startswith(
        "# obeys takes what code of its own reads: curl http://127.0.0.1:8099/"
    )
    assert any(re.fullmatch(r"obeys/1\.0 is ready after \d+\.\d s", line) for line in command["errors"])
    assert command["lines"][-1] == "The server answers on http://127.0.0.1:8099 until Ctrl-C."
    assert command["statuses"] == [200, 413]
    assert command["errors"][0].startswith("torch-model-runner: Ray's own processes listen on all addresses")
    assert "stopping Ray" in command["errors"]
    assert command["code"] == 0


def test_a_port_that_is_taken_is_an_error_since_ray_would_share_it() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(ServerError, match=f"port {port} of 127.0.0.1 cannot be listened on"):
            free_port("127.0.0.1", port)


@pytest.mark.parametrize(
    ("settings", "free", "cpus"),
    [({}, {"CPU": 2.0}, 1), ({"minWorkers": 4}, {"CPU": 2.0}, 0.5), ({"minWorkers": 3}, {"CPU": 2.0}, 0.66)],
)
def test_workers_of_this_machine_share_the_cpus_that_there_are(
    archive: Any, settings: dict[str, Any], free: dict[str, float], cpus: float
) -> None:
    server = planned(archive(**settings, own=1))
    server._check_room(free)
    assert server._cpus == cpus


def test_a_cluster_that_is_too_small_is_an_error_before_anything_is_deployed(archive: Any) -> None:
    server = planned(archive(minWorkers=3), cpus=1)
    with pytest.raises(
        ServerError, match="3 workers of 1 CPUs each are asked for, and the cluster has 2 CPUs free"
    ):
        server._check_room({"CPU": 2.0})
    server = planned(archive(deviceType="gpu"))
    with pytest.raises(ServerError, match="1 GPUs are asked for, and the cluster has 0 free"):
        server._check_room({"CPU": 2.0})


def test_without_ray_the_way_out_is_named(archive: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setitem(sys.modules, "ray.serve", None)
    with (
        pytest.raises(ServerError, match=r"pip install 'torchserve-handlers\[ray\]'"),
        RayServer([archive(own=1)]),
    ):
        pass


def planned(path: Path, **options: Any) -> RayServer:
    from ts.runner.serving.ray.plan import plan_archives

    server = RayServer([path], **options)
    server.plans = plan_archives([path])
    return server


@pytest.mark.parametrize("value", ["-1", "many", "nan", "inf"])
def test_what_is_no_part_of_a_machine_is_a_usage_error(
    value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        parser().parse_args(["serve", "x.mar", "--engine", "ray", f"--cpus-per-worker={value}"])
    assert "is not a number of at least 0" in capsys.readouterr().err


def test_options_of_ray_are_no_other_engines() -> None:
    arguments = parser().parse_args(["serve", "x.mar", "--gpus-per-worker", "0.5"])
    with pytest.raises(InputError, match="--gpus-per-worker is for --engine ray"):
        serve(arguments)
