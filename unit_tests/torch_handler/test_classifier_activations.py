"""Classifiers of several labels and of numbers, of images and of texts, from the archive to the answer."""

from __future__ import annotations

import json
import shutil
from typing import Any, Optional

import pytest
import torch

from ts.handler_utils.images.settings import ImageClassifierSettings
from ts.handler_utils.requests.options import Options
from ts.handler_utils.text.settings import TextClassifierSettings
from ts.runner import load_archive
from ts.torch_handler.image_classifier import ImageClassifier
from ts.torch_handler.text_classifier import TextClassifier

IMAGES = """
import torch

class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weights = torch.nn.Parameter(torch.tensor(WEIGHTS))

    def forward(self, images):
        return images.mean(dim=(1, 2, 3))[:, None] * self.weights + torch.tensor(OUTPUTS)
"""

OUTPUTS = [2.0, -1.0, 0.5]
SIGMOIDS = torch.sigmoid(torch.tensor(OUTPUTS)).tolist()
LABELS = {"0": "cat", "1": "dog", "2": "bird"}
BATCH = torch.zeros(3, 4, 4).tolist()


@pytest.fixture
def ask(tmp_path):
    """Answers a request to a network whose outputs are known: `ask({"topk": 1}, activation="sigmoid")`."""

    def answer(options: Any = None, outputs: Any = OUTPUTS, labels: Any = LABELS, **settings: Any) -> Any:
        folder = tmp_path / "archive"
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "MAR-INF").mkdir(parents=True)
        source = IMAGES.replace("OUTPUTS", repr(outputs)).replace("WEIGHTS", repr([0.0] * len(outputs)))
        (folder / "model.py").write_text(source)
        (folder / "model-config.yaml").write_text(json.dumps({"handler": settings}))
        if labels:
            (folder / "index_to_name.json").write_text(json.dumps(labels))
        model = {
            "modelName": "m",
            "modelVersion": "1.0",
            "handler": "image_classifier",
            "modelFile": "model.py",
        }
        manifest = {"model": {**model, "configFile": "model-config.yaml"}, "archiverVersion": "0.12.0"}
        (folder / "MAR-INF" / "MANIFEST.json").write_text(json.dumps(manifest))
        with load_archive(folder) as loaded:
            (found,) = loaded.predict([BATCH], options=options or {})
        return found.response if found.status == 200 else (found.status, found.response)

    return answer


def test_labels_of_an_image_are_named_by_their_own_probabilities_best_first(ask):
    answer = ask(activation="sigmoid")
    assert list(answer) == ["cat", "bird", "dog"]
    assert answer == pytest.approx(dict(zip(LABELS.values(), SIGMOIDS)), abs=1e-6)
    assert list(ask({"topk": 2}, activation="sigmoid")) == ["cat", "bird"]


def test_a_threshold_names_all_labels_that_reach_it_and_none_where_none_does(ask):
    assert list(ask({"threshold": 0.5}, activation="sigmoid")) == ["cat", "bird"]
    assert list(ask({"threshold": 0.5, "topk": 1}, activation="sigmoid")) == ["cat"]
    assert ask({"threshold": 0.95}, activation="sigmoid") == {}
    assert list(ask(activation="sigmoid", threshold=0.9)) == []
    assert list(ask({"threshold": 0.1}, activation="sigmoid", threshold=0.9)) == ["cat", "bird", "dog"]


def test_a_threshold_drops_what_is_unlikely_by_the_softmax_too(ask):
    assert list(ask({"threshold": 0.1})) == ["cat", "bird"]


def test_a_threshold_is_from_0_to_1(ask):
    status, body = ask({"threshold": 1.5})
    assert status == 400
    assert "threshold: Input should be less than or equal to 1" in body["message"]


def test_a_probability_equal_to_the_threshold_is_named(ask):
    assert list(ask({"threshold": 0.7}, outputs=[0.7, 0.2, 0.1])) == ["cat"]


