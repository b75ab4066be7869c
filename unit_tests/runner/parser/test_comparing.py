"""What `compare` takes for its archive, and what for inputs."""

from __future__ import annotations

from typing import Optional

import pytest

from ts.runner.parser import parser

SERVERS = ["--old", "http://a", "--new", "http://b"]


@pytest.mark.parametrize(
    ("words", "archive", "inputs"),
    [
        (["a.mar", "b.jpg"], "a.mar", ["b.jpg"]),
        (["a.mar", "--old", "http://a", "b.jpg", "c"], "a.mar", ["b.jpg", "c"]),
        (["b.jpg", *SERVERS, "c"], None, ["b.jpg", "c"]),
        ([*SERVERS, "--inputs-from", "list"], None, []),
        (["a.mar", "--inputs-from", "list"], "a.mar", []),
    ],
)
def test_the_first_name_is_the_archive_unless_both_sides_are_servers(
    words: list[str], archive: Optional[str], inputs: list[str]
) -> None:
    found = parser().parse_args(["compare", *words])
    assert (found.archive, found.inputs) == (archive, inputs)


@pytest.mark.parametrize("words", [[], ["a.mar"], SERVERS, ["--new", "http://b", "--inputs-from", "list"]])
def test_what_is_missing_is_told(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parser().parse_args(["compare", *words])
    assert "the following arguments are required: " in capsys.readouterr().err
