"""`torch-model-runner quantize` on archives of every form, and what is refused before any long work."""

from __future__ import annotations

import json
import runpy
import shutil
import zipfile
from pathlib import Path
from typing import Any, Callable

import pytest
import torch
import yaml
from quantizable import CLEAR, LABELS, network_of, write_archive

from ts.runner import load_archive
from ts.runner.errors import ArchiveError
from ts.runner.quantizing import Plan, quantize_archive
from ts.runner.quantizing.judging import COSINE, PIXELS, SAME, TOP_CLASS, VALUES
from ts.runner.quantizing.judging import LABELS as ABOVE

for package, extra in (("openvino", "openvino"), ("nncf", "quantize")):
    pytest.importorskip(package, reason=f"needs {package}: pip install 'torchserve-handlers[{extra}]'")

SEGMENTER = CLEAR.replace(".mean((2, 3))", ".movedim(1, 3)").replace("return 40 * ", "scores = 40 * ")
SEGMENTER += '        return {"out": scores.movedim(3, 1)}\n'
BRANCHES = CLEAR.replace(
    "        return",
    """        if bool(images.mean() > 10):
            images = images * 2
        for _ in range(images.shape[0]):
            images = images + 0.01
        return""",
)
NO_LAYER = CLEAR.replace("self.last(torch.relu(self.layer(images))", "(images")
OWN = "from ts.torch_handler.image_classifier import ImageClassifier\n\nclass Own(ImageClassifier):\n    def "
BEST = OWN + "postprocess(self, data):\n        return [{'best': int(row.argmax())} for row in data]\n"
TWICE = (
    OWN + "inference(self, data, *args):\n        return super().inference(data) + super().inference(data)\n"
)
SIDEWAYS = (
    OWN + "inference(self, data, *args):\n        return super().inference(data) + self.model(images=data)\n"
)
NO_SUBCLASS = """
class Own:
    def initialize(self, context):
        self.model = None

    def inference(self, data):
        return data

    def handle(self, data, context):
        return [1 for _ in data]
"""
SMALL = """
import io

import numpy
import torch
from PIL import Image

from ts.torch_handler.base_handler import BaseHandler


class Own(BaseHandler):
    def preprocess(self, data):
        photos = [Image.open(io.BytesIO(row.get("data") or row.get("body"))) for row in data]
        arrays = [numpy.asarray(photo.convert("RGB").resize((16, 16))) for photo in photos]
        return torch.tensor(numpy.stack(arrays)).movedim(3, 1) / 255

    def postprocess(self, data):
        return [{answer}]
"""


def small(answer: str) -> dict[str, str]:
    return {"own.py": SMALL.replace("{answer}", f"{answer} for row in data.softmax(1)")}


def traced(folder: Path) -> Path:
    folder.mkdir()
    torch.jit.trace(network_of(CLEAR), torch.rand(2, 3, 16, 16)).save(folder / "net.pt")
    return write_archive(folder, model={"serializedFile": "net.pt"})


def scripted(folder: Path) -> Path:
    folder.mkdir()
    (folder / "network.py").write_text(BRANCHES)
    network = runpy.run_path(str(folder / "network.py"), run_name="network")["Network"]
    torch.jit.script(network().eval()).save(folder / "net.pt")
    return write_archive(folder, model={"serializedFile": "net.pt"})


def exported(folder: Path, **sizes: Any) -> Path:
    folder.mkdir()
    program = torch.export.export(network_of(CLEAR), (torch.rand(2, 3, 16, 16),), **sizes)
    torch.export.save(program, folder / "net.pt2")
    return write_archive(folder, model={"serializedFile": "net.pt2"})


def of_any_rows(folder: Path) -> Path:
    return exported(folder, dynamic_shapes={"images": {0: torch.export.Dim("rows")}})


def own(files: dict[str, str], **settings: Any) -> Callable[[Path], Path]:
    return lambda folder: write_archive(folder, handler="own.py", files=files, **settings)


def eager(**arguments: Any) -> Callable[[Path], Path]:
    return lambda folder: write_archive(folder, **arguments)


FORMS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "TorchScript": (traced, TOP_CLASS),
    "TorchScript with a branch and a loop": (scripted, TOP_CLASS),
    "torch.export": (of_any_rows, TOP_CLASS),
    "torch.export, two rows at a time": (exported, TOP_CLASS),
    "labels that are alike": (eager(labels={**LABELS, "0": "crane", "1": "crane"}), TOP_CLASS),
    "topk": (eager(topk=2, mean=[0.1] * 3, micro_batch=3), TOP_CLASS),
    "threshold": (eager(activation="sigmoid", threshold=0.6), ABOVE),
    "regression": (eager(activation="none"), VALUES),
    "engine": (eager(engine="openvino"), TOP_CLASS),
    "segmenter of PNGs": (eager(code=SEGMENTER, handler="image_segmenter", format="png"), PIXELS),
    "embedder of base64": (eager(handler="embedder", format="base64"), COSINE),
    "own answers": (own({"own.py": BEST}), TOP_CLASS),
    "own way of two calls": (own({"own.py": TWICE}), TOP_CLASS),
    "own handler, shares": (own(small("row.tolist()")), TOP_CLASS),
    "own handler, labels": (own(small("f'class {row.argmax()}'")), SAME),
}


