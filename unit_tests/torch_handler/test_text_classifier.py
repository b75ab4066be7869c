"""The text classifier on bags of words, beside torchserve's own."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings

import pytest
import torch

from ts.handler_utils.models import cpu_threads
from ts.torch_handler.text_classifier import TextClassifier

NETWORK = """
import torch
from torch import nn

class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.EmbeddingBag(50, 8, mode="{mode}", sparse={sparse})
        self.fc = nn.Linear(8, 3)
        self.calls = []

    def forward(self, text, offsets):
        self.calls.append((text, offsets))
        return self.fc(torch.tanh(self.embedding(text, offsets)))
"""
WORDS = "<unk> the rain in spain stays mainly plain do not panic don't rain_in".split()  # noqa: SIM905
INDEXES = {**{word: index for index, word in enumerate(WORDS)}, "the rain": 20, "do not": 21, "rain in": 22}
LABELS = {"0": "weather", "1": "travel", "2": "grammar"}
TEXTS = [
    "The rain in Spain",
    "Don't <b>panic</b>, the rain stays",
    "snow &amp; hail",  # out of vocabulary
    "caf\u00e9 rain rain rain",
    "in",
]

# A dictionary knows no default, as torchtext's vocabulary does.
ANY_WORD = """
class AnyWord(dict):
    def __missing__(self, token):
        return 0

