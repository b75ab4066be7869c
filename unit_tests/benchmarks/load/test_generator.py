"""The load generator as a process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.load.ceiling import ceiling
from benchmarks.load.generator import Generator
from benchmarks.load.loads import measured


@pytest.fixture(scope="module")
def generator() -> Any:
    with Generator() as running:
        yield running


def test_it_knows_its_own_ceiling(generator: Generator) -> None:
    assert ceiling(generator, 0.1) > 0


def test_servers_that_are_gone_are_no_answer_and_no_end(generator: Generator, tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_bytes(b"x")
    requests = {"path": "/", "content_type": "text/plain", "bodies": [str(body)]}
    task = {"port": 1, "requests": requests}  # on which nothing listens
    closed, arrived = generator.send([{**task, "clients": 2, "seconds": 0.1}, {**task, "times": [0.0, 0.0]}])
    assert measured(closed, 0.0).failed == {"no connection: Connection refused": 1}
    assert measured(arrived, 0.0).failed == {"no connection": 2}
    assert measured(closed, 0.0).rate == measured(arrived, 0.0).rate == 0
