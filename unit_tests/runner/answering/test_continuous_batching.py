"""Continuous batching: a handler is asked again and again for more of an answer, until its criterion stops it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest
from counting import COUNTING

from ts.runner import Model, load_archive

SETTINGS = "continuousBatching: true\nbatchSize: 2\n"
Build = Callable[..., Path]


@pytest.fixture
def model(build: Build) -> Iterator[Model]:
    files = {"own.py": COUNTING, "c.yaml": SETTINGS}
    with load_archive(build("own.py", files, configFile="c.yaml"), device="cpu") as model:
        yield model


def test_each_row_goes_on_until_its_own_criterion_stops_it(model: Model) -> None:
    answers = model.predict([b"3", b"1", b"2"], headers={"X-Own": "h"})
    parts = [[part.response for part in (*answer.intermediate, answer)] for answer in answers]
    assert parts == [["3h ", "2h ", "1h "], ["1h "], ["2h ", "1h "]]
    assert [answer.headers for answer in answers] == [{"ts_stream_next": "false"}] * 3
    assert answers[0].intermediate[0].headers == {"ts_stream_next": "true"}
    assert all(not part.intermediate for part in answers[0].intermediate)


def test_a_failure_on_the_way_ends_it(build: Build) -> None:
    source = COUNTING.replace("self.left -= 1", "self.left -= 1\n        1 // self.left")
    files = {"own.py": source, "c.yaml": SETTINGS}
    with load_archive(build("own.py", files, configFile="c.yaml"), device="cpu") as model:
        (answer,) = model.predict([b"2"], headers={"X-Own": "h"})
    assert (answer.status, str(answer.reason)) == (503, "integer division or modulo by zero")
    assert [part.response for part in answer.intermediate] == ["2h "]


def test_without_the_setting_a_handler_is_asked_once(build: Build) -> None:
    with load_archive(build("own.py", {"own.py": COUNTING}), device="cpu") as model:
        (answer,) = model.predict([b"3"], headers={"X-Own": "h"})
    assert (answer.response, answer.intermediate) == ("3h ", ())
    assert answer.headers == {"ts_stream_next": "true"}
