"""An archive of a case gets a network in int8, for the contender that answers with one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from quantizable import save_photos, write_archive

from benchmarks.measuring.quantizing import INPUTS, in_int8
from benchmarks.models import Unpacked

for package, extra in (("openvino", "openvino"), ("nncf", "quantize")):
    pytest.importorskip(package, reason=f"needs {package}: pip install 'torchserve-handlers[{extra}]'")


def test_an_archive_is_quantized_whatever_its_answers_are_then(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "archive")
    manifest = json.loads((archive / "MAR-INF" / "MANIFEST.json").read_text())["model"]
    (archive / "MAR-INF" / "MANIFEST.json").unlink()
    (archive / "MAR-INF").rmdir()
    (tmp_path / "photos").mkdir()
    save_photos(tmp_path / "photos")
    rows = [path.read_bytes() for path in sorted((tmp_path / "photos").iterdir())[:INPUTS]]
    made = in_int8(Unpacked(archive, manifest), rows, tmp_path / "quantized")
    assert made.manifest == manifest
    assert json.loads((made.folder / "openvino" / "model.json").read_text())["precision"] == "int8"
    assert json.loads((made.folder / "openvino" / "accuracy.json").read_text())["calibration"] == 10
    assert not (archive / "openvino").exists()