handler.source_vocab = AnyWord(handler.source_vocab)
"""

EAGER = {"modelFile": "network.py", "serializedFile": "network.pt"}


def write_archive(folder, mode="mean", sparse=True):
    (folder / "network.py").write_text(NETWORK.format(mode=mode, sparse=sparse))
    generator = torch.Generator().manual_seed(0)
    shapes = {"embedding.weight": (50, 8), "fc.weight": (3, 8), "fc.bias": (3,)}
    state = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    torch.save(state, folder / "network.pt")
    torch.save(INDEXES, folder / "source_vocab.pt")
    (folder / "index_to_name.json").write_text(json.dumps(LABELS))
    return folder


@pytest.fixture
def load(tmp_path, make_context, monkeypatch):
    """Loads an archive: `load(mode="sum", config={...})`."""
    monkeypatch.setattr(sys, "path", list(sys.path))

    def start(handler_class=TextClassifier, config=None, **network):
        sys.modules.pop("network", None)
        handler = handler_class()
        handler.initialize(make_context(write_archive(tmp_path, **network), config=config, **EAGER))
        handler.model.calls.clear()
        return handler

    yield start
    sys.modules.pop("network", None)


@pytest.fixture
def classifier(load):
    return load()


def rows(*texts):
    return [{"data": text.encode()} for text in texts]


def test_texts_get_the_answers_of_torchserves_own_handler(classifier, ask_torchserve, tmp_path, make_context):
    answers = classifier.handle(rows(*TEXTS), make_context())
    alone = [[row] for row in rows(*TEXTS)]  # it classifies only the first of a batch
    theirs = ask_torchserve("text_classifier", tmp_path, EAGER, alone, prepare=ANY_WORD)
    expected = [answer for (answer,) in theirs]
    assert [list(answer) for answer in answers] == [list(answer) for answer in expected]
    for answer, its in zip(answers, expected):
        assert answer == pytest.approx(its, abs=1e-4)


def test_texts_after_the_first_are_answered_in_one_forward_pass(classifier, make_context):
    answers = classifier.handle(rows(*TEXTS), make_context())
    ((tokens, offsets),) = classifier.model.calls
    assert offsets.tolist() == [0, 7, 18, 21, 28]
    assert tokens[:7].tolist() == [1, 2, 3, 4, 20, 22, 0]
    assert (tokens.dtype, offsets.dtype) == (torch.int64, torch.int64)
    for answer, text in zip(answers, TEXTS):
        (alone,) = classifier.handle(rows(text), make_context())
        assert answer == pytest.approx(alone, abs=1e-6)


@pytest.mark.parametrize(("script", "threads"), [(cpu_threads.WORKER, 1), ("torch-model-runner", 6)])
def test_in_a_worker_of_torchserve_a_bag_is_computed_by_one_thread(script, threads, load, monkeypatch):
    before = torch.get_num_threads()
    monkeypatch.setattr(cpu_threads, "_unchosen", {6})
    monkeypatch.setattr(sys, "argv", [script])
    for name in cpu_threads.CHOSEN_BY:
        monkeypatch.delenv(name, raising=False)
    try:
        torch.set_num_threads(6)
        load()
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_an_answer_holds_every_class_in_their_own_order(classifier, make_context):
    (answer,) = classifier.handle(rows(TEXTS[0]), make_context())
    assert list(answer) == ["weather", "travel", "grammar"]
    assert sum(answer.values()) == pytest.approx(1, abs=1e-6)


def test_topk_names_the_best_classes_best_first(classifier, load, make_context):
    (every,) = classifier.handle(rows(TEXTS[0]), make_context())
    best = sorted(every, key=every.get, reverse=True)
    requests = [
        {**rows(TEXTS[0])[0], "topk": b"2"},
        *rows(TEXTS[0]),
        {"body": {"data": TEXTS[0], "topk": 99}},
    ]
    two, all_of_them, ninety_nine = classifier.handle(requests, make_context())
    assert list(two) == best[:2]
    assert list(all_of_them) == list(LABELS.values())
    assert list(ninety_nine) == best
    (one,) = load(config={"handler": {"topk": 1}}).handle(rows(TEXTS[0]), make_context())
    assert list(one) == best[:1]


def test_a_wrong_topk_is_a_400_of_its_own(classifier, make_context):
    context = make_context()
    answers = classifier.handle([{**rows(TEXTS[0])[0], "topk": b"none"}, *rows(TEXTS[1])], context)
    assert context.statuses == {0: 400}
    assert "topk" in answers[0]["message"]
    assert list(answers[1]) == list(LABELS.values())


@pytest.mark.parametrize(
    "row",
    [
        {"data": "The rain"},
        {"body": "The rain"},
        {"body": b"The rain"},
        {"data": bytearray(b"The rain")},
        {"body": {"data": "The rain"}},
        {"data": {"body": "The rain"}},
    ],
)
def test_a_text_comes_as_str_bytes_or_json(row, classifier):
    batch = classifier.preprocess([row])
    assert batch.inputs[0].tolist() == [1, 2, 20]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"data": b""}, "The text is empty"),
        ({"body": ""}, "The text is empty"),
        ({"data": b" \n\t "}, "The text is empty"),
        ({"data": b"?! <br> ..."}, "The text has no words"),
        ({"data": "\u65e5\u672c"}, "The text has no words"),
        ({"data": b"\xff\xfe\x00"}, "The text is not UTF-8"),
        ({"body": ["a", "b"]}, "one text, not a value of type list"),
        ({"body": 5}, "one text, not a value of type int"),
        ({}, 'neither "data" nor "body"'),
        ({"text": b"The rain"}, 'neither "data" nor "body"'),
    ],
)
def test_a_row_without_a_text_fails_alone(row, problem, classifier, make_context):
    context = make_context()
    alone = classifier.handle(rows(*TEXTS[:2]), make_context())
    first, failed, second = classifier.handle([*rows(TEXTS[0]), row, *rows(TEXTS[1])], context)
    assert context.statuses == {1: 400}
    assert failed["code"] == 400
    assert failed["type"] == "BadRequestException"
    assert problem in failed["message"]
    assert [first, second] == alone


def test_words_out_of_vocabulary_have_the_index_of_unk(classifier):
    assert classifier.preprocess(rows("snow rain")).inputs[0].tolist() == [0, 2, 0]


def test_words_out_of_a_vocabulary_without_unk_are_left_out(classifier, make_context):
    classifier.source_vocab = {"rain": 2}
    assert classifier.preprocess(rows("snow rain")).inputs[0].tolist() == [2]
    context = make_context()
    failed, _ = classifier.handle(rows("snow", "rain"), context)
    assert context.statuses == {0: 400}
    assert failed["message"] == "The text has no word that the model's vocabulary has"


def test_ngrams_are_an_attribute_and_a_setting(load):
    class Unigrams(TextClassifier):
        ngrams = 1

    assert TextClassifier.ngrams == 2
    assert load(Unigrams).preprocess(rows("the rain")).inputs[0].tolist() == [1, 2]
    assert load(config={"handler": {"ngrams": 1}}).tokens("The rain!") == ["the", "rain"]
    assert load(config={"handler": {"ngrams": 3}}).tokens("a b c")[-1] == "a b c"


def test_a_wrong_setting_stops_the_load(load):
    with pytest.raises(ValueError, match=r"handler\.ngrams: .* but it is 0"):
        load(config={"handler": {"ngrams": 0}})


def test_torchscript_gets_its_batches_too(classifier, load, tmp_path, make_context):
    class Scripted(torch.nn.Module):
        def __init__(self, network):
            super().__init__()
            self.embedding, self.fc = network.embedding, network.fc

        def forward(self, text, offsets):
            return self.fc(torch.tanh(self.embedding(text, offsets)))

    expected = classifier.handle(rows(*TEXTS), make_context())
    example = (torch.tensor([1, 2, 3]), torch.tensor([0, 1]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(Scripted(classifier.model), example).save(str(tmp_path / "traced.pt"))
    handler = TextClassifier()
    handler.initialize(make_context(serializedFile="traced.pt"))
    for answer, its in zip(handler.handle(rows(*TEXTS), make_context()), expected):
        assert answer == pytest.approx(its, abs=1e-6)
    context = make_context(headers={0: {"explain": "True"}})
    (refused,) = handler.handle(rows(TEXTS[0]), context)
    assert context.statuses == {0: 400}
    assert "TorchScript" in refused["message"]


def test_a_subclass_may_return_torchserves_pair_from_preprocess(load, make_context):
    class Pair(TextClassifier):
        def preprocess(self, data):
            words = data[0]["data"].decode().split()
            return torch.tensor([self.source_vocab[word] for word in words]), words

    handler = load(Pair)
    answers = handler.handle(rows("rain", "the rain"), make_context())
    expected = [handler.handle(rows(text), make_context())[0] for text in ("rain", "the rain")]
    assert answers == expected
    assert answers[0] != answers[1]


def test_a_subclass_may_take_the_batch_for_torchserves_pair(load, make_context):
    class TakesPair(TextClassifier):
        def inference(self, data, *args, **kwargs):
            indexes, words = data
            assert words[0] == "the"
            with torch.no_grad():
                return self.model(indexes, torch.tensor([0]))

    handler = load(TakesPair)
    texts = ["the rain", "the plain", "the rain in Spain"]
    expected = load().handle(rows(*texts), make_context())
    for answer, its in zip(handler.handle(rows(*texts), make_context()), expected):
        assert answer == pytest.approx(its, abs=1e-6)


def test_importing_the_handler_imports_no_captum():
    code = "import sys, ts.torch_handler.text_classifier as _; sys.exit('captum' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# Explanations ------------------------------------------------------------------------------------------------


@pytest.fixture
def explain(make_context):
    pytest.importorskip("captum", reason="explanations need captum")

    def run(handler, requests):
        context = make_context(headers={index: {"explain": "True"} for index in range(len(requests))})
        return handler.handle(requests, context), context.statuses

    return run


@pytest.mark.parametrize("mode", ["mean", "sum", "max"])
def test_an_explanation_has_one_importance_a_word_and_they_add_up_to_the_logit(mode, load, explain):
    handler = load(mode=mode, sparse=False)
    text = "The rain in Spain, in snow"
    ((answer,), statuses) = explain(handler, [{"data": text, "target": 2}])
    assert statuses == {}
    assert answer["words"] == ["the", "rain", "in", "spain", "in", "snow"]
    assert len(answer["importances"]) == 6
    assert answer["target"] == "grammar"
    logit = handler.inference(handler.preprocess([{"data": text}]))[0, 2].item()
    nothing = handler.model.fc.bias[2].item()  # the network's logit for embeddings of zeros
    assert sum(answer["importances"]) == pytest.approx(logit - nothing, abs=1e-3)


def test_ngrams_count_for_their_words_in_equal_parts(load, explain):
    class Linear(torch.nn.Module):
        def __init__(self, embedding):
            super().__init__()
            self.embedding = embedding

        def forward(self, text, offsets):
            return self.embedding(text, offsets)

    handler = load(mode="sum", sparse=False)
    handler.model = Linear(handler.model.embedding)
    ((answer,), _) = explain(handler, [{"data": "the rain", "target": 5}])
    the, rain, the_rain = handler.model.embedding.weight[[1, 2, 20], 5].tolist()
    assert answer["importances"] == pytest.approx([the + the_rain / 2, rain + the_rain / 2], abs=1e-4)


def test_each_explanation_is_of_the_requests_own_class(classifier, explain, make_context):
    texts = ["The rain in Spain", "mainly plain", "do not panic", "stays"]
    answers, statuses = explain(classifier, rows(*texts))
    predictions = classifier.handle(rows(*texts), make_context())
    assert statuses == {}
    assert [answer["target"] for answer in answers] == [max(its, key=its.get) for its in predictions]
    assert len({answer["target"] for answer in answers}) > 1
    named, _ = explain(classifier, [{"data": texts[0], "target": b"1"}, *rows(texts[0])])
    assert named[0]["target"] == "travel"
    assert named[1] == answers[0]


def test_a_class_that_the_model_lacks_is_a_400(classifier, explain):
    answers, statuses = explain(classifier, [{"data": "rain", "target": 3}, *rows("rain")])
    assert statuses == {0: 400}
    assert "target must be from 0 to 2, but it is 3" in answers[0]["message"]
    assert answers[1]["words"] == ["rain"]


def test_predictions_and_explanations_share_a_batch(classifier, make_context):
    pytest.importorskip("captum", reason="explanations need captum")
    context = make_context(headers={1: {"explain": "True"}})
    prediction, explanation = classifier.handle(rows(TEXTS[0], TEXTS[0]), context)
    assert list(prediction) == list(LABELS.values())
    assert explanation["words"] == ["the", "rain", "in", "spain"]


def test_get_insights_called_by_hand_explains_class_0_as_torchserves_does(classifier):
    pytest.importorskip("captum", reason="explanations need captum")
    batch = classifier.preprocess(rows(*TEXTS[:2]))
    assert [insight["target"] for insight in classifier.get_insights(batch, None)] == ["weather", "weather"]


def test_explaining_leaves_the_model_as_it_was(classifier, explain, make_context):
    before = classifier.handle(rows(*TEXTS), make_context())
    explain(classifier, rows(*TEXTS))
    assert classifier.handle(rows(*TEXTS), make_context()) == before


def test_lig_is_captums_for_subclasses(classifier):
    attr = pytest.importorskip("captum.attr", reason="explanations need captum")
    assert isinstance(classifier.lig, attr.LayerIntegratedGradients)
    assert classifier.lig.layer is classifier.model.embedding
