"""--config-file."""

from __future__ import annotations

import sys

import pytest
from model_archiver.checks.model_config import named_model_class, read_model_config
from model_archiver.model_archiver_error import ModelArchiverError


def test_a_mapping_is_right(pack, inputs, contents):
    (inputs / "model-config.yaml").write_text("minWorkers: 1\nhandler:\n  topk: 3\n")
    archive = pack(config_file="model-config.yaml")
    assert contents(archive)["model-config.yaml"] == b"minWorkers: 1\nhandler:\n  topk: 3\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty, not a YAML mapping of settings"),
        ("# nothing\n", "is empty, not a YAML mapping of settings"),
        ("- a\n- b\n", "is a list, not a YAML mapping of settings"),
        ("just text", "is a str, not a YAML mapping of settings"),
        ("a: [1\n", "is not YAML: "),
        ("a: \xff", "is not YAML: "),
    ],
)
def test_anything_else_is_refused(pack, inputs, text, message):
    pytest.importorskip("yaml")
    (inputs / "c.yaml").write_bytes(text.encode("latin-1"))
    with pytest.raises(ModelArchiverError, match=f"^the config file c.yaml {message}"):
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
