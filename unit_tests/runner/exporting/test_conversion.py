"""`torch-model-runner export --to openvino`: an archive that starts without a conversion, and hostile ones."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any, Callable

import pytest
import torch
import yaml
from small_detectors import DETECTORS

from ts.handler_utils.models.openvino import forms
from ts.handler_utils.models.openvino.conversion import same_log
from ts.handler_utils.models.openvino.packed import check_model
from ts.runner.answering.model import load_archive
from ts.runner.errors import ArchiveError
from ts.runner.exporting import export_archive

openvino = pytest.importorskip(
    "openvino", reason="needs OpenVINO: pip install 'torchserve-handlers[openvino]'"
)

MODEL = """
import torch

class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer = torch.nn.Conv2d(3, 5, 3)

    def forward(self, images):
        return {output}
"""
CLASSIFIER = MODEL.format(output="self.layer(images).mean((2, 3))")
BRANCHES = """
import torch

@torch.jit.script
def brightened(images: torch.Tensor):
    if bool(images.mean() > 0):
        images = images * 2
    for _ in range(images.shape[0]):
        images = images + 0.01
    return images
""" + MODEL.format(output="self.layer(brightened(images)).mean((2, 3))")
EIGENVALUES = MODEL.format(output="torch.linalg.eigvals(images[:, 0, :3, :3]).real")


@pytest.fixture
def write_archive(tmp_path: Path) -> Callable[[str], Path]:
    def write(code: str) -> Path:
        folder = tmp_path / "archive"
        (folder / "MAR-INF").mkdir(parents=True)
        model = {
            "modelName": "tiny",
            "modelVersion": "1.0",
            "handler": "image_classifier",
            "modelFile": "model.py",
        }
        manifest = {"model": {**model, "configFile": "model-config.yaml"}}
        (folder / "MAR-INF" / "MANIFEST.json").write_text(json.dumps(manifest))
        (folder / "model.py").write_text(code)
        (folder / "index_to_name.json").write_text(json.dumps({str(index): str(index) for index in range(5)}))
        config = {"batchSize": 4, "handler": {"resize": 20, "crop": 16, "memory_format": "channels_last"}}
        (folder / "model-config.yaml").write_text(yaml.safe_dump(config))
        return folder

    return write


def test_the_new_archive_starts_without_a_conversion(
    write_archive: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCHSERVE_HANDLERS_CACHE", str(tmp_path / "cache"))
    out = tmp_path / "new.mar"
    report = export_archive(write_archive(CLASSIFIER), out, to="openvino", device="cpu")
    assert report.comparison.problem is None
    assert report.comparison.answers == 6
    assert report.left_out == ["handler.memory_format"]
    assert not list(tmp_path.glob("cache/openvino/*/model.xml"))
    assert len(list(tmp_path.glob("cache/openvino/*/compiled/*"))) == 1
    monkeypatch.setattr(forms, "convert", lambda *_: pytest.fail("it is converted"))
    with load_archive(out) as model:
        assert model.handler.settings.engine == "openvino"
    with zipfile.ZipFile(out) as archive:
        assert {"model.py", "openvino/model.xml", "openvino/model.bin"} <= set(archive.namelist())


@pytest.mark.parametrize("code", [CLASSIFIER, BRANCHES], ids=["plain", "branches"])
def test_the_same_archive_gives_the_same_bytes(
    code: str, write_archive: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    archive = write_archive(code)
    for name in ("a.mar", "b.mar"):
        export_archive(archive, tmp_path / name, to="openvino", device="cpu")
    assert (tmp_path / "a.mar").read_bytes() == (tmp_path / "b.mar").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.mar") as found:
        assert (b'type="If"' in found.read("openvino/model.xml")) is (code is BRANCHES)


def test_what_openvino_cannot_convert_is_not_written(
    write_archive: Callable[[str], Path], tmp_path: Path
) -> None:
    with pytest.raises(ArchiveError, match="OpenVINO cannot convert Network: it has no rule for aten::"):
        export_archive(write_archive(EIGENVALUES), tmp_path / "new.mar", to="openvino", device="cpu")
    assert not (tmp_path / "new.mar").exists()


def test_a_detector_is_not_written_and_it_is_said_what_to_do(
    write_archive: Callable[[str], Path], tmp_path: Path
) -> None:
    archive = write_archive(DETECTORS["fasterrcnn"][0])
    manifest = json.loads((archive / "MAR-INF" / "MANIFEST.json").read_text())
    manifest["model"]["handler"] = "object_detector"
    (archive / "MAR-INF" / "MANIFEST.json").write_text(json.dumps(manifest))
    (archive / "model-config.yaml").write_text("handler: {threshold: 0.0, model_class: Network}\n")
    with pytest.raises(ArchiveError, match=r"no archive holds those: set handler: \{engine: openvino\}"):
        export_archive(archive, tmp_path / "new.mar", to="openvino", device="cpu")
    assert not (tmp_path / "new.mar").exists()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that OpenVINO has written."""
    path = tmp_path_factory.mktemp("openvino") / "model.xml"
    with same_log():
        converted: Any = openvino.convert_model(torch.nn.Linear(4, 2).eval(), example_input=torch.rand(1, 4))
    openvino.save_model(converted, path, compress_to_fp16=False)
    return path


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('version="opset1"', 'version="extension"', "its operator .* is of extension"),
        ('type="MatMul"', 'type="ReadValue"', "its operator ReadValue keeps what one request leaves"),
        ('size="32"', 'size="320"', r"the weights of .* lie outside of model\.bin"),
        ('offset="0"', 'offset="-8"', r"the weights of .* lie outside of model\.bin"),
        ("<net", '<!DOCTYPE net [<!ENTITY a SYSTEM "/etc/passwd">]><net', "it declares entities"),
        ("</net>", "", "it is not XML"),
        ('type="MatMul"', 'type="readVALUE"', "its operator readVALUE keeps what one request leaves"),
        ("<rt_info", "<a>" * 100 + "</a>" * 100 + "<rt_info", "more than 100 elements inside of each other"),
    ],
)
def test_a_packed_model_that_is_more_than_a_network_is_refused(
    old: str, new: str, message: str, written: Path, tmp_path: Path
) -> None:
    text = written.read_text()
    assert old in text
    check_model(written)
    (tmp_path / "model.xml").write_text(text.replace(old, new, 1))
    (tmp_path / "model.bin").write_bytes(written.with_suffix(".bin").read_bytes())
    with pytest.raises(ValueError, match=message):
        check_model(tmp_path / "model.xml")


