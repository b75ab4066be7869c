"""The embedder answers images and texts with vectors: pooled, scaled, as JSON or as float32."""

from __future__ import annotations

import base64
import json
import logging
import sys

import numpy as np
import pytest
import torch
from tiny_archives import photo
from torch.nn.functional import normalize
from torchvision.models import resnet18

import ts
from ts.handler_utils.images.transform import ImageTransform
from ts.torch_handler.embedder import Embedder
from ts.torch_handler.text_handler import TextHandler

PHOTOS = [{"data": photo("red")}, {"body": photo("blue", (50, 90))}, {"data": photo("green", (300, 20))}]

MODEL = """
import torch

class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(3, 2)

    def forward(self, x):
        return {output}
"""


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return resnet18().eval()


@pytest.fixture
def load(tmp_path, make_context):
    """A handler on resnet18, and its context: `load(network, **settings)`."""

    def start(network, kind=Embedder, **settings):
        torch.save(network.state_dict(), tmp_path / "resnet18.pt")
        config = {"handler": {"architecture": "resnet18", "resize": 64, "crop": 64, **settings}}
        context = make_context(tmp_path, config=config, serializedFile="resnet18.pt")
        handler = kind()
        handler.initialize(context)
        return handler, context

    return start


@pytest.fixture
def load_file(tmp_path, make_context):
    """A handler on a model file, and its context: `load_file("x.mean((2, 3))", **settings)`."""

    def start(output, **settings):
        (tmp_path / "model.py").write_text(MODEL.replace("{output}", output))
        config = {"handler": {"resize": 8, "crop": 8, **settings}}
        context = make_context(tmp_path, config=config, modelFile="model.py")
        handler = Embedder()
        handler.initialize(context)
        return handler, context

    return start


def features(network, images):
    """What enters resnet18's last layer."""
    with torch.no_grad():
        for name, layer in network.named_children():
            images = layer(images) if name not in ("fc",) else images
    return images.flatten(1)


def test_images_are_answered_by_what_enters_the_last_layer(network, load):
    handler, context = load(network)
    answers = handler.handle(PHOTOS, context)
    assert context.statuses == {}
    expected = normalize(features(network, handler.preprocess(PHOTOS)), dim=1)
    assert np.array(answers) == pytest.approx(expected.numpy(), abs=1e-5)
    for row, answer in zip(PHOTOS, answers):
        assert handler.handle([row], context)[0] == pytest.approx(answer, abs=1e-5)


def test_a_request_chooses_the_format_and_the_length(network, load):
    handler, context = load(network)
    ways = ({}, {"format": "float32"}, {"format": b"base64"}, {"format": "float32", "normalize": "false"})
    listed, raw, text, whole = handler.handle([{**PHOTOS[0], **way} for way in ways], context)
    assert context.content_types == {
        1: "application/octet-stream",
        2: "text/plain",
        3: "application/octet-stream",
    }
    assert (len(listed), len(raw)) == (512, 2048)
    assert np.frombuffer(raw, "<f4").tolist() == listed
    assert base64.b64decode(text) == raw
    assert np.frombuffer(whole, "<f4") == pytest.approx(
        features(network, handler.preprocess(PHOTOS[:1]))[0].numpy(), abs=1e-5
    )


def test_headers_and_settings_choose_too(network, load):
    handler, context = load(network, format="float32", normalize=False)
    context.headers = {1: {"ts-format": "json", "ts-normalize": "true"}}
    raw, listed = handler.handle([PHOTOS[0], PHOTOS[0]], context)
    assert normalize(torch.tensor(np.frombuffer(raw, "<f4").copy()), dim=0).tolist() == pytest.approx(listed)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"format": "floats"}, "Input should be 'json', 'float32' or 'base64'"),
        ({"normalize": "perhaps"}, "valid boolean"),
        ({"normalise": "true"}, "did you mean"),
    ],
)
def test_a_wrong_option_fails_alone(option, message, network, load):
    handler, context = load(network)
    answers = handler.handle([{**PHOTOS[0], **option}, PHOTOS[1]], context)
    assert context.statuses == {0: 400}
    assert message in answers[0]["message"]
    assert len(answers[1]) == 512


def test_what_is_no_image_fails_alone(network, load):
    handler, context = load(network)
    answers = handler.handle([{"data": b"a text"}, PHOTOS[0], {}], context)
    assert context.statuses == {0: 400, 2: 400}
    assert len(answers[1]) == 512


def test_nan_is_the_fault_of_its_row(load_file):
    handler, context = load_file("(x.mean((2, 3)) - 1).sqrt()")  # of all but what is bright
    answers = handler.handle([{"data": photo("white")}, {"data": photo("black")}], context)
    assert context.statuses == {1: 503}
    assert len(answers[0]) == 3


