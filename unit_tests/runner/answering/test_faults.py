"""Faults of a handler, in each of its hooks: whose they are, what clients are told, and what the log says."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any, Callable

import pytest
from faulty import FAULTY

from ts.runner import Answer, ArchiveError, load_archive

Build = Callable[..., Path]

HOOKS = ("preprocess", "inference", "postprocess")
UNTOLD = ("value", "key", "assertion", "disk", "recursion", "stop", "unicode", "mute")
STATUSES = {
    **dict.fromkeys(UNTOLD, (503, "Prediction failed")),
    "memory": (507, "Out of memory: the request does not fit"),
    "refused": (400, "told"),
    "teapot": (418, "told"),
    "no status": (500, "told"),
}


@pytest.fixture
def faulty(build: Build) -> Path:
    return build("faulty.py", {"faulty.py": FAULTY, "c.yaml": "batchSize: 3\n"}, configFile="c.yaml")


def answers_with(archive: Path, row: str) -> tuple[Answer, list[bytes]]:
    """The answer to a row in the middle of a batch, and the bodies of its neighbours' answers."""
    with load_archive(archive, device="cpu") as model:
        before, answer, after = model.predict([b"one", row.encode(), b"two"])
    assert (before.status, after.status) == (200, 200)
    return answer, [before.body, after.body]


@pytest.mark.parametrize("fault", STATUSES)
@pytest.mark.parametrize("hook", HOOKS)
def test_a_row_whose_hook_raises_fails_alone(
    faulty: Path, hook: str, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    answer, others = answers_with(faulty, f"{hook} {fault}")
    status, message = STATUSES[fault]
    assert (answer.status, answer.response["code"], answer.response["message"]) == (status, status, message)
    assert b"secret" not in answer.body
    assert others == [b"one", b"two"]
    (record,) = [record for record in caplog.records if record.getMessage().startswith("Request ")]
    assert re.match(rf"Request [0-9a-f-]{{36}}: {status}, {message}", record.getMessage())
    assert record.levelno == (logging.INFO if status < 500 else logging.ERROR)
    assert bool(record.exc_info) == (status >= 500)  # what a client has caused needs no traceback


def test_an_error_whose_message_fails_is_told_as_far_as_it_goes(faulty: Path) -> None:
    answer, others = answers_with(faulty, "preprocess no text")
    assert (answer.status, others) == (400, [b"one", b"two"])
    assert answer.response["message"] == "a Mute, of which nothing can be told: ValueError"


@pytest.mark.parametrize(
    "result",
    [
        "nan",
        "infinity",
        "set",
        "deep",
        "meta",
        "half a pair",
        "an error",
        "none",
        "status",
        "header",
        "type",
        "split",
    ],
)
def test_a_row_whose_result_cannot_be_sent_fails_alone(faulty: Path, result: str) -> None:
    answer, others = answers_with(faulty, result)
    assert (answer.status, answer.response["message"]) == (503, "Prediction failed")
    assert answer.headers == {}
    assert others == [b"one", b"two"]


def test_a_hook_that_exits_ends_the_worker_and_with_it_the_batch(faulty: Path) -> None:
    with load_archive(faulty, device="cpu") as model:
        answers = model.predict([b"one", b"inference exit", b"two"])
        assert [answer.status for answer in answers] == [500] * 3
        assert {answer.response["message"] for answer in answers} == {"Worker died."}
        (after,) = model.predict([b"one"])
    assert after.body == b"one"


PLAIN_ERRORS = {
    "RuntimeError('secret')": (503, "Prediction failed"),
    "RuntimeError('CUDA secret')": (507, "Out of resources"),
    "type('Mute', (Exception,), {'__str__': lambda self: 1 / 0})()": (500, "Worker died."),
    "PredictionException('told', 418)": (418, "told"),
    "PredictionException('told', 'x')": (500, "Worker died."),
    "PredictionException(b'told', 400)": (500, "Worker died."),
    "PredictionException(None, 400)": (500, "Worker died."),
}


@pytest.mark.parametrize("error", PLAIN_ERRORS)
def test_a_handle_that_raises_fails_the_batch_as_it_does_for_torchserve(
    build_class: Callable[[str], Path], error: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = build_class(f"from ts.utils.util import PredictionException\nraise {error}")
    with load_archive(path, device="cpu") as model:
        answers = model.predict([b"one", b"two"], batch_size=2)
    status, message = PLAIN_ERRORS[error]
    assert [(answer.status, answer.response["message"]) for answer in answers] == [(status, message)] * 2
    assert "a batch of 2 failed: " in caplog.text


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("ValueError('the weights are bad')", "ValueError: the weights are bad"),
        ("RecursionError('deep')", "RecursionError: deep"),
        ("MemoryError()", "MemoryError: "),
        ("SystemExit('no licence')", "SystemExit: no licence"),
        ("OSError(30, 'Read-only file system')", r"OSError: \[Errno 30\] Read-only file system"),
        (
            "type('Mute', (Exception,), {'__str__': lambda self: 1 / 0})()",
            "Mute: it says nothing, since its text raises ZeroDivisionError",
        ),
        ("ValueError('x' * 1_000_000)", "ValueError: x{2000}[.]{3}$"),
    ],
)
def test_a_handler_that_fails_to_start_is_one_sentence(build: Build, error: str, said: str) -> None:
    lines = [
        "class Own:",
        f"    def initialize(self, context): raise {error}",
        "    def handle(self, *_): pass",
    ]
    path = build("own.py", {"own.py": "\n".join(lines)})
    message = f"handler 'own.py' of .* did not start: {said}"
    with pytest.raises(ArchiveError, match=message), load_archive(path, device="cpu"):
        pass


def test_a_handler_may_print_as_much_as_it_wants(build: Build, capsys: Any) -> None:
    source = "def handle(data, context):\n    print('x' * 300_000)\n    return data and ['done'] * len(data)"
    with load_archive(build("own.py:handle", {"own.py": source}), device="cpu") as model:
        assert [answer.body for answer in model.predict([b"one"])] == [b"done"]
