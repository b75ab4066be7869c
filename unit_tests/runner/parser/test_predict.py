"""The command line of `predict`."""

from __future__ import annotations

import pytest

from ts.runner.parser import parser


@pytest.mark.parametrize(
    ("words", "archive", "inputs"),
    [
        (["a.mar", "b.jpg"], "a.mar", ["b.jpg"]),
        (["a.mar", "b.jpg", "--option", "topk=3", "c.jpg", "-"], "a.mar", ["b.jpg", "c.jpg", "-"]),
        (["--json", "a.mar", "--device", "cpu", "b.jpg"], "a.mar", ["b.jpg"]),
        (["a.mar", "--inputs-from", "list"], "a.mar", []),
        (["--architecture", "resnet50", "b.jpg"], None, ["b.jpg"]),
        (["b.jpg", "--architecture", "resnet50", "--weights", "DEFAULT", "c.jpg"], None, ["b.jpg", "c.jpg"]),
        (["--architecture", "resnet50", "--inputs-from", "-"], None, []),
        (["a.mar", "--", "-b.jpg"], "a.mar", ["-b.jpg"]),
    ],
)
def test_names_and_options_may_be_mixed(words: list[str], archive: str | None, inputs: list[str]) -> None:
    found = parser().parse_args(["predict", *words])
    assert (found.archive, found.inputs) == (archive, inputs)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "the following arguments are required: ARCHIVE, INPUT"),
        (["a.mar"], "the following arguments are required: INPUT"),
        (["--inputs-from", "list"], "the following arguments are required: ARCHIVE, INPUT"),
        (["--architecture", "resnet50"], "the following arguments are required: INPUT"),
        (["a.mar", "b.jpg", "--resume", "--force"], "not allowed with argument"),
        (["a.mar", "b.jpg", "--outptu", "c.csv"], "unrecognized arguments: --outptu"),
    ],
)
def test_a_wrong_usage_is_told(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["predict", *words])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_other_commands_take_options_anywhere_too() -> None:
    found = parser().parse_args(["serve", "a.mar", "--port", "8081", "b.mar"])
    assert (found.archives, found.port) == (["a.mar", "b.mar"], 8081)
