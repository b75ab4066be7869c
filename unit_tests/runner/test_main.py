"""The command line, as a user of a shell meets it: output, errors, exit codes."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest

from ts.runner.argument_types import byte_count

Build = Callable[..., Path]
CHATTY = """
import os, subprocess, sys
print("importing")

def handle(data, context):
    print("handling")
    sys.stdout.flush()
    os.system("echo a child")
    if data is None:
        return None
    text = bytes(data[0]["body"] if "body" in data[0] else data[0]["data"])
    if text == b"bad":
        context.set_response_status(400, "Bad Request", 0)
    if text == b"raise":
        raise ValueError("boom")
    if text == b"png":
        context.set_response_content_type(0, "image/png")
        return [b"\\x89PNG"]
    return [{"text": text.decode(), "topk": repr(data[0].get("topk"))}]
"""


@pytest.fixture
def run(build: Build, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    for text in ("good", "bad", "raise", "png"):
        (tmp_path / text).write_text(text)
    build("chatty.py", {"chatty.py": CHATTY}, to="chatty.mar")

    def run(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        device = ["--device", "cpu"] if arguments[0] == "predict" and "--device" not in arguments else []
        command = [sys.executable, "-m", "ts.runner", *arguments, *device]  # on the CPU no test imports torch
        return subprocess.run(command, cwd=tmp_path, input=stdin, capture_output=True, text=True)

    return run


Run = Callable[..., Any]


def test_json_is_one_document_whatever_the_handler_prints(run: Run) -> None:
    result = run("predict", "chatty.mar", "good", "png", "--json", "--option", "topk=3")
    assert result.returncode == 0
    assert json.loads(result.stdout) == [
        {"input": "good", "status": 200, "response": {"text": "good", "topk": "bytearray(b'3')"}},
        {
            "input": "png",
            "status": 200,
            "response": "data:image/png;base64," + base64.b64encode(b"\x89PNG").decode(),
        },
    ]
    assert "handling" in result.stderr
    assert "a child" in result.stderr


STREAMING = """
from ts.handler_utils.utils import send_intermediate_predict_response

def handle(data, context):
    if data is None:
        return None
    metric = context.metrics.get_metric("Tokens")
    for part in ("one", b"\\xff"):
        metric.add_or_update(len(part), [])
        send_intermediate_predict_response([part], context.request_ids, "", 200, context)
    return [context.get_sequence_id(0)]
