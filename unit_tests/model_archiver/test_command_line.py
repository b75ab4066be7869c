"""The command torch-model-archiver: its options, exit statuses and what it prints."""

from __future__ import annotations

import json

import pytest
from model_archiver.arg_parser import make_parser
from model_archiver.model_archiver_config import ModelArchiverConfig

REQUIRED = ("--model-name", "net", "--version", "1.0", "--handler", "answer.py")


def parse(*arguments):
    return make_parser().parse_args([*REQUIRED, *arguments])


def test_every_option_reaches_the_config(tmp_path):
    arguments = parse(
        *(
            "--serialized-file",
            "w.pt",
            "--model-file",
            "m.py",
            "--extra-files",
            "a,b",
            "--runtime",
            "python3",
        ),
        *("--export-path", str(tmp_path), "--archive-format", "tgz", "-f", "-r", "r.txt", "-c", "c.yaml"),
        "--no-check",
    )
    assert ModelArchiverConfig.from_args(arguments) == ModelArchiverConfig(
        model_name="net",
        handler="answer.py",
        version="1.0",
        serialized_file="w.pt",
        model_file="m.py",
        extra_files=["a,b"],
        runtime="python3",
        export_path=str(tmp_path),
        archive_format="tgz",
        force=True,
        requirements_file="r.txt",
        config_file="c.yaml",
        no_check=True,
    )


def test_a_network_by_name_needs_neither_name_nor_version_nor_handler():
    arguments = make_parser().parse_args(["--architecture", "timm/resnet50.a1_in1k", "--weights", "DEFAULT"])
    config = ModelArchiverConfig.from_args(arguments)
    assert (config.model_name, config.version, config.handler) == ("resnet50.a1_in1k", "1.0", "")
    assert (config.architecture, config.weights, config.labels) == ("timm/resnet50.a1_in1k", "DEFAULT", None)
    named = ["--model-name", "cats", "-v", "2", "--handler", "mine.py", "--labels", "cats.txt"]
    config = ModelArchiverConfig.from_args(make_parser().parse_args(["--architecture", "resnet50", *named]))
    assert (config.model_name, config.version, config.handler) == ("cats", "2", "mine.py")
    assert config.labels == "cats.txt"


def test_short_and_long_spellings_are_the_same():
    parser = make_parser()
    short = parser.parse_args([*REQUIRED[:2], "-v", "2", *REQUIRED[4:], "-f", "-r", "r", "-c", "c"])
    assert (short.version, short.force, short.requirements_file, short.config_file) == ("2", True, "r", "c")
    long = parse("--force", "--requirements-file", "r", "--config-file", "c")
    assert (long.force, long.requirements_file, long.config_file) == (True, "r", "c")


def test_the_archive_goes_to_the_working_directory_by_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert parse().export_path == str(tmp_path)


def test_a_tilde_is_the_home_folder_in_every_path(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("USERPROFILE", "/home/me")
    options = ("--serialized-file", "--model-file", "-r", "-c", "--export-path", "--handler")
    found = vars(parse(*(part for option in options for part in (option, "~/x"))))
    keys = ("serialized_file", "model_file", "requirements_file", "config_file", "export_path", "handler")
    assert {key: found[key].replace("\\", "/") for key in keys} == dict.fromkeys(keys, "/home/me/x")


def test_extra_files_may_be_repeated():
    assert parse("--extra-files", "a", "--extra-files", "b,c").extra_files == ["a", "b,c"]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        REQUIRED[:4],
        (*REQUIRED, "--archive-format", "rar"),
        (*REQUIRED, "--runtime", "ruby"),
        (*REQUIRED, "--unknown"),
    ],
)
def test_wrong_usage_ends_with_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as end:
        make_parser().parse_args(arguments)
    assert end.value.code == 2
    assert "usage: torch-model-archiver" in capsys.readouterr().err


def test_an_archive_is_made_in_silence_with_status_0(cli, inputs, contents):
    run = cli(*REQUIRED, "--serialized-file", "weights.pt")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert contents(inputs / "net.mar")["weights.pt"] == b"weights" * 100


def test_a_failure_is_one_sentence_with_status_1(cli, inputs):
    run = cli(*REQUIRED, "--serialized-file", "no.pt")
    assert run.returncode == 1
    assert run.stderr == "torch-model-archiver: error: the serialized file no.pt does not exist\n"
    assert not (inputs / "net.mar").exists()


def test_wrong_usage_in_a_process_of_its_own(cli):
    run = cli("--model-name", "net")
    assert run.returncode == 2
    assert "Traceback" not in run.stderr


def test_help_imports_only_the_standard_library(cli):
    # The names of installed packages are known before; what --help adds to them has to be the standard library's.
    before = """
import atexit, json, sys
known = set(sys.modules)
report = lambda: print("\\n" + json.dumps(sorted({name.partition(".")[0] for name in set(sys.modules) - known})))
atexit.register(report)
"""
    run = cli("--help", before=before)
    assert run.returncode == 0
    imported = set(json.loads(run.stdout.splitlines()[-1]))
    assert "model_archiver" in imported
    assert not imported & {"torch", "numpy", "yaml", "rich", "pydantic"}
    assert not imported & {"zipfile", "tarfile", "hashlib"}, "what only packing needs costs time"


def test_packing_imports_only_the_standard_library(cli):
    before = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "numpy", "yaml", "rich", "pydantic", "ts"):
            raise SystemExit(f"{name} is imported")
sys.meta_path.insert(0, Refuse())
"""
    run = cli(*REQUIRED, "--serialized-file", "weights.pt", "--extra-files", "extra", before=before)
    assert (run.returncode, run.stderr) == (0, "")
