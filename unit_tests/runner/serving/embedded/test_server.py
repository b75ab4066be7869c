"""Archives over HTTP, by the embedded engine."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable

import pytest
import requests

from ts.runner import ArchiveError, ServerError
from ts.runner.serving.embedded.server import EmbeddedServer

Archive = Callable[..., Path]
Send = Callable[..., requests.Response]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the embedded engine needs Linux or macOS")


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def until(condition: Callable[[], Any]) -> Any:
    """Waits for what is bound to come; a minute at most."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come")


def facts_of(send: Send, server: EmbeddedServer, name: str = "obeys") -> dict[str, Any]:
    return send(f"{server.url}/models/{name}", method="GET").json()[0]


def pending(send: Send, server: EmbeddedServer) -> int:
    return facts_of(send, server)["jobQueueStatus"]["pendingRequests"]


def has_ended(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def test_an_archive_is_served_by_a_process_of_its_own(archive: Archive, send: Send) -> None:
    with EmbeddedServer([archive(), archive("other")], device="cpu") as server:
        answer = send(f"{server.url}/predictions/obeys", headers={"X-Own": "1"}).json()
        assert (answer["said"], answer["rows"], answer["header"]) == ("hello", 1, "1")
        other = send(f"{server.url}/predictions/other", files={"data": b"a file"}).json()
        assert other["said"] == "a file"
        assert len({answer["pid"], other["pid"], os.getpid()}) == 3
        assert answer["cwd"] == str(server.archives[0].root)
        assert send(f"{server.url}/ping", method="GET").json() == {"status": "Healthy"}
        assert facts_of(send, server)["workers"][0]["pid"] == answer["pid"]
        assert send(f"{server.url}/predictions/nope").status_code == 404
        metrics = send(f"{server.url}/metrics", method="GET").text
        assert 'torch_model_workers{model="obeys",version="1.0"} 1.0' in metrics
        assert 'torch_model_batch_requests_count{model="obeys",version="1.0"} 1.0' in metrics
    assert has_ended(answer["pid"])
    assert not server.archives[0].root.exists()


def test_versions_of_a_model_are_served_side_by_side(archive: Archive, send: Send) -> None:
    with EmbeddedServer([archive(), archive(version="2.0")], device="cpu") as server:
        default, second = (send(f"{server.url}/predictions/obeys{path}").json() for path in ("", "/2.0"))
        assert default["pid"] != second["pid"]
        assert default["pid"] == send(f"{server.url}/predictions/obeys/1.0").json()["pid"]


def test_what_waits_while_a_batch_is_answered_is_the_next_batch(
    archive: Archive, send: Send, tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    path = archive(batchSize=2, maxBatchDelay=0)
    with EmbeddedServer([path], device="cpu") as server:
        url, gate = f"{server.url}/predictions/obeys", tmp_path / "gate"
        first = threads.submit(send, url, f"wait for {gate}")
        until(lambda: metric(send, server, "torch_model_batch_requests_count") == 1)
        rest = [threads.submit(send, url, str(number)) for number in range(2)]
        until(lambda: pending(send, server) == 2)
        gate.touch()
        assert first.result().json()["rows"] == 1
        assert [future.result().json()["rows"] for future in rest] == [2, 2]
        assert {future.result().json()["batch"] for future in rest} == {2}


def metric(send: Send, server: EmbeddedServer, name: str) -> float:
    lines = send(f"{server.url}/metrics", method="GET").text.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"{name}{{"))


