"""`predict` on folders, lists and streams in this process: what is written, kept, and gone on with."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from unit_tests.runner.predict.conftest import Place

LINUX = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits are others there")


def lines(name: str = "a.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(name).read_text(encoding="utf-8").splitlines()]


def test_a_folder_is_answered_into_lines_and_what_was_refused_is_told(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(a="one", b="bad broken", c="picture")
    (place.folder / "in" / "Thumbs.db").touch()
    (place.folder / "in" / "d.txt").symlink_to("nowhere")
    assert place.here("in", "--output", "a.jsonl") == 1
    assert lines() == [
        {"input": "in/a.txt", "status": 200, "response": {"said": "one", "rows": 2}},
        {"input": "in/b.txt", "status": 400, "response": {"code": 400, "message": "it is broken"}},
        {"input": "in/c.txt", "status": 200, "response": "data:image/png;base64,iVBORw=="},
        {
            "input": "in/d.txt",
            "status": 404,
            "response": {
                "code": 404,
                "type": "FileNotFoundError",
                "message": "The file cannot be read: No such file or directory",
            },
        },
    ]
    out, errors = capfd.readouterr()
    counts, now, *refused, where = out.splitlines()
    assert counts == "4 files: 2 times 200, 1 times 400, 1 times 404"
    assert now.startswith("4 answered now, in ")
    assert refused == [
        "in/b.txt: 400 it is broken",
        "in/d.txt: 404 The file cannot be read: No such file or directory",
    ]
    assert where == "The answers are in a.jsonl."
    assert errors == "torch-model-runner: 1 file of folders is left out: 1 Thumbs.db\n"


def test_answers_are_saved_under_their_inputs_names_and_the_table_says_where(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(a="picture", b="one", c="bad broken")
    assert place.here("in", "--save", "out", "--output", "a.csv") == 1
    assert sorted(path.name for path in Path("out").iterdir()) == ["a.png", "b.json"]
    assert json.loads(Path("out/b.json").read_text()) == {"said": "one", "rows": 2}
    with open("a.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["input"], row["status"], row["saved"]) for row in rows] == [
        ("in/a.txt", "200", "out/a.png"),
        ("in/b.txt", "200", "out/b.json"),
        ("in/c.txt", "400", ""),
    ]
    assert "The answers are in a.csv and out.\n" in capfd.readouterr().out
    place.write(d="picture")
    assert place.here("in", "--save", "out", "--output", "a.csv", "--resume") == 1
    assert sorted(path.name for path in Path("out").iterdir()) == ["a.png", "b.json", "d.png"]
    assert place.asked() == ["picture", "one", "bad broken", "picture"]
    assert place.here("in", "--save", "out2", "--output", "a.csv", "--resume") == 2
    assert "a.csv was begun with saved in out, not saved in out2" in capfd.readouterr().err


def test_pictures_alone_are_saved_by_one_option(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    place.write(a="picture")
    assert place.here("in/a.txt", "--save", "out/") == 0
    assert capfd.readouterr().out.splitlines()[0::2] == ["1 file: 1 times 200", "The answers are in out/."]
    assert place.here("in", "--save", "out/") == 2
    assert "--save out is not empty" in capfd.readouterr().err
    assert place.here("in", "--save", "out/", "--force") == 0
    assert os.listdir("out") == ["a.png"]


def test_a_file_that_is_named_twice_is_asked_once_and_one_that_vanishes_has_a_404(place: Place) -> None:
    place.write(a=f"delete {place.folder}/in/e.txt", b="one", c="two", d="three", e="four")
    assert place.here("in", "in/b.txt", "in/b.txt", "--output", "a.jsonl", "--batch-size", "1") == 1
    assert [(each["input"], each["status"]) for each in lines()] == [
        ("in/a.txt", 200),
        ("in/b.txt", 200),
        ("in/c.txt", 200),
        ("in/d.txt", 200),
        ("in/e.txt", 404),
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are UTF-8 elsewhere")
def test_names_of_any_bytes_are_answered_and_gone_on_with(place: Place) -> None:
    (place.folder / "in").mkdir()
    for name in (b"two\nlines.txt", b"a\xff.txt", b'=1+1,".txt'):
        (place.folder / "in" / os.fsdecode(name)).write_text("one")
    for output in ("a.jsonl", "a.csv"):
        assert place.here("in", "--output", output, "--save", f"{output}.out") == 0
        assert place.here("in", "--output", output, "--save", f"{output}.out", "--resume") == 0
    assert {each["input"] for each in lines()} == {"in/two\nlines.txt", r"in/a\xff.txt", 'in/=1+1,".txt'}
    assert len(place.asked()) == 6
    assert set(os.listdir(b"a.csv.out")) == {b"two_lines.json", b"a\xff.json", b'=1+1,".json'}


def test_lists_and_standard_input(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    place.write(a="one", b="two", c="three")
    (place.folder / "list.txt").write_text("in/c.txt\nin/gone.txt\nin/a.txt\n")
    assert place.here("in/b.txt", "--inputs-from", "list.txt", "--output", "a.jsonl") == 1
    assert [each["input"] for each in lines()] == ["in/b.txt", "in/c.txt", "in/gone.txt", "in/a.txt"]
    piped = place.run("--inputs-from", "-", "--output", "b.jsonl", input="in/a.txt\0in/b.txt\0")
    assert piped.returncode == 0
    assert [each["input"] for each in lines("b.jsonl")] == ["in/a.txt", "in/b.txt"]
    streamed = place.run("-", "in/a.txt", "--output", "c.jsonl", input="piped")
    assert streamed.returncode == 0
    assert [each["response"]["said"] for each in lines("c.jsonl")] == ["piped", "one"]
    capfd.readouterr()
    assert place.here("-", "--inputs-from", "-") == 2
    assert capfd.readouterr().err == "torch-model-runner: standard input (-) can be read only once\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["empty"], "there are no files in empty"),
        (["in", "--resume"], "--resume goes on with an --output"),
        (["in", "--save", "out", "--json"], "--json is for answers that are printed"),
        (["in", "--output", "a.jsonl", "--json"], "--json is for answers that are printed"),
        (
            ["in", "--output", "s3://b/a.jsonl"],
            "--output s3://b/a.jsonl: answers are written to a path of this",
        ),
        (
            ["in", "--output", "a.txt"],
            r"--output a.txt: answers are written as .jsonl, .ndjson, .csv, .parquet",
        ),
        (["in", "--save", "in"], "--save in holds in, which answers might replace: name another folder"),
        (["in", "--weights", "DEFAULT"], "--weights is for --architecture; an archive has its own"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_2(
    place: Place, arguments: list[str], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(a="one")
    (place.folder / "empty").mkdir()
    assert place.here(*arguments) == 2
    out, errors = capfd.readouterr()
    assert errors.startswith(f"torch-model-runner: {message}")
    assert (errors.count("\n"), out, place.asked()) == (1, "", [])
    assert sorted(path.name for path in place.folder.iterdir()) == ["empty", "in", "obeys.mar"]


@LINUX
@pytest.mark.parametrize("output", ["a.jsonl", "a.csv", "a.parquet"])
def test_after_a_kill_only_the_batch_in_flight_is_asked_again(place: Place, output: str) -> None:
    if output == "a.parquet":
        pytest.importorskip("pyarrow", exc_type=ImportError)
    place.write(**{f"f{number}": f"text {number}" for number in range(9)})
    place.write(f5="kill")
    killed = place.run("in", "--output", output)
    assert killed.returncode == -signal.SIGKILL
    assert place.asked() == [*(f"text {number}" for number in range(5)), "kill"]
    place.write(f5="text 5")
    resumed = place.run("in", "--output", output, "--resume")
    assert resumed.stdout.startswith("9 files: 9 times 200\n5 answered now, in ")
    assert place.asked()[6:] == [f"text {number}" for number in range(4, 9)]


@LINUX
def test_ctrl_c_loses_nothing_and_says_how_to_go_on(place: Place) -> None:
    place.write(a="one", b="two", c="interrupt", d="three")
    stopped = place.run("in", "--output", "a.jsonl")
    assert (stopped.returncode, stopped.stdout) == (130, "")
    assert stopped.stderr == (
        "torch-model-runner: 2 of 4 files are answered and kept; the same command with --resume goes on with the"
        " others\n"
    )
    assert [each["input"] for each in lines()] == ["in/a.txt", "in/b.txt"]
    place.write(c="four")
    assert place.run("in", "--output", "a.jsonl", "--resume").returncode == 0
    assert [each["input"] for each in lines()] == ["in/a.txt", "in/b.txt", "in/c.txt", "in/d.txt"]


def test_why_batches_failed_is_told_once_at_the_end(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    place.write(a="raise x", b="one", c="two", d="three", e="raise x", f="raise y")
    assert place.here("in", "--output", "a.jsonl") == 1
    assert [each["status"] for each in lines()] == [503, 503, 200, 200, 503, 503]
    out, errors = capfd.readouterr()
    assert errors == "torch-model-runner: the handler failed at 2 batches: ValueError: x\n"
    assert "in/a.txt: 503 Prediction failed" in out
    assert place.here("in", "--output", "a.jsonl", "--force", "--debug") == 1
    assert capfd.readouterr().err.count("Traceback") == 2


def test_the_output_is_no_input(place: Place) -> None:
    place.write(a="one")
    assert place.here("in", "--output", "in/a.jsonl", "--save", "in/out") == 0
    assert place.here("in", "--output", "in/a.jsonl", "--save", "in/out", "--resume") == 0
    assert place.here("in/**/*", "--output", "in/a.jsonl", "--save", "in/out", "--force") == 0
    assert [each["input"] for each in lines("in/a.jsonl")] == ["in/a.txt"]


@LINUX
def test_two_runs_cannot_have_one_output(place: Place) -> None:
    place.write(a="one", b="two", c=f"wait {place.folder}/gate")
    first = place.start("in", "--output", "a.jsonl")
    place.await_asked(f"wait {place.folder}/gate")
    for option in ("--resume", "--force"):
        second = place.run("in", "--output", "a.jsonl", option)
        assert second.returncode == 2
        assert second.stderr == (
            "torch-model-runner: a.jsonl cannot be opened: another process is at work on it\n"
        )
    (place.folder / "gate").touch()
    assert first.wait(timeout=60) == 0
    assert first.communicate()[0].startswith("3 files: 3 times 200\n")
    assert len(lines()) == 3


@LINUX
def test_a_disk_that_is_full_ends_it_and_what_was_written_is_gone_on_with(place: Place) -> None:
    place.write(**{f"f{number}": "x" * 1000 for number in range(8)})
    code = (
        "import resource, sys; from ts.runner.main import main;"
        " resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000)); sys.exit(main(sys.argv[1:]))"
    )
    command = [
        sys.executable,
        "-c",
        code,
        "predict",
        "obeys.mar",
        "in",
        "--output",
        "a.jsonl",
        "--device",
        "cpu",
    ]
    env = {**os.environ, "MARKS": os.devnull}
    full = subprocess.run(command, cwd=place.folder, env=env, capture_output=True, text=True)
    assert (full.returncode, full.stdout) == (2, "")
    kept, reason = full.stderr.splitlines()
    assert kept.startswith(
        "torch-model-runner: 4 of 8 files are answered and kept; the same command with --resume"
    )
    assert reason == "torch-model-runner: a.jsonl cannot be written: File too large"
    assert len(lines()) == 4
    assert place.run("in", "--output", "a.jsonl", "--resume").returncode == 0
    assert len(lines()) == 8


def test_another_archive_or_other_options_are_another_job(
    place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    place.write(a="one")
    assert place.here("in", "--output", "a.jsonl") == 0
    assert place.here("in", "--output", "a.jsonl", "--resume", "--option", "topk=3") == 2
    assert "a.jsonl was begun with options {}, not options {'topk': '3'}" in capfd.readouterr().err
    assert place.here("in", "--output", "a.jsonl") == 2
    assert "a.jsonl is there already: --resume goes on with it" in capfd.readouterr().err
    assert place.here("in", "--output", "a.jsonl", "--force", "--option", "topk=3") == 0
    assert len(lines()) == 1
