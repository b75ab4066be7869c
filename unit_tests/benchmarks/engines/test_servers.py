"""A server, from its command until it is killed."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.engines.archives import Served, write_bodies
from benchmarks.engines.contenders import Contender, Launch
from benchmarks.engines.measuring import Plan, field
from benchmarks.engines.servers import Server, ServerFailedError, free_port
from benchmarks.load.generator import Generator
from benchmarks.load.loads import Closed
from benchmarks.processes.trees import all_processes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")

# Refuses the first requests, as servers do whose models still load, and then tells what it was asked.
TELLS = """
import http.server, sys

class Tells(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    count = 0

    def do_POST(self):
        Tells.count += 1
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = b"1 rows: " + self.path.encode() + b" " + body
        self.send_response(503 if Tells.count <= 2 else 200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Tells).serve_forever()
"""
FAILS = "import sys; print('the model is bad'); sys.exit(3)"


@dataclass(frozen=True)
class Script(Contender):
    code: str = TELLS

    def launch(self, served: Served, port: int, folder: Path) -> Launch:
        return Launch(
            [sys.executable, "-c", self.code, str(port)], served.requests(), dict(os.environ), folder
        )


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served("own", tmp_path, 1, "text/plain", write_bodies(tmp_path, [b"a", b"b"]), tells=True)


def test_it_is_ready_at_its_first_200_and_is_gone_after_the_block(served: Served) -> None:
    with Server(Script("own", "own"), served) as server:
        assert server.ready > 0
        assert server.answers(2) == [b"1 rows: /predictions/own a", b"1 rows: /predictions/own b"]
        assert server.cpu_seconds() > 0
        assert server.memory() > 1
        process, folder = server._process, server._folder
        assert process.pid in all_processes()
    assert process.pid not in all_processes()
    assert not folder.exists()


def test_one_that_ends_at_once_tells_its_last_words(served: Served) -> None:
    with pytest.raises(ServerFailedError, match="did not start; its last answer: None\nthe model is bad"):
        Server(Script("own", "own", code=FAILS), served).__enter__()


def test_what_does_not_start_is_left_out_of_the_rounds_and_named_in_the_figures(served: Served) -> None:
    good, bad = Script("good", "Good"), Script("bad", "Bad", code=FAILS)
    absent = Script("absent", "Absent", needs="no_such_package")
    with Generator() as generator, field(generator, Plan(rounds=2, seconds=0.1, quick=True)) as servers:
        servers.start([good, bad, absent], served)
        (rounds,) = servers.rounds(["good", "bad", "absent"], [Closed(2, 0.1)]).values()
        figures = [servers.figures(each, rounds) for each in (good, bad, absent)]
    assert [each.missing for each in figures] == [
        None,
        "did not start; its last answer: None",
        "not installed",
    ]
    assert len(figures[0].seconds) == 2
    assert figures[0].more["mean batch"] == 1
    assert figures[0].more["lost"] == 0
    assert servers.servers == {}


def test_a_free_port_can_be_listened_on() -> None:
    assert 0 < free_port() < 65536
