"""torch-model-runner export: what the new archive holds, and when there is none."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, Callable, Optional

import pytest
import torch
import yaml
from model_archiver.model_archiver_config import ModelArchiverConfig
from model_archiver.model_packaging import generate_model_archive

from ts.handler_utils.models.formats.batches import BatchLimits
from ts.runner import ArchiveError, RunnerError, load_archive
from ts.runner.exporting import Report, export_archive

Pack = Callable[..., Path]

NETWORK = """
import torch


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution = torch.nn.Conv2d(3, 4, 3)
        self.classifier = torch.nn.Linear(4, 5)

    def forward(self, images):
        features = self.convolution(images).relu().mean((2, 3))
        {line}
        return self.classifier(features)


class Other(torch.nn.Module):
    pass
"""
CONFIG = """
# a comment of its author
batchSize: 4
pt2: {compile: {enable: true}}
handler:
  model_class: Network
  topk: 2
"""
LABELS = '{"0": "zero", "1": "one", "2": "two", "3": "three", "4": "four"}'
NOT_ANY_SIZE = "features = features + (1 if features.shape[0] == 4 else 1)"


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    """`pack(line="...", handler=..., config=..., scripted=True)` packs tiny.mar, with a line of the network's."""

    def pack(
        line: str = "",
        *,
        handler: str = "image_classifier",
        config: Optional[str] = CONFIG,
        scripted: bool = False,
        files: Optional[dict[str, str]] = None,
        name: str = "tiny",
    ) -> Path:
        network = NETWORK.replace("{line}", line)
        written = {
            "network.py": network,
            "settings.yaml": config,
            "index_to_name.json": LABELS,
            **(files or {}),
        }
        folder = write_parts(tmp_path / "parts", written, scripted)
        extra = ["index_to_name.json", *(file for file in files or {} if file != handler)]
        generate_model_archive(
            ModelArchiverConfig(
                model_name=name,
                version="1.5",
                handler=str(folder / handler) if handler.endswith(".py") else handler,
                serialized_file=str(folder / "weights.pt"),
                model_file=None if scripted else str(folder / "network.py"),
                config_file=str(folder / "settings.yaml") if config else None,
                extra_files=[str(folder / file) for file in extra],
                export_path=str(tmp_path),
                force=True,
            )
        )
        return tmp_path / f"{name}.mar"

    return pack


def write_parts(folder: Path, files: dict[str, Optional[str]], scripted: bool) -> Path:
    """Writes the files that have a text, and weights.pt, of the network in network.py."""
    folder.mkdir(exist_ok=True)
    for file, text in files.items():
        if text is not None:
            (folder / file).write_text(text)
    network = made(folder / "network.py")
    if scripted:
        torch.jit.save(torch.jit.script(network), folder / "weights.pt")
    else:
        torch.save(network.state_dict(), folder / "weights.pt")
    return folder


def made(path: Path) -> torch.nn.Module:
    names: dict[str, Any] = {}
    exec(compile(path.read_text(), str(path), "exec"), names)
    torch.manual_seed(0)
    return names["Network"]().eval()


def loaded(archive: Path) -> Any:
    with load_archive(archive, device="cpu") as model:
        return model.handler.model


