"""torchserve's own worker, where it cannot be asked, or hangs, or sends an answer in parts."""

from __future__ import annotations

import io
import struct
import subprocess
from pathlib import Path
from typing import Any, Callable

import pytest

from ts.runner.archives.archive import open_archive
from ts.runner.batch.question import Question
from ts.runner.comparing.stock import Stock
from ts.runner.comparing.wire import Reader
from ts.runner.errors import InputError

HANGS = """
import time

def handle(data, context):
    if data is None:
        return None
    while b"wait" in data[0]["body"]:
        time.sleep(0.1)
    return ["well"]
"""
IN_PARTS = """
from ts.handler_utils.utils import send_intermediate_predict_response

def handle(data, context):
    if data is None:
        return None
    send_intermediate_predict_response(["one, "], context.request_ids, "", 200, context)
    return ["two"]
"""
COMPARE = """
from ts.runner.main import main
sys.exit(main(["compare", *sys.argv[1:]]))
"""


def said(archive: Path, *bodies: bytes) -> list[tuple[int, bytes, str]]:
    """What torchserve's own handler says to each."""
    with open_archive(archive) as opened, Stock(opened, batch_size=1, gpu=None) as stock:
        answers = [stock.answers([Question().call("a.txt", body)])[0] for body in bodies]
    return [(answer.status, answer.body[:4], answer.why) for answer in answers]


@pytest.mark.usefixtures("needs_stock")
def test_one_that_hangs_is_ended_and_started_again(build: Callable[..., Path]) -> None:
    archive = build("own.py", {"own.py": HANGS, "c.yaml": "responseTimeout: 1"}, configFile="c.yaml")
    assert said(archive, b"wait", b"a") == [(500, b"{\n  ", "no answer within 1 seconds"), (200, b"well", "")]


@pytest.mark.usefixtures("needs_stock")
def test_an_answer_in_parts(build: Callable[..., Path]) -> None:
    assert said(build("own.py", {"own.py": IN_PARTS}), b"a") == [(200, b"one, two"[:4], "")]


@pytest.mark.usefixtures("needs_stock")
def test_what_only_a_server_does(build: Callable[..., Path]) -> None:
    archive = build("own.py", {"own.py": HANGS, "c.yaml": "continuousBatching: true"}, configFile="c.yaml")
    with (
        open_archive(archive) as opened,
        pytest.raises(InputError, match="continuousBatching is asked through a TorchServe that runs"),
    ):
        Stock(opened, batch_size=1, gpu=None)


def test_no_torchserve(
    without_torchserve: Callable[..., subprocess.CompletedProcess[str]], build: Callable[..., Path]
) -> None:
    done = without_torchserve(COMPARE, str(build()), str(build()))
    assert done.returncode == 2
    assert (
        "pip install 'torchserve-handlers[server]', or name a TorchServe that runs with --old URL"
        in done.stderr
    )


def test_a_message_that_breaks_off() -> None:
    whole = b"".join([struct.pack("!i", 200), struct.pack("!i", 2) + b"ok", struct.pack("!i", 1) + b"r"])
    with pytest.raises(EOFError):
        Reader(io.BytesIO(whole).read).response()
    ended: Any = Reader(io.BytesIO(whole[:10] + struct.pack("!i", -1)).read).response()
    assert (ended.code, ended.message, ended.rows) == (200, "ok", [])
