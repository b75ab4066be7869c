"""What a check finds is an error, and with --no-check a warning."""

from __future__ import annotations

import pytest
from model_archiver.model_archiver_error import ModelArchiverError

# What TorchServe could not load, each as files and as options that name them.
BROKEN = {
    "config file": ({"c.yaml": "- a"}, {"config_file": "c.yaml"}),
    "function": ({}, {"handler": "answer.py:no"}),
    "handler's syntax": ({"answer.py": "def handle("}, {"handler": "answer.py"}),
    "handler's name": ({"answer.v1.py": "def handle(data, context): pass"}, {"handler": "answer.v1.py"}),
    "handler's import": ({"answer.py": "from . import x"}, {"handler": "answer.py"}),
    "handler's classes": ({"answer.py": "class A: pass"}, {"handler": "answer.py"}),
    "model file": ({"net.py": "x = 1"}, {"model_file": "net.py", "handler": "image_classifier"}),
    "weights alone": (
        {"w.safetensors": ""},
        {"serialized_file": "w.safetensors", "handler": "image_classifier"},
    ),
    "architecture": (
        {"c.yaml": "handler: {architecture: zzz}"},
        {"config_file": "c.yaml", "serialized_file": "weights.pt", "handler": "image_classifier"},
    ),
    "labels": (
        {"index_to_name.json": "7"},
        {"extra_files": "index_to_name.json", "handler": "image_classifier"},
    ),
}


@pytest.fixture(params=BROKEN)
def broken(request, inputs):
    """The options of each."""
    if request.param in ("config file", "architecture"):
        pytest.importorskip("yaml")
    files, options = BROKEN[request.param]
    for name, text in files.items():
        (inputs / name).write_text(text)
    return options


def test_it_is_an_error_and_without_the_check_the_same_sentence_as_a_warning(pack, broken, contents, caplog):
    with pytest.raises(ModelArchiverError) as refused:
        pack(**broken)
    assert caplog.messages == []
    archive = pack(**broken, no_check=True)
    assert caplog.messages == [str(refused.value)]
    assert set(contents(archive)) >= {
        name for option, name in broken.items() if option.endswith(("_file", "_files"))
    }


def test_without_the_check_missing_files_stay_errors(pack):
    with pytest.raises(ModelArchiverError, match=r"no\.pt does not exist"):
        pack(serialized_file="no.pt", no_check=True)


def test_the_command_takes_it_too(cli, inputs, contents):
    (inputs / "w.safetensors").write_text("")
    options = ("--model-name", "net", "-v", "1", "--handler", "image_classifier", "--serialized-file")
    run = cli(*options, "w.safetensors", "--no-check")
    assert run.returncode == 0
    assert run.stderr.startswith(
        "torch-model-archiver: warning: the serialized file w.safetensors holds weights"
    )
    assert "w.safetensors" in contents(inputs / "net.mar")