@pytest.mark.parametrize("name", FORMS)
def test_each_form_answers_alike_in_int8_and_the_same_without(name: str, noise: Path, tmp_path: Path) -> None:
    if name == "torch.export" and torch.__version__ < "2.4":
        pytest.skip("OpenVINO converts no program of torch 2.3 for batches of any size")
    write, of = FORMS[name]
    archive, out = write(tmp_path / "archive"), tmp_path / "int8.mar"
    report = quantize_archive(archive, out, Plan([str(noise)], min_agreement=0.5))
    assert report.problem is None
    assert (report.judgement.of, report.judgement.inputs) == (of, 50)
    assert report.judgement.agreement > 0.85 or of == VALUES
    photos = sorted(noise.iterdir())[:5]
    before = answers(archive, photos)
    with zipfile.ZipFile(out) as file:
        file.extractall(tmp_path / "new")
    assert len(answers(out, photos)) == 5
    old = yaml.safe_load((archive / "model-config.yaml").read_text())
    path = tmp_path / "new" / "model-config.yaml"
    config = yaml.safe_load(path.read_text())
    assert config == {**old, "handler": {**old["handler"], "engine": "openvino", "precision": "int8"}}
    path.write_text(yaml.safe_dump(old))
    assert answers(tmp_path / "new", photos) == before


def answers(archive: Path, photos: list[Path]) -> list[bytes]:
    with load_archive(archive, device="cpu") as model:
        found = model.predict(photos, batch_size=5)
    assert [answer.status for answer in found] == [200] * 5
    return [answer.body for answer in found]


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (eager(code=NO_LAYER, labels={}), "the network has no layer that would compute in int8"),
        (eager(handler="object_detector", crop=None), "a detector is not quantized"),
        (own({"own.py": SIDEWAYS}), "the handler calls its model in 2 forms, and one can be converted: give"),
        (own({"own.py": NO_SUBCLASS}), "handler 'own.py' is no subclass of BaseHandler: it is not quantized"),
        (own(small("{'scores': row.tolist()}")), "how far answers agree is told of scores of classes, of"),
    ],
)
def test_what_cannot_be_quantized_is_refused_before_more_than_a_batch_is_asked(
    write: Callable[[Path], Path],
    message: str,
    noise: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from ts.runner.quantizing.answers import Answers

    monkeypatch.setattr(Answers, "take_enough", lambda _: pytest.fail("all inputs are asked"))
    archive = write(tmp_path / "archive")
    with pytest.raises(ArchiveError, match=message):
        quantize_archive(archive, tmp_path / "int8.mar", Plan([str(noise)]))
    assert not (tmp_path / "int8.mar").exists()


def test_photos_that_cannot_be_read_are_named_and_others_stand_in_for_them(
    noise: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(noise, "photos/a")
    for index in range(4):
        Path(f"photos/broken{index}.png").write_bytes(f"no photo {index}".encode())
    archive = write_archive(tmp_path / "archive")
    report = quantize_archive(archive, "int8.mar", Plan(["photos"], min_agreement=0.9))
    assert report.problem is None
    assert {name for name, _ in report.refused} == {f"photos/broken{index}.png" for index in range(4)}
    assert all("not an image" in problem for _, problem in report.refused), report.refused
    assert (report.judgement.inputs, report.judgement.refused, report.calibration) == (50, 4, 20)


def test_a_quantized_archive_is_quantized_again_as_the_one_that_it_was_made_of(
    noise: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    archive = write_archive(tmp_path / "archive")
    found = []
    for name in ("first.mar", "second.mar"):
        quantize_archive(archive, tmp_path / name, Plan([str(noise)], min_agreement=0.9))
        archive = tmp_path / name
        with zipfile.ZipFile(archive) as file:
            found.append({name: file.read(name) for name in file.namelist()})
    facts = [json.loads(files.pop("openvino/accuracy.json")) for files in found]
    assert found[0] == found[1]
    assert facts[0]["judgement"] == facts[1]["judgement"]


@pytest.mark.parametrize("full", ["stored", "network"])
def test_a_full_disk_is_one_sentence(
    full: str, noise: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ts.runner.exporting import conversion
    from ts.runner.quantizing import stored

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device") if full == "stored" else RuntimeError("no space left")

    if full == "stored":
        monkeypatch.setattr(stored.np, "save", fail)
    else:
        monkeypatch.setattr(conversion.import_openvino(), "save_model", fail)
    archive = write_archive(tmp_path / "archive")
    with pytest.raises(ArchiveError, match=r"cannot be written: .*o space left"):
        quantize_archive(archive, tmp_path / "int8.mar", Plan([str(noise)], min_agreement=0.9))
    assert not (tmp_path / "int8.mar").exists()


@pytest.mark.parametrize(("bias", "is_fast"), [("exact", False), ("fast", True)])
def test_the_mean_errors_of_layers_are_taken_out_exactly_where_asked_for(
    bias: str, is_fast: bool, noise: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import nncf

    def quantize(*_: Any, fast_bias_correction: bool, **__: Any) -> None:
        raise ValueError(f"fast: {fast_bias_correction}")

    monkeypatch.setattr(nncf, "quantize", quantize)
    archive = write_archive(tmp_path / "archive")
    with pytest.raises(ArchiveError, match=f"nncf cannot quantize the network: fast: {is_fast}"):
        quantize_archive(archive, tmp_path / "int8.mar", Plan([str(noise)], bias=bias))