def test_requests_beyond_the_queue_are_refused(
    archive: Archive, send: Send, tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    with EmbeddedServer([archive(jobQueueSize=1)], device="cpu") as server:
        url, gate = f"{server.url}/predictions/obeys", tmp_path / "gate"
        busy = threads.submit(send, url, f"wait for {gate}")
        until(lambda: metric(send, server, "torch_model_batch_requests_count") == 1)
        waiting = threads.submit(send, url)
        until(lambda: pending(send, server) == 1)
        refused = send(url)
        assert (refused.status_code, refused.json()["type"]) == (503, "ServiceUnavailableException")
        assert refused.headers["retry-after"] == "1"
        gate.touch()
        assert (busy.result().status_code, waiting.result().status_code) == (200, 200)


def test_a_worker_that_dies_loses_what_it_had_and_comes_back(archive: Archive, send: Send) -> None:
    with EmbeddedServer([archive(), archive("other")], device="cpu") as server:
        url = f"{server.url}/predictions/obeys"
        before, other = send(url).json()["pid"], send(f"{server.url}/predictions/other").json()["pid"]
        died = send(url, "die")
        assert died.status_code == 503
        assert died.json() == {"code": 503, "type": "InternalServerException", "message": "Worker died."}
        after = send(url)  # waits for the new one
        assert after.status_code == 200
        assert after.json()["pid"] != before
        assert send(f"{server.url}/predictions/other").json()["pid"] == other
        assert metric(send, server, "torch_model_worker_restarts_total") == 1


def test_a_worker_that_is_killed_while_it_waits_comes_back(archive: Archive, send: Send) -> None:
    with EmbeddedServer([archive()], device="cpu") as server:
        pid = facts_of(send, server)["workers"][0]["pid"]
        os.kill(pid, signal.SIGKILL)
        until(lambda: [worker["pid"] for worker in facts_of(send, server)["workers"]] not in ([], [pid]))
        assert send(f"{server.url}/predictions/obeys").json()["pid"] != pid


def test_a_worker_that_does_not_respond_is_killed(archive: Archive, send: Send, tmp_path: Path) -> None:
    with EmbeddedServer([archive(responseTimeout=1)], device="cpu") as server:
        url = f"{server.url}/predictions/obeys"
        pid = send(url).json()["pid"]
        late = send(url, f"mark {tmp_path / 'begun'}")
        assert (late.status_code, late.json()["code"]) == (503, 503)
        assert late.json()["message"] == "Worker did not respond within 1 seconds, its responseTimeout."
        assert send(url).json()["pid"] != pid
        assert has_ended(pid)


def test_minworkers_processes_answer_at_the_same_time(
    archive: Archive, send: Send, tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    with EmbeddedServer([archive(minWorkers=2)], device="cpu", env={**os.environ}) as server:
        url, gate = f"{server.url}/predictions/obeys", tmp_path / "gate"
        answers = [threads.submit(send, url, f"wait for {gate}") for _ in range(2)]
        until(lambda: metric(send, server, "torch_model_batch_requests_count") == 2)
        gate.touch()
        assert len({answer.result().json()["pid"] for answer in answers}) == 2


def test_what_is_being_answered_is_answered_before_the_end(
    archive: Archive, send: Send, tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    gate = tmp_path / "gate"
    with EmbeddedServer([archive(batchSize=1)], device="cpu") as server:
        url = f"{server.url}/predictions/obeys"
        answers = [threads.submit(send, url, f"wait for {gate}") for _ in range(3)]  # two of them wait
        until(lambda: pending(send, server) == 2)
        threads.submit(open_when_refused, server.url, gate)
    assert [answer.result().status_code for answer in answers] == [200, 200, 200]


def open_when_refused(url: str, gate: Path) -> None:
    """Opens the gate once the server takes no more connections."""

    def is_refused() -> bool:
        host, port = url.removeprefix("http://").split(":")
        try:
            socket.create_connection((host, int(port)), 1).close()
        except OSError:
            return True
        return False

    until(is_refused)
    gate.touch()


def test_workers_end_in_order(archive: Archive, tmp_path: Path) -> None:
    note = tmp_path / "note"
    source = (
        "import atexit, pathlib\n"
        f"atexit.register(pathlib.Path({str(note)!r}).write_text, 'in order')\n"
        "def handle(data, context):\n    return data\n"
    )
    with EmbeddedServer([archive("notes", source)], device="cpu"):
        assert not note.exists()
    assert note.read_text() == "in order"


def test_a_body_that_is_too_large_is_refused_before_it_is_kept(archive: Archive, send: Send) -> None:
    with EmbeddedServer([archive()], device="cpu", max_request_size=1000) as server:
        url = f"{server.url}/predictions/obeys"
        for data in (b"x" * 1001, iter([b"x" * 600, b"x" * 600])):
            response = send(url, data)
            assert response.status_code == 413
            assert "--max-request-size is 1000" in response.json()["message"]
        assert send(url, b"x" * 1000).status_code == 200


def test_a_handler_that_does_not_start_leaves_the_others_served(
    archive: Archive, broken: Path, send: Send
) -> None:
    with EmbeddedServer([broken, archive()], device="cpu") as server:
        reason = f"handler 'own.py' of {broken} did not start: ValueError: the weights are bad"
        assert server.failures == {"broken/1.0": reason}
        assert send(f"{server.url}/predictions/obeys").status_code == 200
        refused = send(f"{server.url}/predictions/broken")
        assert (refused.status_code, refused.json()["type"]) == (503, "ServiceUnavailableException")
        assert send(f"{server.url}/ping", method="GET").json() == {"status": "Healthy"}
        assert facts_of(send, server, "broken")["workers"] == []


def test_a_server_without_a_model_that_starts_does_not_start(broken: Path) -> None:
    with (
        pytest.raises(ServerError, match="did not start: ValueError: the weights are bad"),
        EmbeddedServer([broken], device="cpu"),
    ):
        pass


def test_a_handler_that_takes_too_long_to_start_has_failed(archive: Archive) -> None:
    slow = "import time\ndef handle(data, context):\n    time.sleep(3600)\n"
    with (
        pytest.raises(ServerError, match="not ready within 1 seconds, its startupTimeout"),
        EmbeddedServer([archive("slow", slow, startupTimeout=1)], device="cpu"),
    ):
        pass


def test_a_process_that_ends_as_it_starts_has_failed(archive: Archive) -> None:
    ends = "import os, signal\ndef handle(data, context):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    with (
        pytest.raises(ServerError, match="its process was ended by SIGKILL"),
        EmbeddedServer([archive("ends", ends)], device="cpu"),
    ):
        pass


def test_what_is_wrong_is_said_before_anything_starts(archive: Archive, tmp_path: Path) -> None:
    path = archive()
    with pytest.raises(ArchiveError, match="does not exist"), EmbeddedServer([path, tmp_path / "absent.mar"]):
        pass
    with (
        pytest.raises(ServerError, match=r"two archives hold version .* of the model 'obeys'"),
        EmbeddedServer([path, path]),
    ):
        pass
    with (
        pytest.raises(ArchiveError, match="is a workflow, which only TorchServe"),
        EmbeddedServer(["flow.war"]),
    ):
        pass
    with pytest.raises(ServerError, match="there is no archive to serve"), EmbeddedServer([]):
        pass
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(ServerError, match=rf"port {port} of .* cannot be listened on"),
            EmbeddedServer([path], port=port),
        ):
            pass


def test_workers_compute_in_their_share_of_threads(
    archive: Archive, send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)), raising=False)
    env = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    with EmbeddedServer([archive(minWorkers=2)], device="cpu", env=env) as server:
        assert send(f"{server.url}/predictions/obeys").json()["threads"] == "2"
    with EmbeddedServer([archive()], device="cpu", env={**env, "OMP_NUM_THREADS": "5"}) as server:
        assert send(f"{server.url}/predictions/obeys").json()["threads"] == "5"


def test_no_worker_outlives_its_owner(archive: Archive, tmp_path: Path) -> None:
    code = (
        "import sys, requests\nfrom ts.runner.serving.embedded.server import EmbeddedServer\n"
        f"with EmbeddedServer([{str(archive())!r}], device='cpu') as server:\n"
        "    session = requests.Session(); session.trust_env = False\n"
        "    print(session.get(server.url + '/models/obeys').json()[0]['workers'][0]['pid'], flush=True)\n"
        "    session.post(server.url + '/predictions/obeys', data='mark ' + sys.argv[1])\n"
    )
    begun = tmp_path / "begun"
    owner = subprocess.Popen([sys.executable, "-c", code, str(begun)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout
    pid = int(owner.stdout.readline())
    until(begun.exists)  # it is in the middle of a batch
    assert not has_ended(pid)
    owner.kill()
    owner.communicate()
    until(lambda: has_ended(pid))