@pytest.mark.parametrize(
    ("output", "settings", "dimension"),
    [
        ("x.mean((2, 3))", {}, 3),
        ("x", {}, 3),  # a feature map, whose places are averaged
        ("x.flatten(2).transpose(1, 2)", {"pooling": "cls"}, 3),
        (
            "{'last_hidden_state': x.flatten(2), 'pooler_output': x[:, :, 0, :2].flatten(1)}",
            {"pooling": "pooler"},
            6,
        ),
        ("self.fc(x.mean((2, 3)))", {}, 2),
        ("self.fc(x.mean((2, 3)))", {"head": "fc"}, 3),
    ],
)
def test_models_of_ones_own(output, settings, dimension, load_file):
    handler, context = load_file(output, **settings)
    (answer,) = handler.handle(PHOTOS[:1], context)
    assert len(answer) == dimension
    assert np.linalg.norm(answer) == pytest.approx(1)
    context.headers = {0: {"describe": "True"}}
    (description,) = handler.handle([{}], context)
    assert description["dimension"] == dimension


def test_images_that_differ_in_size_share_a_batch(load_file):
    handler, context = load_file("x.mean((2, 3))", crop=None, normalize=False)
    rows = [*PHOTOS, {"data": photo("yellow")}]
    answers = handler.handle(rows, context)
    assert context.statuses == {}
    assert len({tuple(image.shape) for image in handler.preprocess(rows)}) == 3
    for row, answer in zip(rows, answers):
        assert handler.handle([row], context)[0] == pytest.approx(answer, abs=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"head": "classifier"}, "no layer 'classifier'.*fc"), ({"pooling": "median"}, r"handler\.pooling")],
)
def test_wrong_settings_stop_the_load(settings, message, load_file):
    with pytest.raises(ValueError, match=message):
        load_file("x.mean((2, 3))", **settings)


def test_a_classifier_whose_head_is_not_known_is_warned_of(load_file, tmp_path, caplog):
    (tmp_path / "index_to_name.json").write_text(json.dumps({"0": "cat", "1": "dog"}))
    handler, context = load_file("self.fc(x.mean((2, 3)))")
    handler.handle(PHOTOS, context)
    assert ["handler.head" in record.message for record in caplog.records] == [True]
    caplog.clear()
    handler.handle(PHOTOS, context)
    assert caplog.records == []


def test_a_warm_up_and_no_word_of_labels(network, load, caplog):
    with caplog.at_level(logging.WARNING):
        handler, _ = load(network, warmup={"batch_sizes": [2]})
    assert caplog.records == []
    assert handler.model.fc(torch.ones(3)).tolist() == [1, 1, 1]


def test_a_description_tells_what_the_model_takes(network, load):
    handler, context = load(network)
    context.headers = {0: {"describe": "True"}}
    (description,) = handler.handle([{}], context)
    assert [payload.split()[:3] for payload in description["payloads"]] == [
        ["an", "encoded", "image:"],
        ["nested", "lists", "of"],
    ]
    assert (description["dimension"], description["settings"]["crop"], description["labels"]) == (
        512,
        64,
        None,
    )
    assert [*description["options"]] == ["format", "normalize", "prompt"]
    json.dumps(description)


def test_explanations_are_refused(network, load):
    handler, context = load(network)
    context.headers = {0: {"explain": "True"}}
    answers = handler.handle(PHOTOS[:2], context)
    assert context.statuses == {0: 400}
    assert answers[0]["message"] == "Embedder gives no explanations"
    assert len(answers[1]) == 512


def test_a_subclass_has_its_own_hooks_and_names(network, load):
    class Mine(Embedder):
        image_processing = ImageTransform(resize=32, crop=32)
        pooling = recipe = head = format = dimension = "mine"

        def postprocess(self, data):
            return [{"embedding": vector} for vector in super().postprocess(data * 2)]

    handler, context = load(network, Mine, normalize=False, resize=32, crop=32)
    (answer,) = handler.handle(PHOTOS[:1], context)
    expected = 2 * features(network, handler.preprocess(PHOTOS[:1]))[0]
    assert answer["embedding"] == pytest.approx(expected.tolist(), abs=1e-4)
    assert answer["embedding"] != handler.handle([{**PHOTOS[0], "normalize": True}], context)[0]["embedding"]


def test_the_library_reads_and_writes_no_name_that_is_a_subclasss(network, load):
    used = set()

    class Watched(Embedder):
        def __getattribute__(self, name):
            note(name)
            return super().__getattribute__(name)

        def __setattr__(self, name, value):
            note(name)
            super().__setattr__(name, value)

    def note(name):
        home = sys._getframe(2).f_globals.get("__file__") or ""
        if any(home.startswith(path) for path in ts.__path__):
            used.add(name)

    handler, context = load(network, Watched, warmup={"batch_sizes": [1]}, micro_batch=2)
    handler.handle(PHOTOS, context)
    context.headers = {0: {"describe": "True"}, 1: {"explain": "True"}}
    handler.handle(PHOTOS[:2], context)
    of_texts = {*dir(TextHandler), "mapping", "initialized", "manifest", "model_yaml_config", "profiler_args"}
    assert {"model", "image_processing", "tokenizer"} <= used
    own = {name for name in used - of_texts if not name.startswith("__")}
    assert own == {"image_processing", "ngrams", "get_insights"}
