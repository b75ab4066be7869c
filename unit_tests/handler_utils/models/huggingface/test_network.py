"""Networks of saved model folders: all of their weights, in any of the forms that transformers saves."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
import torch

from ts.handler_utils.models.huggingface.network import load_network


@pytest.fixture
def folder(saved_model, tmp_path):
    """A copy of BERT's folder, to be changed."""
    return Path(shutil.copytree(saved_model("bert"), tmp_path / "bert"))


def change_config(folder: Path, **changes: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **changes}))


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def logits_of(model) -> torch.Tensor:
    with torch.inference_mode():
        return model(torch.tensor([[2, 9, 8, 3]])).logits


def test_a_pickle_of_weights_is_read(folder):
    expected = logits_of(load_network(folder, "text_classifier").model)
    torch.save(weights_of(folder), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    assert torch.allclose(logits_of(load_network(folder, "text_classifier").model), expected)


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_weights_in_several_files_are_read(folder, name):
    from safetensors.torch import save_file

    network = load_network(folder, "text_classifier")
    weights, parts = weights_of(folder), {}
    (folder / "model.safetensors").unlink()
    names = sorted(weights)
    for number, part in enumerate((names[:7], names[7:])):
        file = f"part-{number}{Path(name).suffix}"
        parts.update(dict.fromkeys(part, file))
        save = save_file if name.endswith("safetensors") else torch.save
        save({key: weights[key] for key in part}, folder / file)
    (folder / f"{name}.index.json").write_text(json.dumps({"weight_map": parts}))
    assert torch.allclose(logits_of(load_network(folder, "text_classifier").model), logits_of(network.model))


def test_weights_under_a_name_of_their_own_are_read(folder):
    named = folder / "trained.safetensors"
    expected = logits_of(load_network(folder, "text_classifier").model)
    (folder / "model.safetensors").rename(named)
    assert torch.allclose(logits_of(load_network(folder, "text_classifier", named).model), expected)


def test_missing_weights_are_named(folder):
    from safetensors.torch import save_file

    rest = {name: value for name, value in weights_of(folder).items() if not name.startswith("classifier")}
    save_file(rest, folder / "model.safetensors")
    with pytest.raises(
        ValueError, match=r"lacks 2 weights of BertForSequenceClassification \(classifier.bias"
    ):
        load_network(folder, "text_classifier")


def test_a_network_without_its_head_has_its_missing_weights_named(saved_model):
    assert load_network(saved_model("bert_base"), "embedder").missing == frozenset()
    network = load_network(saved_model("distilbert"), "embedder")
    assert type(network.model).__name__ == "DistilBertModel"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"model_type": "berd"}, "model_type 'berd', which transformers"),
        ({"architectures": ["BerdForSequenceClassification"]}, "names BerdForSequenceClassification"),
        ({"architectures": ["AutoModelForSequenceClassification"]}, "has no class"),
        ({"architectures": ["RobertaForSequenceClassification"]}, "has no class"),
        ({"architectures": None}, "names no class"),
        ({"hidden_size": "large"}, "is not one of a bert|make no Bert"),
        ({"hidden_size": 64}, "make no BertForSequenceClassification"),
        ({"hidden_act": "dance"}, "make no BertForSequenceClassification"),
    ],
)
def test_a_config_that_does_not_fit_is_refused_in_one_sentence(folder, changes, problem):
    change_config(folder, **changes)
    with pytest.raises(ValueError, match=problem) as raised:
        load_network(folder, "text_classifier")
    assert "\n" not in str(raised.value)


def test_a_folder_without_weights_is_refused(folder):
    (folder / "model.safetensors").unlink()
    with pytest.raises(ValueError, match=r"none of model\.safetensors, model\.safetensors\.index"):
        load_network(folder, "text_classifier")


@pytest.mark.parametrize("name", ["../model.safetensors", "/etc/passwd", "", 5])
def test_an_index_names_files_of_the_folder_alone(folder, name):
    (folder / "model.safetensors").rename(folder.parent / "model.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": name}}))
    with pytest.raises(ValueError, match="is no file of the folder"):
        load_network(folder, "text_classifier")


def test_a_file_that_the_index_names_and_that_is_not_there_is_named(folder):
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "b.safetensors"}}))
    with pytest.raises(FileNotFoundError, match=r"names b\.safetensors"):
        load_network(folder, "text_classifier")


def test_without_the_library_the_command_that_installs_it_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ImportError, match=r"pip install 'torchserve-handlers\[transformers\]'"):
        load_network(folder, "text_classifier")


def test_a_config_of_a_giant_network_takes_no_memory(folder):
    change_config(folder, vocab_size=10**10)
    with pytest.raises(ValueError, match="make no BertForSequenceClassification"):
        load_network(folder, "text_classifier")