def test_a_namespace_hides_no_operator(written: Path, tmp_path: Path) -> None:
    text = written.read_text().replace("<net", '<net xmlns="urn:others"').replace('"opset1"', '"extension"')
    (tmp_path / "model.xml").write_text(text)
    (tmp_path / "model.bin").write_bytes(written.with_suffix(".bin").read_bytes())
    with pytest.raises(ValueError, match=r"its operator .* is of extension"):
        check_model(tmp_path / "model.xml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('version="opset1"', 'version="extension"', "its operator .* is of extension"),
        ('type="Multiply"', 'type="Assign"', "its operator Assign keeps what one request leaves"),
        ('size="4"', 'size="4000000"', r"the weights of .* lie outside of model\.bin"),
    ],
)
def test_networks_inside_of_branches_are_looked_at_too(
    old: str, new: str, message: str, write_archive: Callable[[str], Path], tmp_path: Path
) -> None:
    export_archive(write_archive(BRANCHES), tmp_path / "new.mar", to="openvino", device="cpu")
    with zipfile.ZipFile(tmp_path / "new.mar") as archive:
        archive.extractall(tmp_path / "new")
    path = tmp_path / "new" / "openvino" / "model.xml"
    before, found, body = path.read_text().partition("<then_body>")
    assert found
    assert old in body.partition("</then_body>")[0]
    check_model(path)
    path.write_text(before + found + body.replace(old, new, 1))
    with pytest.raises(ValueError, match=message):
        check_model(path)