def parts(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as file:
        return {name: file.read(name) for name in file.namelist()}


def test_an_eager_archive_is_exported_with_all_that_still_applies(pack: Pack, tmp_path: Path) -> None:
    report = export_archive(pack(), tmp_path / "new.mar", device="cpu")
    new = parts(tmp_path / "new.mar")
    assert set(new) == {"MAR-INF/MANIFEST.json", "index_to_name.json", "settings.yaml", "weights.pt2"}
    assert new["index_to_name.json"].decode() == LABELS
    assert yaml.safe_load(new["settings.yaml"]) == {"batchSize": 4, "handler": {"topk": 2}}
    manifest = json.loads(new["MAR-INF/MANIFEST.json"])
    assert manifest["model"] == {
        "modelName": "tiny",
        "handler": "image_classifier",
        "modelVersion": "1.5",
        "configFile": "settings.yaml",
        "serializedFile": "weights.pt2",
    }
    assert report.left_out == ["handler.model_class", "pt2", "weights.pt", "network.py"]
    assert report.comparison.problem is None
    assert report.comparison.answers == 6
    assert report.comparison.largest <= 1e-4


@pytest.mark.parametrize("scripted", [False, True], ids=["eager", "torchscript"])
def test_the_new_archive_gives_the_old_ones_answers_in_batches_of_any_size(
    scripted: bool, pack: Pack, tmp_path: Path, photos: list[Path]
) -> None:
    if scripted:
        pytest.importorskip("torch._export.converter", reason="this torch converts no TorchScript")
    old = pack(scripted=scripted, config=None if scripted else CONFIG)
    report = export_archive(old, tmp_path / "new.mar", inputs=photos[:2], device="cpu")
    assert report.program.batch is None
    assert not report.made_up
    for size in (1, 3, 5):
        with (
            load_archive(old, device="cpu") as before,
            load_archive(tmp_path / "new.mar", device="cpu") as after,
        ):
            expected = [answer.response for answer in before.predict(photos[:5], batch_size=size)]
            found = [answer.response for answer in after.predict(photos[:5], batch_size=size)]
        assert found == [pytest.approx(answer, abs=1e-4) for answer in expected]


@pytest.mark.parametrize(("asked", "rows"), [(None, 4), (2, 2)], ids=["batchSize", "asked for"])
def test_a_model_of_one_batch_size_is_exported_for_the_one_that_is_asked_for(
    asked: Optional[int], rows: int, pack: Pack, tmp_path: Path
) -> None:
    report = export_archive(pack(NOT_ANY_SIZE), tmp_path / "new.mar", device="cpu", batch_size=asked)
    assert report.program.batch == rows
    assert loaded(tmp_path / "new.mar").limits == BatchLimits.fixed(rows)


def test_an_architecture_is_exported_and_no_longer_named(
    format_archives: dict[str, Path], tmp_path: Path
) -> None:
    report = export_archive(format_archives["resnet_by_name"], tmp_path / "new.mar", device="cpu")
    assert report.left_out == ["handler.architecture", "resnet.pth"]
    assert "architecture" not in parts(tmp_path / "new.mar")["resnet_by_name.yaml"].decode()
    assert report.comparison.largest <= 1e-4


def test_settings_of_which_all_apply_stay_as_they_were_written(pack: Pack, tmp_path: Path) -> None:
    pytest.importorskip("torch._export.converter", reason="this torch converts no TorchScript")
    config = "# a comment of its author\nbatchSize: 2\n"
    export_archive(pack(scripted=True, config=config), tmp_path / "new.mar", device="cpu")
    assert parts(tmp_path / "new.mar")["settings.yaml"].decode() == config


def test_settings_of_which_none_apply_are_no_file(pack: Pack, tmp_path: Path) -> None:
    export_archive(pack(config="handler: {model_class: Network}\n"), tmp_path / "new.mar", device="cpu")
    assert "settings.yaml" not in parts(tmp_path / "new.mar")


HANDLER = """
from network import Network
from ts.torch_handler.image_classifier import ImageClassifier


class Own(ImageClassifier):
    kind = Network

    def postprocess(self, data):
        return [{"sum": value} for value in data.sum(dim=1).tolist()]
"""


def test_a_handler_of_ones_own_keeps_the_model_file_that_it_imports(pack: Pack, tmp_path: Path) -> None:
    old = pack(handler="own.py", files={"own.py": HANDLER})
    export_archive(old, tmp_path / "new.mar", device="cpu")
    new = parts(tmp_path / "new.mar")
    assert {"own.py", "network.py"} <= set(new)
    assert "modelFile" not in json.loads(new["MAR-INF/MANIFEST.json"])["model"]


def test_an_exported_file_does_not_hold_the_photo_that_it_was_made_with(
    pack: Pack, tmp_path: Path, photos: list[Path]
) -> None:
    export_archive(pack(), tmp_path / "new.mar", inputs=photos[:1], device="cpu")
    (tmp_path / "weights.pt2").write_bytes(parts(tmp_path / "new.mar")["weights.pt2"])
    examples = torch.export.load(str(tmp_path / "weights.pt2")).example_inputs
    assert examples is None or not examples[0][0].any()  # before torch 2.4 it has none


def test_a_tar_gz_and_a_folder_are_read_and_a_tar_gz_written(pack: Pack, tmp_path: Path) -> None:
    shutil.unpack_archive(pack(), tmp_path / "folder", "zip")
    before = sorted(path for path in (tmp_path / "folder").rglob("*"))
    export_archive(tmp_path / "folder", tmp_path / "new.tar.gz", device="cpu")
    with load_archive(tmp_path / "new.tar.gz", device="cpu") as model:
        assert model.archive.model["serializedFile"] == "weights.pt2"
    assert sorted(path for path in (tmp_path / "folder").rglob("*")) == before


# Where there is no new archive ------------------------------------------------------------------------------


RANDOM = "features = features + (torch.rand(1) if self.training else torch.rand(1))"


def test_an_archive_whose_answers_differ_is_not_written(pack: Pack, tmp_path: Path) -> None:
    (tmp_path / "new.mar").write_text("what was there")
    report = export_archive(pack(RANDOM), tmp_path / "new.mar", device="cpu", force=True)
    assert report.comparison.problem is not None
    assert (tmp_path / "new.mar").read_text() == "what was there"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.mar", "parts", "tiny.mar"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("features = features.double().numpy()", "no answer to an input: 503"),
        ("features = features * 2 if features.sum() > 0 else features", "the model cannot be exported: "),
    ],
)
def test_what_cannot_be_exported_is_told_and_leaves_nothing_behind(
    line: str, message: str, pack: Pack, tmp_path: Path
) -> None:
    with pytest.raises(RunnerError, match=message):
        export_archive(pack(line), tmp_path / "new.mar", device="cpu")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["parts", "tiny.mar"]


