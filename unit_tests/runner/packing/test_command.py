"""torch-model-archiver --architecture: one command from a name to an archive."""

from __future__ import annotations

import json
import sys
import zipfile

import pytest
import torch
import yaml
from model_archiver.model_archiver_config import ModelArchiverConfig
from model_archiver.model_archiver_error import ModelArchiverError
from model_archiver.model_packaging import generate_model_archive, package_model

from ts.handler_utils.models.formats.architecture import build
from ts.runner import load_archive
from ts.runner.exporting.samples import random_images

NAME = "squeezenet1_1"


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """`run(*arguments)` runs the command in a folder; returns its exit status, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["torch-model-archiver", *arguments])
        status = 0
        try:
            generate_model_archive()
        except SystemExit as end:
            status = end.code
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.fixture
def fine_tuned(tmp_path):
    torch.save(build(NAME, {"num_classes": 3}).state_dict(), tmp_path / "fine.pth")
    (tmp_path / "labels.txt").write_text("cat\ndog\nsheep\n")


def content(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_name_and_weights_are_all_it_takes(run, cached, tmp_path):
    cached(NAME)
    assert run("--architecture", NAME, "--weights", "IMAGENET1K_V1") == (
        0,
        "squeezenet1_1.mar: image_classifier, 1000 labels, as SqueezeNet1_1_Weights.IMAGENET1K_V1 has it;"
        " 6 answers are the network's, within 0\n",
        "",
    )
    files = content(tmp_path / "squeezenet1_1.mar")
    model = json.loads(files["MAR-INF/MANIFEST.json"])["model"]
    assert (model["modelVersion"], model["handler"]) == ("1.0", "image_classifier")
    assert json.loads(files["index_to_name.json"])["281"] == "tabby"
    assert yaml.safe_load(files["model-config.yaml"])["handler"]["architecture"] == NAME
    with load_archive(tmp_path / "squeezenet1_1.mar") as model:
        (answer,) = model.predict(list(random_images((60, 50), 1)))
    assert (answer.status, len(answer.response)) == (200, 5)


def test_a_file_of_fine_tuned_weights_with_its_labels(run, fine_tuned, tmp_path):
    status, out, _ = run(
        *("--architecture", NAME, "--weights", "fine.pth", "--labels", "labels.txt"),
        *("--model-name", "pets", "--version", "2"),
    )
    assert (status, out.partition(", as")[0]) == (0, "pets.mar: image_classifier, 3 labels")
    files = content(tmp_path / "pets.mar")
    assert json.loads(files["index_to_name.json"]) == {"0": "cat", "1": "dog", "2": "sheep"}
    section = yaml.safe_load(files["model-config.yaml"])["handler"]
    assert section["architecture"] == {"name": NAME, "num_classes": 3}


def test_without_labels_the_answers_name_indexes_as_the_command_says(run, fine_tuned):
    status, out, _ = run("--architecture", NAME, "--weights", "fine.pth")
    assert (status, "no labels (--labels FILE gives them)" in out) == (0, True)


def test_a_config_file_is_merged_and_wins(run, fine_tuned, tmp_path):
    (tmp_path / "mine.yaml").write_text("batchSize: 8\nhandler: {topk: 2, crop: 192, precision: bfloat16}\n")
    assert run("--architecture", NAME, "--weights", "fine.pth", "-c", "mine.yaml")[0] == 0
    config = yaml.safe_load(content(tmp_path / f"{NAME}.mar")["model-config.yaml"])
    section = config["handler"]
    assert (config["batchSize"], section["topk"], section["crop"], section["resize"]) == (8, 2, 192, 256)
    assert section["precision"] == "bfloat16"


def test_a_preset_of_ones_own_stands_alone(run, fine_tuned, tmp_path):
    (tmp_path / "c.yaml").write_text("handler: {preset: ResNet50_Weights.IMAGENET1K_V2}")
    assert run("--architecture", NAME, "--weights", "fine.pth", "-c", "c.yaml")[0] == 0
    section = yaml.safe_load(content(tmp_path / f"{NAME}.mar")["model-config.yaml"])["handler"]
    assert sorted(section) == ["architecture", "preset"]


@pytest.mark.parametrize(
    ("config", "options", "message"),
    [
        (
            "handler: {architecture: resnet18}",
            [],
            "--architecture is squeezenet1_1, and handler.architecture in the",
        ),
        ("handler: {architecture: {name: squeezenet1_1, num: 3}}", [], "takes no num; it takes"),
        ("handler: {model_class: Net}", [], "sets handler.model_class"),
        ("[]", [], "is no YAML mapping"),
        ("handler: {topk: 0}", [], "handler.topk"),
        (
            "",
            ["--model-file", "net.py"],
            "--model-file net.py and --architecture squeezenet1_1 exclude each other",
        ),
        ("", ["--serialized-file", "fine.pth"], "--serialized-file fine.pth and --architecture"),
        ("", ["--labels", "absent.txt"], "the labels absent.txt cannot be read"),
        ("", ["--labels", "labels.txt", "--extra-files", "index_to_name.json"], "leave one of them out"),
        ("", ["--extra-files", "absent"], "absent"),
        ("", ["--model-name", "a/b"], "no model name"),
        ("", ["--export-path", "absent"], "is not a folder"),
        ("", ["--handler", "image_clasifier"], "image_clasifier"),
    ],
)
def test_what_does_not_fit_is_one_sentence_and_nothing_is_written(
    config, options, message, run, fine_tuned, tmp_path
):
    (tmp_path / "c.yaml").write_text(config)
    (tmp_path / "index_to_name.json").write_text('["a", "b", "c"]')
    more = ["-c", "c.yaml"] if config else []
    status, out, err = run("--architecture", NAME, "--weights", "fine.pth", *more, *options)
    assert (message in str(status) + err, out) == (True, ""), (status, err)
    assert not list(tmp_path.glob("*.mar"))


def test_an_archive_that_is_there_stays_unless_forced(run, fine_tuned, tmp_path):
    (tmp_path / f"{NAME}.mar").write_bytes(b"mine")
    status, _, _ = run("--architecture", NAME, "--weights", "fine.pth")
    assert str(status).endswith("exists already; -f replaces it")
    assert (tmp_path / f"{NAME}.mar").read_bytes() == b"mine"
    assert run("--architecture", NAME, "--weights", "fine.pth", "-f")[0] == 0


def test_other_formats_files_and_handlers(run, fine_tuned, tmp_path):
    (tmp_path / "mine.py").write_text(
        "from ts.torch_handler.image_classifier import ImageClassifier\n"
        "class Mine(ImageClassifier):\n    topk = 1\n"
    )
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "notes.txt").write_text("notes")
    options = ("--handler", "mine.py", "--extra-files", "more,labels.txt", "--archive-format", "no-archive")
    assert run("--architecture", NAME, "--weights", "fine.pth", *options)[0] == 0
    folder = tmp_path / NAME
    assert {"mine.py", "notes.txt", "labels.txt"} <= {path.name for path in folder.iterdir()}
    with load_archive(folder) as model:
        assert len(model.predict(list(random_images((60, 50), 1)))[0].response) == 1


@pytest.mark.parametrize("handler", ["base_handler", "mine.py"])
def test_a_handler_that_answers_no_photo_is_not_asked_one(handler, run, fine_tuned, tmp_path):
    (tmp_path / "mine.py").write_text(
        "from ts.torch_handler.image_classifier import ImageClassifier\n"
        "class Mine(ImageClassifier):\n"
        "    def preprocess(self, data):\n"
        "        return data[0]['video']\n"
    )
    status, out, _ = run("--architecture", NAME, "--weights", "fine.pth", "--handler", handler)
    assert (status, "its answers were not compared" in out) == (0, True)


def test_weights_that_have_no_answer_are_refused_with_the_reason(run, tmp_path):
    state = build(NAME, {"num_classes": 3}).state_dict()
    torch.save({name: value * float("nan") for name, value in state.items()}, tmp_path / "nan.pth")
    status, _, err = run("--architecture", NAME, "--weights", "nan.pth")
    assert "no answer to the sample: the model returned logits that are not finite" in str(status)
    assert err == ""


def test_the_labels_among_the_extra_files_are_the_archives(run, cached, tmp_path):
    cached(NAME)
    (tmp_path / "index_to_name.json").write_text(json.dumps([f"label {index}" for index in range(1000)]))
    assert run("--architecture", NAME, "--extra-files", "index_to_name.json")[0] == 0
    assert json.loads(content(tmp_path / f"{NAME}.mar")["index_to_name.json"])[7] == "label 7"


def test_the_python_api_packs_names_too(fine_tuned, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    job = ModelArchiverConfig("pets", "", "1.0", architecture=NAME, weights="fine.pth")
    package_model(job)
    assert (tmp_path / "pets.mar").is_file()
    with pytest.raises(ModelArchiverError, match="exists already"):
        package_model(job)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: --model-name, -v/--version, --handler"),
        (["--model-name", "a", "--handler", "b"], "the following arguments are required: -v/--version"),
        (
            ["--model-name", "a", "-v", "1", "--handler", "b", "--weights", "w"],
            "--weights: it is of a network by name",
        ),
        (
            ["--model-name", "a", "-v", "1", "--handler", "b", "--labels", "w"],
            "--labels: it is of a network by name",
        ),
    ],
)
def test_the_other_form_needs_what_it_needed(arguments, message, run):
    status, _, err = run(*arguments)
    assert (status, message in err) == (2, True)


def test_without_torch_one_sentence_says_what_it_needs(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "ts.runner.packing", None)
    status, _, _ = run("--architecture", NAME)
    assert "--architecture needs torch, torchvision and this library's handlers: pip install" in str(status)


def test_timms_networks_are_packed_with_what_timm_knows(run, tmp_path):
    timm = pytest.importorskip("timm", reason="needs timm")
    torch.save(
        {"state_dict": timm.create_model("test_vit", num_classes=3).state_dict()}, tmp_path / "last.ckpt"
    )
    status, out, _ = run("--architecture", "timm/test_vit.r160_in1k", "--weights", "last.ckpt")
    assert (status, out.partition(":")[0]) == (0, "test_vit.r160_in1k.mar")
    section = yaml.safe_load(content(tmp_path / "test_vit.r160_in1k.mar")["model-config.yaml"])["handler"]
    assert section["architecture"] == {"name": "timm/test_vit.r160_in1k", "num_classes": 3}
    assert (section["resize"], section["crop"], section["interpolation"]) == (168, 160, "bicubic")
