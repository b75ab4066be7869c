"""The request that goes with a file, beside the one that `predict` makes of it in one process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ts.runner.answering.payload import prediction
from ts.runner.batch.question import LARGEST, FileTooLargeError, Question, absolute, read_content, unread

CASES: list[tuple[str, bytes, dict[str, str], dict[str, str], bool]] = [
    ("a.jpg", b"\xff\xd8", {}, {}, False),
    ("a.json", b'{"x": [1, 2]}', {}, {}, False),
    ("A.JSON", b"no json", {}, {}, True),
    ("a.jpg", b"\xff\xd8", {"topk": "3", "mask": "true"}, {}, False),
    ("a.json", b"[1]", {"topk": "3"}, {"X-Own": "1"}, True),
    ("a.txt", "größer".encode(), {}, {"Content-Type": "text/plain; charset=utf-8"}, False),
    ("a.txt", b"x", {"topk": "3"}, {"content-type": "text/plain", "X-Own": "1"}, False),
]


@pytest.mark.parametrize(("name", "content", "options", "headers", "explain"), CASES)
def test_the_handler_gets_the_same_as_in_one_process(
    name: str, content: bytes, options: Any, headers: Any, explain: bool, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    one = prediction(path, options, explain, headers)
    call = Question(tuple(options.items()), tuple(headers.items()), explain).call(
        str(path), read_content(str(path))
    )
    many = call.request()
    assert many.row == one.row
    assert dict(many.headers) == one.headers


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (
            FileNotFoundError(2, "No such file or directory"),
            404,
            "The file cannot be read: No such file or directory",
        ),
        (PermissionError("Forbidden"), 403, "The file cannot be read: Forbidden"),
        (OSError(5, "Input/output error"), 500, "The file cannot be read: Input/output error"),
        (RuntimeError(), 500, "The file cannot be read: no reason given"),
    ],
)
def test_a_file_that_cannot_be_read_has_a_status(error: Exception, status: int, message: str) -> None:
    reply = unread(error)
    assert reply.status == status
    assert json.loads(reply.body) == {"code": status, "type": type(error).__name__, "message": message}


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with open(tmp_path / "a", "wb") as sparse:
        sparse.truncate(LARGEST + 1)
    with pytest.raises(FileTooLargeError) as error:
        read_content(str(tmp_path / "a"))
    reply = unread(error.value)
    assert reply.status == 413
    message = f"The file cannot be read: it has {LARGEST + 1} bytes, and {LARGEST} are the most"
    assert json.loads(reply.body)["message"] == message


def test_files_behind_urls_are_read() -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe("/question/a", b"far")
    try:
        assert read_content("memory://question/a") == b"far"
        with pytest.raises(FileNotFoundError):
            read_content("memory://question/b")
    finally:
        memory.rm("/question", recursive=True)


def test_paths_lead_from_the_folder_of_the_command_whoever_follows_them() -> None:
    assert absolute("a/b", "/home") == "/home/a/b"
    assert absolute("/a/b", "/home") == "/a/b"
    assert absolute("s3://bucket/a", "/home") == "s3://bucket/a"
