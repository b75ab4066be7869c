"""Saved model folders of strangers: none runs code, looks elsewhere or goes to the network."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
import torch
from planted import Planted

from ts.torch_handler.image_classifier import ImageClassifier
from ts.torch_handler.object_detector import ObjectDetector
from ts.torch_handler.text_classifier import TextClassifier

CODE = """
import os
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast, ViTImageProcessor

os.makedirs({mark!r}, exist_ok=True)

class OwnConfig(BertConfig):
    pass

class OwnForSequenceClassification(BertForSequenceClassification):
    config_class = OwnConfig

class OwnTokenizer(BertTokenizerFast):
    pass

class OwnProcessor(ViTImageProcessor):
    pass
"""
AUTO_MAP = {
    "AutoConfig": "own.OwnConfig",
    "AutoModelForSequenceClassification": "own.OwnForSequenceClassification",
}
KINDS = {"bert": TextClassifier, "vit": ImageClassifier, "detr": ObjectDetector}


@pytest.fixture(autouse=True)
def attempts(monkeypatch) -> list[Any]:
    """Every attempt to reach another machine, which fails."""
    found: list[Any] = []

    def refuse(_: Any, address: Any, *__: Any) -> None:
        found.append(address)
        raise OSError("no network")

    def unknown(host: Any, *_: Any, **__: Any) -> None:
        found.append(host)
        raise socket.gaierror("no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    return found


@pytest.fixture
def mark(tmp_path) -> Path:
    """What planted code makes."""
    return tmp_path / "it ran"


@pytest.fixture
def copied(saved_model, tmp_path, mark):
    """A copy of a folder, with code of its own beside it."""

    def made(name: str) -> Path:
        folder = Path(shutil.copytree(saved_model(name), tmp_path / name))
        (folder / "own.py").write_text(CODE.format(mark=str(mark)))
        return folder

    return made


@pytest.fixture
def load(make_context):
    def loaded(folder: Path, **settings: Any) -> Any:
        handler = KINDS[folder.name]()
        handler.initialize(make_context(folder, config={"handler": settings}))
        return handler

    return loaded


def change(path: Path, **changes: Any) -> None:
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, **changes}))


@pytest.mark.parametrize(
    ("name", "file", "auto_map"),
    [
        ("bert", "config.json", AUTO_MAP),
        ("bert", "config.json", {"AutoConfig": "stranger/own--own.OwnConfig"}),
        ("bert", "tokenizer_config.json", {"AutoTokenizer": [None, "own.OwnTokenizer"]}),
        ("bert", "tokenizer_config.json", ["own.OwnTokenizer", None]),
        ("vit", "preprocessor_config.json", {"AutoImageProcessor": "own.OwnProcessor"}),
        ("vit", "preprocessor_config.json", {"AutoFeatureExtractor": "own.OwnProcessor"}),
    ],
)
def test_code_of_the_folder_is_named_and_not_run(copied, load, mark, attempts, name, file, auto_map):
    folder = copied(name)
    change(folder / file, auto_map=auto_map)
    with pytest.raises(ValueError, match=rf"{file} names code .*own\.py.*trust_remote_code: true") as raised:
        load(folder)
    assert "\n" not in str(raised.value)
    assert not mark.exists()
    assert not attempts


def test_code_within_a_part_of_the_config_is_not_run(copied, load, mark):
    folder = copied("detr")
    backbone = json.loads((folder / "config.json").read_text())["backbone_config"]
    change(folder / "config.json", backbone_config={**backbone, "auto_map": AUTO_MAP})
    with pytest.raises(ValueError, match="names code of the folder's own"):
        load(folder)
    assert not mark.exists()


def test_code_is_run_where_the_setting_says_so(copied, load, mark, tmp_path, monkeypatch):
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    folder = copied("bert")
    own = {"model_type": "own", "architectures": ["OwnForSequenceClassification"], "auto_map": AUTO_MAP}
    change(folder / "config.json", **own)
    handler = load(folder, trust_remote_code=True)
    assert type(handler.model).__name__ == "OwnForSequenceClassification"
    assert mark.exists()


def test_a_pickle_among_the_weights_is_not_run(copied, load, mark):
    folder = copied("bert")
    (folder / "model.safetensors").unlink()
    torch.save({"classifier.weight": Planted(mark)}, folder / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"pytorch_model\.bin"):
        load(folder)
    assert not mark.exists()


def test_other_files_with_code_are_not_looked_at(copied, load, mark):
    folder = copied("bert")
    (folder / "custom_generate").mkdir()
    (folder / "custom_generate" / "generate.py").write_text(CODE.format(mark=str(mark)))
    (folder / "generation_config.json").write_text(json.dumps({"custom_generate": "own.py"}))
    for name in ("modeling_bert.py", "handler.py", "transformers.py", "tokenization.py"):
        (folder / name).write_text(CODE.format(mark=str(mark)))
    torch.save({"x": Planted(mark)}, folder / "training_args.bin")
    torch.save({"x": Planted(mark)}, folder / "pytorch_model.bin")  # beside the safetensors
    load(folder)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}, "is quantized"),
        ({"compression_config": {"quant_method": "compressed-tensors"}}, "is compressed"),
        ({"transformers_weights": "../other.safetensors"}, "names another file"),
    ],
)
def test_weights_that_take_other_code_are_refused(copied, load, attempts, changes, problem):
    folder = copied("bert")
    change(folder / "config.json", **changes)
    with pytest.raises(ValueError, match=problem):
        load(folder)
    assert not attempts


def test_an_adapter_is_refused(copied, load, attempts):
    folder = copied("bert")
    (folder / "model.safetensors").rename(folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "stranger/model"}))
    with pytest.raises(ValueError, match=r"adapter_config\.json: .*merge_and_unload"):
        load(folder)
    assert not attempts


def test_no_kernel_is_fetched(copied, load, attempts):
    folder = copied("bert")
    kernel = "stranger/attention"
    change(folder / "config.json", attn_implementation=kernel, _attn_implementation=kernel, use_kernels=True)
    assert load(folder).model.config._attn_implementation != kernel
    assert not attempts


def test_a_name_in_the_config_leads_nowhere(copied, load, attempts):
    folder = copied("bert")
    change(folder / "config.json", _name_or_path="stranger/model", name_or_path="stranger/model")
    change(folder / "tokenizer_config.json", name_or_path="stranger/model")
    load(folder)
    assert not attempts


def test_a_file_elsewhere_on_this_machine_is_not_read(copied, load, tmp_path):
    folder = copied("bert")
    shutil.copy(folder / "tokenizer.json", tmp_path / "secret.json")
    for path in (str(tmp_path / "secret.json"), "../secret.json"):
        change(folder / "tokenizer_config.json", tokenizer_file=path)
        with pytest.raises(ValueError, match=r"tokenizer_config\.json names .* as its tokenizer_file"):
            load(folder)


@pytest.mark.parametrize("timm", [False, True])
def test_a_backbone_of_a_hub_is_not_fetched(copied, load, attempts, timm):
    if timm:
        pytest.importorskip("timm")
    folder = copied("detr")
    change(
        folder / "config.json",
        backbone="resnet18" if timm else "stranger/backbone",
        backbone_config=None,
        use_timm_backbone=timm,
        use_pretrained_backbone=True,
    )
    with pytest.raises((ValueError, ImportError)):  # the weights are those of another backbone
        load(folder)
    assert not attempts


def test_other_libraries_are_online_again_afterwards(copied, load):
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    load(copied("bert"))
    assert constants.HF_HUB_OFFLINE is before


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"size": {"height": 100_000, "width": 100_000}}, "scales photos to 100000 pixels a side"),
        ({"size": {"shortest_edge": 9_000}}, "scales photos to 9000"),
        ({"do_pad": True, "pad_size": {"height": 90_000, "width": 9}}, "scales photos to 90000"),
        ({"image_processor_type": "OwnProcessor"}, "describes no image processor|fails"),
        ({"preprocess": "dance", "_preprocess": "dance"}, "fails|describes no"),
        ({"image_mean": ["a"]}, "fails"),
    ],
)
def test_an_image_processor_that_cannot_be_used_is_refused(copied, load, mark, changes, problem):
    folder = copied("vit")
    if "image_processor_type" in changes:
        change(folder / "config.json", architectures=["ViTForImageClassification"])
    change(folder / "preprocessor_config.json", **changes)
    with pytest.raises(ValueError, match=problem):
        load(folder)
    assert not mark.exists()


def test_a_folder_without_its_image_processor_or_tokenizer_is_refused(copied, load):
    folder = copied("vit")
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(ValueError, match=r"has no preprocessor_config\.json"):
        load(folder)
    folder = copied("bert")
    for path in folder.iterdir():
        if path.is_file() and path.name not in ("config.json", "model.safetensors"):
            path.unlink()
    with pytest.raises(ValueError, match="has no tokenizer"):
        load(folder)


class OwnLoading(TextClassifier):
    """As of those who loaded such folders before the default handlers did."""

    def initialize(self, context):
        super().initialize(context)
        self.model = self.model or "its own"


def test_a_subclass_may_load_by_itself_what_is_refused(copied, make_context, mark):
    folder = copied("bert")
    change(folder / "config.json", auto_map=AUTO_MAP)
    handler = OwnLoading()
    handler.initialize(make_context(folder))
    assert handler.model == "its own"
    assert not mark.exists()
