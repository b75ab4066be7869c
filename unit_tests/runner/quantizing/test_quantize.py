"""`torch-model-runner quantize`: what is written, what is refused, and what such an archive says and refuses."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from quantizable import CLEAR, OUTLIER, write_archive

from ts.handler_utils.models.caller import ModelCaller
from ts.runner import load_archive
from ts.runner.archives.archive import open_archive
from ts.runner.archives.inspection import inspection
from ts.runner.errors import ArchiveError, InputError
from ts.runner.exporting.export import export_archive
from ts.runner.main import main
from ts.runner.quantizing import Plan, quantize_archive
from ts.runner.quantizing.data import read_data

for package, extra in (("openvino", "openvino"), ("nncf", "quantize")):
    pytest.importorskip(package, reason=f"needs {package}: pip install 'torchserve-handlers[{extra}]'")


@pytest.fixture(scope="module")
def clear(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_archive(tmp_path_factory.mktemp("clear") / "archive", CLEAR, memory_format="channels_last")


@pytest.fixture(scope="module")
def quantized(clear: Path, noise: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """An archive that `quantize` has written, and its report."""
    out = tmp_path_factory.mktemp("quantized") / "tiny-int8.mar"
    return out, quantize_archive(clear, out, Plan([str(noise)], min_agreement=0.9))


@pytest.fixture
def unpacked(quantized: tuple[Path, Any], tmp_path: Path) -> Path:
    with zipfile.ZipFile(quantized[0]) as archive:
        archive.extractall(tmp_path / "archive")
    return tmp_path / "archive"


def test_the_archive_has_all_of_the_old_one_and_the_network_and_the_report(
    quantized: tuple[Path, Any], clear: Path
) -> None:
    out, report = quantized
    assert report.problem is None
    assert report.left_out == ["handler.memory_format"]
    with zipfile.ZipFile(out) as archive:
        assert set(archive.namelist()) == {
            *(path.relative_to(clear).as_posix() for path in clear.rglob("*") if path.is_file()),
            *(f"openvino/{name}" for name in ("model.xml", "model.bin", "model.json", "accuracy.json")),
        }
        config = yaml.safe_load(archive.read("model-config.yaml"))
        facts = json.loads(archive.read("openvino/accuracy.json"))
        assert b'"i8"' in archive.read("openvino/model.xml")
        sizes = [archive.getinfo(f"openvino/model.{suffix}").file_size for suffix in ("xml", "bin")]
    assert config == {
        "batchSize": 4,
        "handler": {"resize": 20, "crop": 16, "engine": "openvino", "precision": "int8"},
    }
    assert facts == report.document()
    assert facts["sizes"]["int8"] == sum(sizes)
    assert facts["calibration"] == 20
    assert (facts["judgement"]["inputs"], facts["judgement"]["refused"], facts["repeated"]) == (50, 0, 2)
    assert set(facts["versions"]) == {"nncf", "openvino", "torch", "torchserve-handlers"}
    assert facts["speed"]["rows"] == 4
    assert min(facts["speed"]["float32"], facts["speed"]["int8"]) > 0


def test_the_report_has_the_numbers_of_both_archives_answers(
    quantized: tuple[Path, Any], clear: Path, noise: Path, tmp_path: Path
) -> None:
    out, report = quantized
    answers = []
    for path in (clear, out):
        with load_archive(path, device="cpu") as model:
            from ts.runner.batch.known import known_of

            known = known_of(model.handler, model.archive)
            data = read_data([str(noise)], known, None, 300, 0, tmp_path)
            said = model.predict(data.held_out, options={"topk": 5})
            answers.append([answer.response for answer in said])
    tops = [[max(answer, key=answer.get) for answer in said] for said in answers]
    changes = [abs(old[label] - new[label]) for old, new in zip(*answers) for label in old]
    judgement = report.judgement
    assert len(changes) == 250
    assert judgement.agreement == pytest.approx(sum(map(str.__eq__, *tops)) / 50)
    assert judgement.largest_change == pytest.approx(max(changes), abs=1e-6)
    assert judgement.mean_change == pytest.approx(sum(changes) / 250, abs=1e-7)
    assert 0 < judgement.mean_change < judgement.largest_change < 0.2


def test_the_same_inputs_give_the_same_bytes(
    quantized: tuple[Path, Any], clear: Path, noise: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    for name in ("a.mar", "b.mar"):
        quantize_archive(clear, tmp_path / name, Plan([str(noise)], min_agreement=0.9))
    assert (tmp_path / "a.mar").read_bytes() == (tmp_path / "b.mar").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.mar") as new, zipfile.ZipFile(quantized[0]) as old:
        assert new.read("openvino/model.bin") == old.read("openvino/model.bin")
        assert "speed" not in json.loads(new.read("openvino/accuracy.json"))


def test_what_agrees_too_little_is_not_written(
    noise: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    archive = write_archive(tmp_path / "outlier", OUTLIER)
    words = ["quantize", str(archive), "--data", str(noise), "--json"]
    assert main(words) == 1
    said = json.loads(capfd.readouterr().out)
    assert said["judgement"]["agreement"] < 0.98
    share = f"{said['judgement']['agreement']:.4f}"
    assert (
        f"agree by {share} (top class) on 50 inputs, and --min-agreement is 0.98. Try more --data"
        in said["problem"]
    )
    assert (
        "(it was calibrated with 20), --bias exact, --preset mixed, --float ends, --float depthwise, or"
        in said["problem"]
    )
    assert not list(tmp_path.glob("*.mar"))
    three = OUTLIER.replace("(16, 5)", "(16, 5); self.middle = torch.nn.Conv2d(16, 16, 1)").replace(
        "self.layer(images)", "self.middle(self.layer(images))"
    )
    archive = write_archive(tmp_path / "three", three)
    report = quantize_archive(archive, tmp_path / "ends.mar", Plan([str(noise)], left_float=("ends",)))
    assert report.problem is None
    assert json.loads(json.dumps(report.document()))["left_float"] == ["ends"]


def test_the_command_prints_the_report_and_inspect_shows_it(
    clear: Path,
    noise: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    assert main(["quantize", str(clear), "--data", str(noise), "--min-agreement", "0.9"]) == 0
    said = capfd.readouterr().out
    assert "agreement (top class)" in said
    assert f"{tmp_path / 'archive-int8.mar'} is written" in said
    assert "left out: handler.memory_format" in said
    assert "inputs: 0 refused, 2 repeated" in said
    assert main(["inspect", "archive-int8.mar"]) == 0
    assert "agreement (top class)" in capfd.readouterr().out
    with open_archive("archive-int8.mar") as archive:
        assert inspection(archive)["accuracy"]["precision"] == "int8"


def test_too_few_inputs_are_refused_with_how_many_are_wanted(
    clear: Path, noise: Path, tmp_path: Path
) -> None:
    plan = Plan([str(noise / "0*.png"), str(noise / "again0.png")])
    with pytest.raises(
        InputError, match="has 10 different inputs, and at least 60 are wanted: 10 to calibrate"
    ):
        quantize_archive(clear, tmp_path / "new.mar", plan)
    assert not (tmp_path / "new.mar").exists()


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (
            "openvino/model.bin",
            lambda content: content[:-1] + b"\1",
            r"openvino/model\.bin is not what it was",
        ),
        ("openvino/model.bin", lambda content: content[:40], r"openvino/model\.bin is not what it was"),
        ("openvino/model.xml", lambda content: content + b" ", r"openvino/model\.xml is not what it was"),
        ("weights.pt", None, r"weights\.pt is not what it was when the network was quantized: do so again"),
        ("openvino/model.json", lambda _: b"{", r"openvino/model\.json is not JSON"),
        (
            "openvino/model.json",
            lambda _: b"{}",
            "int8 needs a quantized network in the archive: `torch-model",
        ),
    ],
)
def test_an_archive_that_was_changed_is_refused(
    name: str, change: Any, message: str, unpacked: Path, tmp_path: Path
) -> None:
    manifest = unpacked / "MAR-INF" / "MANIFEST.json"  # as TorchServe does, which compares no digests
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "sha256": {}}))
    if change is None:  # other weights, which the old network is not of
        state = torch.load(unpacked / name, weights_only=True)
        torch.save({key: value + 1 for key, value in state.items()}, unpacked / name)
    else:
        (unpacked / name).write_bytes(change((unpacked / name).read_bytes()))
    with pytest.raises(ArchiveError, match=message), load_archive(unpacked, device="cpu"):
        pass


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"engine": "openvino"},
            "int8 needs a quantized network in the archive: `torch-model-runner quantize",
        ),
        ({"engine": "torch"}, "int8 goes with handler.engine: openvino, and the network that"),
        ({}, "int8 goes with handler.engine: openvino, and the network that"),
    ],
)
def test_int8_without_a_quantized_network_stops_the_load(
    settings: dict[str, Any], message: str, tmp_path: Path
) -> None:
    archive = write_archive(tmp_path / "archive", CLEAR, precision="int8", **settings)
    with pytest.raises(ArchiveError, match=message), load_archive(archive, device="cpu"):
        pass


def test_the_same_archive_answers_in_float32_where_its_settings_say_so(
    unpacked: Path, clear: Path, noise: Path
) -> None:
    config = {"handler": {"resize": 20, "crop": 16, "engine": "openvino"}}
    (unpacked / "model-config.yaml").write_text(yaml.safe_dump(config))
    answers = []
    for path in (clear, unpacked):
        with load_archive(path, device="cpu") as model:
            answers.append(model.predict([noise / "00.png"])[0].response)
    assert answers[1] == pytest.approx(answers[0], abs=1e-4)


def test_serving_imports_no_nncf_and_sends_nothing(quantized: tuple[Path, Any], noise: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from ts.runner import load_archive\n"
        f"with load_archive({str(quantized[0])!r}, device='cpu') as model:\n"
        f"    assert model.predict([Path({str(noise / '00.png')!r})])[0].ok\n"
        "print([name for name in sys.modules if name in ('nncf', 'openvino_telemetry')])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    assert found.stdout.splitlines()[-1] == "[]"


def test_a_missing_nncf_is_named_with_what_to_install(
    clear: Path, noise: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(ArchiveError, match=r"pip install 'torchserve-handlers\[quantize\]'"):
        quantize_archive(clear, tmp_path / "new.mar", Plan([str(noise)]))


def test_calls_of_another_form_are_answered_in_float32_with_a_warning(
    quantized: tuple[Path, Any], caplog: pytest.LogCaptureFixture
) -> None:
    images = torch.rand(2, 3, 16, 16)
    with load_archive(quantized[0], device="cpu") as model:
        handler = model.handler
        call = ModelCaller.of(handler)
        found = call(images=images)  # of a model of images and of texts it would be the others
        assert "is not for calls of the form ((), {'images': *})" in caplog.text
        assert torch.allclose(found, handler.model(images), atol=1e-4)
        assert not torch.allclose(call(images), handler.model(images), atol=1e-4)


@pytest.mark.skipif(
    torch.__version__ < "2.4", reason="OpenVINO converts no program of torch 2.3 for batches of any size"
)
def test_an_archive_that_is_exported_has_no_network_in_int8_left(
    quantized: tuple[Path, Any], noise: Path, tmp_path: Path
) -> None:
    report = export_archive(quantized[0], tmp_path / "new.mar", inputs=[noise / "00.png"], device="cpu")
    assert report.comparison.problem is None
    with zipfile.ZipFile(tmp_path / "new.mar") as archive:
        assert not [name for name in archive.namelist() if name.startswith("openvino/")]
