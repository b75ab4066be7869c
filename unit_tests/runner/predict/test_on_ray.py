"""What `predict --engine ray` refuses, and what it says at the end; what it does is in batch/test_cluster.py."""

from __future__ import annotations

import io

import pytest

from ts.runner.batch.row import Row
from ts.runner.errors import InputError
from ts.runner.parser import parser
from ts.runner.predict import predict
from ts.runner.predict.job import LONGEST_MESSAGE, message, tell


@pytest.mark.parametrize(
    "option",
    [
        ["--address", "auto"],
        ["--workers", "2"],
        ["--cpus-per-worker", "0"],
        ["--gpus-per-worker", "0.5"],
    ],
)
def test_options_of_ray_are_not_this_processes(option: list[str]) -> None:
    with pytest.raises(InputError, match=f"{option[0]} is for --engine ray"):
        predict(parser().parse_args(["predict", "x.mar", "a.jpg", *option]))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["a.jpg"], "--engine ray writes its answers to a file: --output answers.parquet"),
        (["a.jpg", "--output", "s3://bucket/a.parquet"], "written to a path of this machine, not to a URL"),
        (["-", "--output", "a.parquet"], "not standard input"),
        (["a.jpg", "--output", "a.parquet", "--json"], "--json is for answers that are printed"),
    ],
)
def test_what_does_not_fit_ray_is_refused(arguments: list[str], text: str) -> None:
    with pytest.raises(InputError, match=text):
        predict(parser().parse_args(["predict", "x.mar", "--engine", "ray", *arguments]))


def test_the_end_says_how_many_of_each_and_the_first_that_were_refused() -> None:
    from ts.runner.batch.job import Report
    from ts.runner.batch.progress import Pace

    clock = iter([0.0, 10.0, 20.0, 20.0, 20.0, 20.0, 20.0])
    pace = Pace(3000, before=1000, clock=lambda: next(clock))
    pace.add([Row("a", 200, None, b"")] * 1000)
    pace.add([Row("a", 200, None, b"")] * 1000)
    refused = [Row("b.jpg", 400, None, b'{"message": "it is\\n damaged"}'), Row("c.jpg", 500, None, b"\xff")]
    said = io.StringIO()
    report = Report({200: 2990, 400: 9, 500: 1}, refused)
    tell(report, pace, "The answers are in a.parquet.", said, since=" once the workers were up")
    assert said.getvalue().splitlines() == [
        "3,000 files: 2,990 times 200, 9 times 400, 1 times 500",
        "2,000 answered now, in 20.0 s, 100 files/s once the workers were up",
        "b.jpg: 400 it is damaged",
        "c.jpg: 500 (no text)",
        "and 8 more that are no 200",
        "The answers are in a.parquet.",
    ]


def test_long_messages_are_cut() -> None:
    assert message("x" * 1000) == "x" * LONGEST_MESSAGE + "..."
    assert message('["a"]') == '["a"]'