"""


def test_headers_metrics_and_what_comes_before_an_answer(run: Run, build: Build, tmp_path: Path) -> None:
    build("streaming.py", {"streaming.py": STREAMING}, to="streaming.mar")
    defined = "model_metrics: {counter: [{name: Tokens, unit: count, dimensions: []}]}"
    (tmp_path / "metrics.yaml").write_text(defined)
    asked = ("predict", "streaming.mar", "good", "--header", "ts_request_sequence_id=s1")
    result = run(*asked, "--metrics", "metrics.yaml", "--json", "--debug")
    assert json.loads(result.stdout) == [
        {
            "input": "good",
            "status": 200,
            "intermediate": ["one", "data:application/octet-stream;base64,/w=="],
            "response": "s1",
        }
    ]
    assert "Tokens: 3, 1\n" in result.stderr
    assert run(*asked, "--json").returncode == 1  # where no file defines the metric


def test_a_table_is_printed_and_nothing_else(run: Run) -> None:
    result = run("predict", "chatty.mar", "good")
    assert result.returncode == 0
    assert result.stdout.startswith("┏")
    assert '"text": "good"' in result.stdout
    assert "handling" not in result.stdout


def test_an_answer_that_is_no_200_makes_it_1(run: Run) -> None:
    result = run("predict", "chatty.mar", "good", "bad", "raise", "--json")
    assert result.returncode == 1
    assert [answer["status"] for answer in json.loads(result.stdout)] == [200, 400, 503]
    assert "Traceback" not in result.stderr


def test_debug_shows_the_traceback_of_a_failed_answer(run: Run) -> None:
    result = run("predict", "chatty.mar", "raise", "--debug")
    assert result.returncode == 1
    assert "ValueError: boom" in result.stderr
    assert "Traceback" in result.stderr


def test_standard_input_is_an_input(run: Run) -> None:
    result = run("predict", "chatty.mar", "-", "--json", stdin="piped")
    assert json.loads(result.stdout)[0]["input"] == "-"
    assert json.loads(result.stdout)[0]["response"]["text"] == "piped"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["predict", "absent.mar", "good"], "torch-model-runner: absent.mar does not exist\n"),
        (["predict", "good", "good"], "torch-model-runner: good is no model archive: "),
        (
            ["predict", "chatty.mar", "good", "x.jpg", "y.jpg"],
            "torch-model-runner: no such file or folder: x.jpg, y.jpg\n",
        ),
        (
            ["predict", "chatty.mar", "-", "-"],
            "torch-model-runner: standard input (-) can be read only once\n",
        ),
        (["predict", "chatty.mar", "good", "--device", "tpu"], "torch-model-runner: device 'tpu' is unknown"),
        (
            ["predict", "chatty.mar", "good", "--metrics", "x.yaml"],
            "torch-model-runner: x.yaml cannot be read: No such file",
        ),
        (
            ["serve", "chatty.mar", "--metrics", "good"],
            "torch-model-runner: good has no section `model_metrics`",
        ),
        *(
            ([*command, "--max-size", "100"], "torch-model-runner: chatty.mar unpacks to ")
            for command in (
                ["predict", "chatty.mar", "good"],
                ["inspect", "chatty.mar"],
                ["inspect", "chatty.mar", "--verify"],
                ["inspect", "chatty.mar", "--describe"],
                ["serve", "chatty.mar"],
                ["export", "chatty.mar", "--output", "out.mar"],
            )
        ),
        (["inspect", "absent.mar"], "torch-model-runner: absent.mar does not exist\n"),
        (["serve", "absent.mar"], "torch-model-runner: absent.mar does not exist\n"),
        (
            ["serve", "chatty.mar", "chatty.mar"],
            "torch-model-runner: two archives hold version 1.0 of the model",
        ),
    ],
)
def test_what_cannot_be_served_is_one_sentence_and_2(run: Run, arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert result.returncode == 2
    assert result.stderr.startswith(message)
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["predict", "chatty.mar"], "the following arguments are required: INPUT"),
        (["predict", "chatty.mar", "good", "--option", "topk"], "'topk' is not KEY=VALUE"),
        (["predict", "chatty.mar", "good", "--option", "=3"], "'=3' is not KEY=VALUE"),
        (["predict", "chatty.mar", "good", "--header", "sequence"], "'sequence' is not KEY=VALUE"),
        (["predict", "chatty.mar", "good", "--batch-size", "0"], "'0' is not a whole number above 0"),
        (
            ["inspect", "chatty.mar", "--max-size", "2X"],
            "'2X' is no number of bytes, such as 5000000, 500M or 20G",
        ),
    ],
)
def test_a_wrong_usage_is_explained_and_2(run: Run, arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert result.returncode == 2
    assert message in result.stderr


def test_debug_shows_the_traceback_of_an_archive_that_does_not_start(run: Run, build: Build) -> None:
    build("own.py", {"own.py": "1 / 0"})
    result = run("predict", "tiny.mar", "good", "--debug")
    assert result.returncode == 2
    assert "Traceback" in result.stderr
    assert result.stderr.endswith("'own.py' of tiny.mar did not start: ZeroDivisionError: division by zero\n")


def test_inspect_runs_none_of_the_archives_code(run: Run) -> None:
    result = run("inspect", "chatty.mar", "--json")
    assert result.returncode == 0
    facts = json.loads(result.stdout)
    assert [file["name"] for file in facts["files"]] == ["MAR-INF/MANIFEST.json", "chatty.py"]
    assert facts["manifest"]["model"]["modelName"] == "tiny"
    assert "importing" not in result.stderr
    assert "chatty.py" in run("inspect", "chatty.mar").stdout


DESCRIBED = """
def handle(data, context):
    print("a line")
    if data:
        return [{"describe": context.get_request_header(0, "describe")}]
"""


def test_inspect_describe_shows_what_the_handler_says_of_itself(run: Run, build: Build) -> None:
    build("described.py", {"described.py": DESCRIBED}, to="described.mar")
    for arguments in (["--json"], []):
        result = run("inspect", "described.mar", "--describe", *arguments)
        assert (result.returncode, json.loads(result.stdout)) == (0, {"describe": "True"})


def test_inspect_describe_of_a_handler_that_fails_at_it_is_its_error(run: Run) -> None:
    result = run("inspect", "chatty.mar", "--describe", "--json")
    assert (result.returncode, json.loads(result.stdout)["code"]) == (1, 503)


def test_inspect_and_help_import_no_torch() -> None:
    code = "import sys, ts.runner.main; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"


@pytest.mark.parametrize(
    ("text", "size"),
    [("1", 1), ("5000000", 5_000_000), ("3K", 3072), ("2m", 2 << 20), ("20G", 20 << 30), ("1T", 1 << 40)],
)
def test_sizes_may_have_a_unit(text: str, size: int) -> None:
    assert byte_count(text) == size
