"""timm's networks by name: the answers are those of timm's own transform and model."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest
import torch
from PIL import Image

from ts.handler_utils.models.formats.architecture import check_architecture
from ts.runner.exporting.samples import random_images
from ts.torch_handler.base_handler import BaseHandler
from ts.torch_handler.image_classifier import ImageClassifier

timm = pytest.importorskip("timm", reason="needs timm: pip install 'torchserve-handlers[timm]'")

# Of families that differ in size, crop, interpolation, mean and classes; each as small as there is one.
NETWORKS = (
    ("resnet10t.c3_in1k", {}),
    ("vit_tiny_patch16_224.augreg_in21k", {}),
    ("vit_tiny_patch16_384.augreg_in21k_ft_in1k", {}),
    ("convnext_atto.d2_in1k", {}),
    ("tf_efficientnet_lite0.in1k", {}),
    ("mobilenetv3_small_050.lamb_in1k", {}),
    ("swin_tiny_patch4_window7_224.ms_in22k_ft_in1k", {}),
    ("eva02_tiny_patch14_336.mim_in22k_ft_in1k", {}),
    ("vit_tiny_patch16_224.augreg_in21k_ft_in1k", {"img_size": 96, "num_classes": 5}),
)


@pytest.fixture(scope="module")
def photo():
    return next(iter(random_images((420, 360), 1)))


@pytest.fixture
def load(tmp_path, make_context):
    """`load(name, arguments)` returns a handler and timm's own network, whose weights the archive has."""

    def load(name, arguments, **settings):
        torch.manual_seed(0)
        network = timm.create_model(name, pretrained=False, **arguments).eval()
        torch.save(network.state_dict(), tmp_path / "weights.pt")
        architecture = {"name": f"timm/{name}", **arguments} if arguments else f"timm/{name}"
        handler = ImageClassifier()
        config = {"handler": {"architecture": architecture, **settings}}
        handler.initialize(make_context(tmp_path, config=config, serializedFile="weights.pt"))
        return handler, network

    return load


@pytest.mark.parametrize(("name", "arguments"), NETWORKS, ids=[name for name, _ in NETWORKS])
def test_answers_are_those_of_timms_own_transform_and_model(name, arguments, load, photo):
    handler, network = load(name, arguments)
    size = (
        {"input_size": (3, arguments["img_size"], arguments["img_size"])} if "img_size" in arguments else {}
    )
    config = timm.data.resolve_model_data_config(network, args=size)
    transform = timm.data.create_transform(**config, is_training=False)
    batch = handler.preprocess([{"data": photo}])
    image = transform(Image.open(io.BytesIO(photo)).convert("RGB"))[None]
    torch.testing.assert_close(batch, image, atol=1e-5, rtol=0)
    with torch.inference_mode():
        torch.testing.assert_close(handler.inference(batch), network(image), atol=1e-4, rtol=1e-4)


def test_labels_are_timms_own_for_the_classes_of_the_pretrained_weights(load):
    info = timm.data.ImageNetInfo("imagenet-1k")
    handler, _ = load("test_vit.r160_in1k", {})
    assert len(handler.mapping) == 1000
    assert handler.mapping["7"] == info.index_to_description(7) == "cock"
    handler, _ = load("test_vit.r160_in1k", {"num_classes": 5})
    assert handler.mapping is None


def test_settings_win_over_what_timm_says(load):
    handler, _ = load("test_vit.r160_in1k", {}, mean=[0.1, 0.2, 0.3], crop=96, resize=100)
    transform = handler.image_processing
    assert (transform.resize, transform.crop, transform.mean) == (100, 96, [0.1, 0.2, 0.3])


def test_the_labels_of_the_archive_win_over_timms(load, tmp_path):
    (tmp_path / "index_to_name.json").write_text(json.dumps({"0": "fish"}))
    assert load("test_vit.r160_in1k", {})[0].mapping == {"0": "fish"}


def test_a_network_of_grey_images_gets_one_channel(load, photo):
    handler, _ = load("test_resnet.r160_in1k", {"in_chans": 1, "num_classes": 2})
    assert tuple(handler.preprocess([{"data": photo}]).shape) == (1, 1, 160, 160)


def test_a_transform_that_no_setting_stands_for_needs_settings(load, monkeypatch):
    config = timm.data.resolve_model_data_config(timm.create_model("test_vit.r160_in1k"))
    bordered = {**config, "crop_mode": "border"}
    monkeypatch.setattr(timm.data, "resolve_model_data_config", lambda *_, **__: bordered)
    with pytest.raises(ValueError, match=r"timm/test_vit\.r160_in1k: .*ResizeKeepRatio.*Set handler\.resize"):
        load("test_vit.r160_in1k", {})
    assert load("test_vit.r160_in1k", {}, resize=160)[0].image_processing.resize == 160


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("timm/resnet5O", "timm has no model 'resnet5O'; the nearest are resnet50"),
        ("timm/resnet50.a1_in1", r"timm has no weights 'a1_in1' of resnet50; the nearest are a1_in1k"),
        ("timm/hf_hub:timm/resnet50.a1_in1k", "nothing is downloaded: name the network"),
        ("timm/local-dir:/tmp/x", "nothing is downloaded: name the network"),
        ("hf-hub:timm/resnet50", "timm's networks are named timm/NAME"),
        (
            {"name": "timm/test_vit", "num_clases": 3},
            "timm/test_vit takes no num_clases; it takes .*num_classes",
        ),
        ({"name": "timm/test_vit", "pretrained": True}, "takes no pretrained"),
        ({"name": "timm/test_vit", "checkpoint_path": "x"}, "takes no checkpoint_path"),
    ],
)
def test_a_wrong_name_or_argument_says_what_there_is(name, message):
    with pytest.raises(ValueError, match=message):
        check_architecture(name)


def test_a_base_handler_needs_no_transform(tmp_path, make_context):
    torch.save(timm.create_model("test_vit").state_dict(), tmp_path / "weights.pt")
    handler = BaseHandler()
    config = {"handler": {"architecture": "timm/test_vit"}}
    handler.initialize(make_context(tmp_path, config=config, serializedFile="weights.pt"))
    assert handler.mapping["0"] == "tench, Tinca tinca"


def test_without_timm_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ValueError, match=r"need timm: pip install 'torchserve-handlers\[timm\]'"):
        check_architecture("timm/resnet18")


def test_importing_a_handler_or_the_names_of_networks_imports_no_timm():
    code = (
        "import sys, ts.torch_handler.image_classifier, ts.handler_utils.models.formats.architecture;"
        "print('timm' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"