def test_numbers_are_answered_as_they_are_in_the_order_of_their_labels(ask):
    answer = ask(activation="none")
    assert answer == dict(zip(LABELS.values(), OUTPUTS))
    assert list(answer) == ["cat", "dog", "bird"]
    assert list(ask({"topk": 2}, activation="none")) == ["cat", "bird"]


def test_a_single_number_has_the_label_of_class_0_or_its_index(ask):
    assert ask(activation="none", outputs=[-3.25], labels={"0": "age"}) == {"age": -3.25}
    assert ask(activation="none", outputs=[-3.25], labels=None) == {"0": -3.25}


def test_a_wrong_activation_stops_the_load(ask):
    with pytest.raises(
        Exception, match=r"handler\.activation: Input should be 'softmax', 'sigmoid' or 'none'"
    ):
        ask(activation="relu")


def test_the_description_has_the_activation(tmp_path, ask):
    ask(activation="sigmoid", threshold=0.25)
    with load_archive(tmp_path / "archive") as loaded:
        description = loaded.handler.describe_handle()
    assert description["settings"]["activation"] == "sigmoid"
    assert description["settings"]["threshold"] == 0.25


# Explanations ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", [None, "sigmoid", "none"])
@pytest.mark.parametrize("target", [None, 0, 1])
def test_of_a_single_output_that_is_what_is_explained(activation, target, make_context):
    pytest.importorskip("captum")
    handler = ImageClassifier()
    handler.settings = ImageClassifierSettings(activation=activation)
    handler.device, handler.initialized = torch.device("cpu"), True
    handler.model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 1)).eval()
    context = make_context(headers={0: {"explain": "True"}})
    image = torch.rand(3, 2, 2)
    row: dict[str, Any] = (
        {"data": image.tolist()} if target is None else {"data": image.tolist(), "target": target}
    )
    (found,) = handler.handle([row], context)
    assert not context.statuses
    expected = handler.model[1].weight.detach().reshape(3, 2, 2) * image  # of a linear model
    torch.testing.assert_close(torch.tensor(found), expected, atol=1e-5, rtol=0)


# Texts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"activation": "sigmoid"}, [("0", 0.8808), ("1", 0.2689), ("2", 0.6225)]),
        ({"activation": "sigmoid", "threshold": 0.5}, [("0", 0.8808), ("2", 0.6225)]),
        ({"activation": "sigmoid", "topk": 1}, [("0", 0.8808)]),
        ({"activation": "sigmoid", "threshold": 0.9}, []),
        ({"activation": "none"}, [("0", 2.0), ("1", -1.0), ("2", 0.5)]),
        ({}, [("0", 0.7856), ("1", 0.0391), ("2", 0.1753)]),
        ({"threshold": 0.1}, [("0", 0.7856), ("2", 0.1753)]),
    ],
)
def test_texts_are_answered_alike_and_in_the_order_of_labels_without_topk_and_threshold(settings, expected):
    handler = TextClassifier()
    handler.settings = TextClassifierSettings(**settings)
    (answer,) = handler.postprocess(torch.tensor([OUTPUTS]))
    assert list(answer) == [label for label, _ in expected]
    assert answer == pytest.approx(dict(expected), abs=1e-4)


def test_a_text_may_get_a_single_number(make_context):
    handler = TextClassifier()
    handler.settings = TextClassifierSettings(activation="none")
    for outputs in (torch.tensor([3.5]), torch.tensor([[3.5]])):
        assert handler.postprocess(outputs) == [{"0": 3.5}]


# Handlers of one's own ---------------------------------------------------------------------------------------


class OwnOptions(Options):
    topk: Optional[int] = None


@pytest.mark.parametrize("kind", [ImageClassifier, TextClassifier])
def test_options_of_ones_own_need_not_have_a_threshold(kind):
    class Own(kind):
        options_class = OwnOptions

    (answer,) = Own().postprocess(torch.tensor([OUTPUTS]))
    assert sorted(answer) == ["0", "1", "2"]
