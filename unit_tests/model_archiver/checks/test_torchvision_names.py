"""`architecture` and `preset` in the config file, beside torchvision itself."""

from __future__ import annotations

import importlib.util

import pytest
from model_archiver.checks.torchvision_names import check_torchvision_names, network_names, weights_names
from model_archiver.model_archiver_error import ModelArchiverError
from torchvision.models import get_model_weights, get_weight, list_models

PRESET = "ResNet50_Weights.IMAGENET1K_V2"


def said(**section):
    """What is said of the handler's section of the config file."""
    try:
        check_torchvision_names({"handler": section})
    except ModelArchiverError as error:
        return str(error)
    return None


def test_the_networks_are_those_of_torchvision():
    assert sorted(network_names()) == sorted(list_models())


def test_the_weights_are_those_of_torchvision():
    names = weights_names()
    assert {str(weights) for model in list_models() for weights in get_model_weights(model)} <= set(names)
    assert "ResNet50_Weights.DEFAULT" in names
    for name in names:
        assert get_weight(name)


@pytest.mark.parametrize(
    "section",
    [
        {"architecture": "resnet18"},
        {"architecture": {"name": "resnet18", "num_classes": 3}},
        {"preset": PRESET},
        {"preset": "ResNet18_Weights.DEFAULT"},
        {"topk": 3},
        {"architecture": None, "preset": None},
        {"architecture": "timm/resnet50.a1_in1k"},  # which timm itself can tell, as the model loads
    ],
)
def test_what_torchvision_has_is_right(section):
    assert said(**section) is None


def test_an_unknown_network_comes_with_the_nearest():
    sentence = (
        "the config file sets handler: architecture to resnet81, and torchvision has no network of that name"
    )
    assert said(architecture="resnet81").startswith(f"{sentence}; the nearest are resnet18")
    assert said(architecture={"name": "resnet81"}) == said(architecture="resnet81")
    assert said(architecture="zzz") == sentence.replace("resnet81", "zzz")


def test_unknown_weights_come_with_the_nearest():
    assert said(preset="ResNet50_Weights.IMAGENET1K_V3").startswith(
        "the config file sets handler: preset to ResNet50_Weights.IMAGENET1K_V3, and torchvision has no weights "
        f"of that name; the nearest are {PRESET}"
    )


@pytest.mark.parametrize("content", [{}, {"handler": None}, {"handler": "resnet81"}, {"handler": [1]}])
def test_a_config_without_a_section_names_nothing(content):
    check_torchvision_names(content)


def test_without_torchvision_nothing_is_refused(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert said(architecture="resnet81", preset="no") is None


@pytest.fixture
def misspelt(inputs):
    pytest.importorskip("yaml")
    (inputs / "c.yaml").write_text("handler: {preset: ResNet50_Weights.NO}\n")


def test_a_default_handler_refuses_it(pack, misspelt):
    with pytest.raises(
        ModelArchiverError, match=r"sets handler: preset to ResNet50_Weights\.NO, and torchvision"
    ):
        pack(handler="image_classifier", config_file="c.yaml")


def test_in_a_handler_of_ones_own_the_keys_are_its_own(pack, misspelt, contents, caplog):
    assert "c.yaml" in contents(pack(config_file="c.yaml"))
    assert caplog.messages == []


def test_torchvision_is_not_imported(cli, misspelt):
    before = """
import atexit, sys
atexit.register(lambda: print(sorted({"torch", "torchvision"} & set(sys.modules))))
"""
    run = cli("--model-name", "n", "-v", "1", "--handler", "image_classifier", "-c", "c.yaml", before=before)
    assert run.returncode == 1
    assert "torchvision has no weights of that name" in run.stderr
    assert run.stdout == "[]\n"
