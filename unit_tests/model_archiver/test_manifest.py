"""MAR-INF/MANIFEST.json."""

from __future__ import annotations

import hashlib
import json
import re

from model_archiver import __version__
from model_archiver.manifest_components.manifest import Manifest
from model_archiver.manifest_components.model import Model


def test_the_keys_are_those_that_torchserve_reads(pack, inputs, manifest):
    (inputs / "requirements.txt").write_text("")
    (inputs / "model-config.yaml").write_text("minWorkers: 1\n")
    content = manifest(
        pack(
            serialized_file="weights.pt",
            model_file="net.py",
            requirements_file="requirements.txt",
            config_file="model-config.yaml",
        )
    )
    assert list(content) == ["createdOn", "runtime", "model", "archiverVersion", "sha256"]
    assert re.fullmatch(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d", content["createdOn"])
    assert content["runtime"] == "python"
    assert content["archiverVersion"] == __version__
    assert content["model"] == {
        "modelName": "net",
        "serializedFile": "weights.pt",
        "handler": "answer.py",
        "modelFile": "net.py",
        "modelVersion": "1.0",
        "requirementsFile": "requirements.txt",
        "configFile": "model-config.yaml",
    }


def test_absent_parts_have_no_key(pack, manifest):
    assert set(manifest(pack())["model"]) == {"modelName", "handler", "modelVersion"}


def test_files_are_named_without_their_folders(pack, inputs, manifest, contents):
    (inputs / "deep").mkdir()
    (inputs / "weights.pt").rename(inputs / "deep" / "weights.pt")
    archive = pack(serialized_file="deep/weights.pt")
    assert manifest(archive)["model"]["serializedFile"] == "weights.pt"
    assert "weights.pt" in contents(archive)


def test_a_sha256_stands_for_each_file(pack, manifest, contents, archive_format):
    archive = pack(serialized_file="weights.pt", extra_files="extra", archive_format=archive_format)
    files = contents(archive)
    del files["MAR-INF/MANIFEST.json"]
    assert set(files) == {"answer.py", "weights.pt", "labels.json", "below/words.txt"}
    assert manifest(archive)["sha256"] == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items()
    }


def test_a_text_handler_finds_its_vocabulary(pack, inputs, manifest, contents):
    (inputs / "source_vocab.pt").write_bytes(b"vocabulary")
    archive = pack(handler="text_classifier", extra_files="source_vocab.pt")
    assert manifest(archive)["model"]["sourceVocab"] == "source_vocab.pt"
    assert contents(archive)["source_vocab.pt"] == b"vocabulary"
    assert "sourceVocab" not in manifest(pack(handler="text_classifier", force=True))["model"]
    image = pack(handler="image_classifier", extra_files="source_vocab.pt", force=True)
    assert "sourceVocab" not in manifest(image)["model"]


def test_a_model_prints_as_json():
    model = Model("n", "a/w.pt", "a/h.py", extensions="x")
    assert json.loads(str(model)) == {
        "modelName": "n",
        "serializedFile": "w.pt",
        "handler": "h.py",
        "extensions": "x",
    }


def test_a_manifest_prints_as_json(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86399")
    assert json.loads(str(Manifest("LSP", Model("n", None, "h")))) == {
        "createdOn": "01/01/1970 23:59:59",
        "runtime": "LSP",
        "model": {"modelName": "n", "handler": "h"},
        "archiverVersion": __version__,
    }
