"""`pack`: what is written answers as the module does, and what would not is not written."""

from __future__ import annotations

import importlib
import io
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from torchvision import transforms
from torchvision.models import SqueezeNet1_1_Weights, get_model

from ts.handler_utils.images.transform import ImageTransform
from ts.runner import load_archive, pack
from ts.runner.errors import ArchiveError
from ts.runner.exporting.samples import random_images

TRANSFORM = transforms.Compose(
    [
        transforms.Resize(72),
        transforms.CenterCrop(64),
        transforms.ToTensor(),
        transforms.Normalize((0.5, 0.4, 0.3), (0.2, 0.25, 0.3)),
    ]
)
LABELS = ["cat", "dog", "sheep"]

OWN = """
import torch


class Other(torch.nn.Module):
    pass


class Own(torch.nn.Module):
    def __init__(self, classes=3):
        super().__init__()
        self.features = torch.nn.Conv2d(3, 4, 3, stride=2)
        self.head = torch.nn.Linear(4, classes)

    def forward(self, images):
        return self.head(self.features(images).relu().mean((2, 3)))
"""


class Local(torch.nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.head = torch.nn.Linear(3, classes)

    def forward(self, images):
        return self.head(images.mean((2, 3)))


class Noisy(Local):
    def forward(self, images):
        return super().forward(images) + torch.rand(1)


@pytest.fixture
def module():
    torch.manual_seed(0)
    return get_model("squeezenet1_1", weights=None, num_classes=3)


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A module of a class that a file of a project defines; `own(text)` for another file."""

    def make(text=OWN, **arguments):
        name = f"own_{tmp_path.name}"
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        importlib.invalidate_caches()
        monkeypatch.setitem(sys.modules, name, importlib.import_module(name))  # until the test ends
        return sys.modules[name].Own(**arguments)

    return make


@pytest.fixture
def photo():
    return next(iter(random_images((200, 150), 1)))


def asked(path, photo):
    with load_archive(path) as model:
        return model.predict([photo])[0].response, dict(model.archive.model), model.archive.config


def expected(module, photo, labels=LABELS):
    image = TRANSFORM(Image.open(io.BytesIO(photo)).convert("RGB"))[None]
    with torch.inference_mode():
        scores = torch.softmax(module.eval()(image), dim=1)[0].tolist()
    return dict(zip(labels, scores))


@pytest.mark.parametrize("form", [None, "state_dict", "export", "torchscript"])
def test_an_archive_of_each_form_answers_as_the_module(form, module, photo, tmp_path):
    path = tmp_path / "squeeze.mar"
    packed = pack(module, path, labels=LABELS, transform=TRANSFORM, form=form)
    assert packed.form == (form or "state_dict")
    assert packed.handler == "image_classifier"
    assert packed.comparison.problem is None
    answer, manifest, _ = asked(path, photo)
    assert answer == pytest.approx(expected(module, photo), abs=1e-4)
    assert (manifest["modelName"], manifest["modelVersion"]) == ("squeeze", "1.0")


def test_a_network_of_a_name_is_packed_by_its_name(module, photo, tmp_path):
    packed = pack(module, tmp_path / "a.tar.gz", transform=TRANSFORM, settings={"topk": 2}, version="7")
    answer, manifest, config = asked(packed.path, photo)
    assert config["handler"] == {
        "architecture": {"name": "squeezenet1_1", "num_classes": 3},
        "resize": 72,
        "crop": 64,
        "interpolation": "bilinear",
        "mean": [0.5, 0.4, 0.3],
        "std": [0.2, 0.25, 0.3],
        "topk": 2,
    }
    assert len(answer) == 2
    assert manifest["modelVersion"] == "7"
    assert "no labels" in str(packed)


def test_the_module_stays_as_it_is(module, tmp_path):
    module.train()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    pack(module, tmp_path / "a.mar", transform=TRANSFORM)
    assert module.training
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


def test_a_class_of_ones_own_is_packed_with_its_file(own, photo, tmp_path):
    module = own()
    packed = pack(
        module, tmp_path / "own.mar", handler="image_classifier", labels=LABELS, transform=TRANSFORM
    )
    assert packed.form == "state_dict"
    answer, manifest, config = asked(packed.path, photo)
    assert answer == pytest.approx(expected(module, photo), abs=1e-4)
    assert manifest["modelFile"].startswith("own_")
    assert config["handler"]["model_class"] == "Own"


@pytest.mark.parametrize(
    ("text", "arguments", "reason"),
    [
        (f"{OWN}\n\nimport neighbour_of_mine\n", {}, "imports neighbour_of_mine, which lies beside it"),
        (OWN.replace("classes=3", "classes"), {"classes": 3}, "Own cannot be made without classes"),
    ],
    ids=["a neighbour", "arguments"],
)
def test_a_file_that_does_not_stand_alone_is_no_model_file(text, arguments, reason, own, tmp_path, photo):
    (tmp_path / "neighbour_of_mine.py").write_text("")
    module, path = own(text, **arguments), tmp_path / "own.mar"
    packed = pack(module, path, handler="image_classifier", labels=LABELS, transform=TRANSFORM)
    assert packed.form == "export"
    assert reason in packed.reason
    assert asked(path, photo)[0] == pytest.approx(expected(module, photo), abs=1e-4)
    with pytest.raises(ArchiveError, match=rf"{reason}\. The form 'export' needs no class"):
        pack(module, tmp_path / "b.mar", handler="image_classifier", form="state_dict")


def test_a_network_whose_head_is_another_is_exported(module, photo, tmp_path):
    module.classifier[1] = torch.nn.Sequential(torch.nn.Conv2d(512, 8, 1), torch.nn.Conv2d(8, 3, 1))
    packed = pack(module, tmp_path / "own.mar", labels=LABELS, transform=TRANSFORM)
    assert packed.form == "export"
    assert asked(packed.path, photo)[0] == pytest.approx(expected(module, photo), abs=1e-4)


def test_torchscript_stays_torchscript(module, photo, tmp_path):
    scripted = torch.jit.script(module.eval())
    packed = pack(
        scripted, tmp_path / "a.mar", handler="image_classifier", labels=LABELS, transform=TRANSFORM
    )
    assert packed.form == "torchscript"
    assert asked(packed.path, photo)[0] == pytest.approx(expected(module, photo), abs=1e-4)
    with pytest.raises(ArchiveError, match="the module is TorchScript"):
        pack(scripted, tmp_path / "b.mar", handler="image_classifier", form="export")


def test_what_answers_otherwise_each_time_is_not_written(tmp_path):
    with pytest.raises(ArchiveError, match="does not answer as the module does: numbers differ"):
        pack(Noisy(3), tmp_path / "a.mar", handler="image_classifier", transform=TRANSFORM)
    assert not (tmp_path / "a.mar").exists()


def test_a_transform_that_the_settings_change_is_not_written(module, tmp_path):
    with pytest.raises(ArchiveError, match=r"other pixels of the sample .* of 255 on average"):
        pack(module, tmp_path / "a.mar", transform=TRANSFORM, settings={"mean": [0.1, 0.1, 0.1]})
    with pytest.raises(
        ArchiveError, match=r"a tensor \[3, 32, 32\] of the sample, and the transform \[3, 64, 64\]"
    ):
        pack(module, tmp_path / "a.mar", transform=TRANSFORM, settings={"crop": 32})
    assert not (tmp_path / "a.mar").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": ["cat", "dog"]}, "there are 2 labels, and the model has 3 classes"),
        ({"labels": {0: "cat", 5: "dog"}}, "there are 2 labels, and the model has 3 classes"),
        ({"labels": {"cat": "dog"}}, "keys are class indexes.*'cat' is none"),
        ({"labels": "absent.txt"}, "the labels absent.txt cannot be read"),
        ({"labels": 7}, "labels are a list, a mapping"),
        ({"transform": transforms.RandomCrop(3)}, "RandomCrop.* belongs to training"),
        ({"form": "onnx"}, "no form 'onnx': there are state_dict, export, torchscript, aot"),
        ({"settings": {"topkk": 3}}, "did you mean `?topk"),
        ({"settings": {"topk": -1}}, "handler.topk"),
        ({"handler": "image_clasifier"}, "image_clasifier"),
        ({"sample": b"no photo"}, "the network itself has no answer to the sample: .*image"),
        ({"extra_files": ["absent"]}, "absent"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(arguments, message, module, tmp_path):
    with pytest.raises(ArchiveError, match=message):
        pack(module, tmp_path / "a.mar", **arguments)
    assert not (tmp_path / "a.mar").exists()


@pytest.mark.parametrize("name", ["lables", "architecture", "archive_format"])
def test_an_argument_that_there_is_not_is_a_type_error(name, module, tmp_path):
    with pytest.raises(TypeError, match=f"takes no argument '{name}'; its other ones are force, version"):
        pack(module, tmp_path / "a.mar", **{name: "x"})


def test_a_list_of_steps_is_a_transform(module, photo, tmp_path):
    packed = pack(module, tmp_path / "a.mar", labels=LABELS, transform=TRANSFORM.transforms)
    assert asked(packed.path, photo)[0] == pytest.approx(expected(module, photo), abs=1e-4)


def test_what_is_no_module_is_refused(tmp_path):
    with pytest.raises(ArchiveError, match=r"takes a torch\.nn\.Module, and this is a dict"):
        pack({}, tmp_path / "a.mar")
    with pytest.raises(ArchiveError, match="a Local does not say which handler serves it: give one"):
        pack(Local(3), tmp_path / "a.mar")


def test_a_model_of_transformers_is_packed_as_it_is_saved(tmp_path):
    class Saved(Local):
        config = None

        def save_pretrained(self, folder):
            raise NotImplementedError

    message = "a Saved of transformers is packed as it is saved: .*--extra-files FOLDER"
    with pytest.raises(ArchiveError, match=message):
        pack(Saved(3), tmp_path / "a.mar")


def test_weights_of_half_precision_are_answered_in_it(module, photo, tmp_path):
    packed = pack(module.half(), tmp_path / "a.mar", transform=TRANSFORM)
    assert (packed.form, packed.comparison.largest) == ("state_dict", 0.0)
    assert asked(packed.path, photo)[2]["handler"]["precision"] == "float16"
    pack(module, tmp_path / "b.mar", transform=TRANSFORM, settings={"precision": "float32"})
    answer, _, config = asked(tmp_path / "b.mar", photo)
    assert config["handler"]["precision"] == "float32"
    numbers = expected(module.float(), photo, labels="012")
    assert answer == pytest.approx(numbers, abs=1e-4)


def test_an_archive_that_is_there_is_replaced_only_by_force(module, tmp_path):
    path = tmp_path / "a.mar"
    path.write_bytes(b"mine")
    with pytest.raises(ArchiveError, match="exists already"):
        pack(module, path, transform=TRANSFORM)
    assert path.read_bytes() == b"mine"
    pack(module, path, transform=TRANSFORM, force=True)
    assert path.read_bytes()[:2] == b"PK"


def test_labels_and_transform_of_torchvisions_weights(tmp_path, photo):
    weights = SqueezeNet1_1_Weights.DEFAULT
    network = get_model("squeezenet1_1", weights=None)
    packed = pack(network, tmp_path / "a.mar", labels=weights, transform=weights)
    assert packed.labels == 1000
    assert asked(packed.path, photo)[2]["handler"]["crop"] == 224


@pytest.mark.parametrize("sample", ["path", "text of a path", "pillow", "bytes"])
def test_a_sample_may_be_of_many_kinds(sample, module, photo, tmp_path):
    (tmp_path / "photo.png").write_bytes(photo)
    samples = {
        "path": tmp_path / "photo.png",
        "text of a path": str(tmp_path / "photo.png"),
        "pillow": Image.open(io.BytesIO(photo)),
        "bytes": [photo, photo],
    }
    transform = ImageTransform(resize=40, crop=32)
    assert (
        pack(module, tmp_path / "a.mar", sample=samples[sample], transform=transform).comparison.answers == 6
    )


def test_numbers_are_a_sample_of_a_base_handler(tmp_path):
    with pytest.raises(ArchiveError, match="takes neither images nor texts: give a sample"):
        pack(torch.nn.Linear(2, 3), tmp_path / "a.mar", handler="base_handler")
    packed = pack(
        torch.nn.Linear(2, 3), tmp_path / "a.mar", handler="base_handler", sample=[{"data": [1.0, 2.0]}]
    )
    assert packed.form == "export"


def test_a_network_of_timm_brings_its_own_transform_and_labels(tmp_path, photo):
    timm = pytest.importorskip("timm", reason="needs timm")
    network = timm.create_model("test_vit.r160_in1k")
    packed = pack(network, tmp_path / "a.mar")
    answer, _, config = asked(Path(packed.path), photo)
    assert config["handler"]["architecture"] == "timm/test_vit.r160_in1k"
    assert (config["handler"]["crop"], config["handler"]["interpolation"]) == (160, "bicubic")
    assert packed.labels == 1000
    assert set(answer) <= set(timm.data.ImageNetInfo().label_descriptions())
