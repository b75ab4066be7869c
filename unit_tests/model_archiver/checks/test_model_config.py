"""--config-file."""

from __future__ import annotations

import sys

import pytest
from model_archiver.checks import model_config
from model_archiver.checks.model_config import named_model_class, read_model_config
from model_archiver.model_archiver_error import ModelArchiverError

from ts.utils import documents


def test_a_mapping_is_right(pack, inputs, contents):
    (inputs / "model-config.yaml").write_text("minWorkers: 1\nhandler:\n  topk: 3\n")
    archive = pack(config_file="model-config.yaml")
    assert contents(archive)["model-config.yaml"] == b"minWorkers: 1\nhandler:\n  topk: 3\n"


# Each line stands for nine times what the line before it does.
BOMB = "a0: &a0 {x: 1}\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10))
TOO_LARGE = "with its aliases written out, has more than 20000 values or 64 levels, the most that are read"


def test_what_is_packed_is_what_handlers_read():
    assert (model_config.LARGEST, model_config.MOST_VALUES, model_config.DEEPEST) == (
        documents.LARGEST_YAML,
        documents.MOST_VALUES,
        documents.DEEPEST,
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty, not a YAML mapping of settings"),
        ("# nothing\n", "is empty, not a YAML mapping of settings"),
        ("- a\n- b\n", "is a list, not a YAML mapping of settings"),
        ("just text", "is a str, not a YAML mapping of settings"),
        ("a: [1\n", "is not YAML: "),
        ("a: \xff", "is not YAML: "),
        ("a: 2001-99-99", "is not YAML: month must be in 1..12"),
        ("[" * 9000, "is not YAML: too deep"),
        ("a: " + "x" * 65_536, "has more than 65536 bytes, the most that is read"),
        ("a: " + "[" * 65 + "]" * 65, TOO_LARGE),
        ("&a {b: [*a]}", TOO_LARGE),
        (BOMB, TOO_LARGE),
        (BOMB.replace("[*", "{<<: [*").replace("]", "]}"), TOO_LARGE),
    ],
)
def test_anything_else_is_refused(pack, inputs, text, message):
    pytest.importorskip("yaml")
    (inputs / "c.yaml").write_bytes(text.encode("latin-1"))
    with pytest.raises(ModelArchiverError, match=f"^the config file c.yaml,? {message}"):
        pack(config_file="c.yaml")


def test_without_pyyaml_nothing_is_refused(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "yaml", None)
    path = tmp_path / "c.yaml"
    path.write_text("- a\n")
    assert read_model_config(path) == {}


@pytest.mark.parametrize(
    ("config", "name"),
    [
        ({"handler": {"model_class": "Net"}}, "Net"),
        ({"handler": {}}, None),
        ({"handler": "x"}, None),
        ({}, None),
    ],
)
def test_the_model_class_is_read_from_the_handlers_section(config, name):
    assert named_model_class(config) == name