def test_a_model_that_is_exported_already_is_refused(
    format_archives: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(ArchiveError, match=r"is a \w+: only eager and TorchScript models can be exported"):
        export_archive(format_archives["lite0_exported"], tmp_path / "new.mar", device="cpu")


def test_a_torchscript_that_cannot_be_converted_says_to_export_the_source(pack: Pack, tmp_path: Path) -> None:
    old = pack("print('a line')", scripted=True, config=None)
    with pytest.raises(ArchiveError, match=r"the model is TorchScript.*Export it from its Python source"):
        export_archive(old, tmp_path / "new.mar", device="cpu")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("there.mar", r"there\.mar exists already; -f replaces it"),
        ("new.zip", r"new\.zip must end in \.mar or \.tar\.gz"),
        ("absent/new.mar", r"absent is not a folder"),
    ],
)
def test_an_output_that_cannot_be_is_refused_before_any_work(
    name: str, message: str, pack: Pack, tmp_path: Path
) -> None:
    (tmp_path / "there.mar").write_text("what was there")
    with pytest.raises(ArchiveError, match=message):
        export_archive(pack(), tmp_path / name, device="cpu")
    assert (tmp_path / "there.mar").read_text() == "what was there"


def test_a_handler_of_neither_images_nor_texts_needs_an_input(pack: Pack, tmp_path: Path) -> None:
    old = pack(handler="base_handler")
    with pytest.raises(RunnerError, match="takes neither images nor texts: give --input FILE"):
        export_archive(old, tmp_path / "new.mar", device="cpu")
    report = export_archive(old, tmp_path / "new.mar", device="cpu", inputs=[torch.rand(3, 8, 8).tolist()])
    assert report.comparison.problem is None


# AOTInductor --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def compiler() -> None:
    if not (shutil.which("g++") or shutil.which("clang++")):
        pytest.skip("AOTInductor needs a C++ compiler, and there is none")
    if not hasattr(torch._inductor, "aoti_compile_and_package"):
        pytest.skip(f"AOTInductor's packages came with torch 2.6: this is {torch.__version__}")


def test_an_archive_is_compiled_by_the_command_and_answers_the_same(
    compiler: None, pack: Pack, tmp_path: Path, photos: list[Path]
) -> None:
    old = pack()
    command = [sys.executable, "-m", "ts.runner", "export", str(old), "--to", "aot", "--device", "cpu"]
    result = subprocess.run(
        [*command, "--input", str(photos[0])], cwd=tmp_path, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(
        f"{tmp_path / 'tiny-aot.mar'}: an AOTInductor package, made on cpu, for batches of"
    )
    assert "compared: 6 answers to 1 given input, alone and in a batch; numbers differ by " in result.stdout
    assert "left out: handler.model_class, pt2, weights.pt, network.py" in result.stdout
    with (
        load_archive(old, device="cpu") as before,
        load_archive(tmp_path / "tiny-aot.mar", device="cpu") as after,
    ):
        for size in (1, 4):
            expected = [answer.response for answer in before.predict(photos[:4], batch_size=size)]
            found = [answer.response for answer in after.predict(photos[:4], batch_size=size)]
            assert found == [pytest.approx(answer, abs=1e-4) for answer in expected]


def test_a_torch_that_writes_no_packages_says_since_when_they_are_written(
    pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(torch._inductor, "aoti_compile_and_package", raising=False)  # torch 2.3 to 2.5
    with pytest.raises(ArchiveError, match=r"from 2\.6 on: this is "):
        export_archive(pack(), tmp_path / "new.mar", to="aot", device="cpu")


# The command ------------------------------------------------------------------------------------------------


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ts.runner", "export", *arguments, "--device", "cpu"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_the_command_ends_with_1_where_answers_differ(pack: Pack, tmp_path: Path) -> None:
    pack(RANDOM)
    result = run(tmp_path, "tiny.mar")
    assert result.returncode == 1
    assert "tiny-pt2.mar is not written: of 6 answers to 3 made-up inputs" in result.stdout
    assert not (tmp_path / "tiny-pt2.mar").exists()


def test_the_command_prints_json(pack: Pack, tmp_path: Path) -> None:
    pack()
    result = run(tmp_path, "tiny.mar", "--json", "-o", "other.mar")
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    assert document["out"] == str(tmp_path / "other.mar")
    assert document["program"] == {"batch": None, "fixed": {}}
    assert document["comparison"]["problem"] is None


def test_an_input_that_is_missing_is_one_sentence_and_2(pack: Pack, tmp_path: Path) -> None:
    pack()
    result = run(tmp_path, "tiny.mar", "--input", "absent.jpg")
    assert (result.returncode, result.stderr) == (2, "torch-model-runner: no such file: absent.jpg\n")


def test_a_report_is_what_the_python_api_gives(pack: Pack, tmp_path: Path) -> None:
    report = export_archive(pack(), tmp_path / "new.mar", device="cpu")
    assert isinstance(report, Report)
    assert (report.format, report.device, report.out) == (
        "a torch.export program",
        "cpu",
        tmp_path / "new.mar",
    )
