"""The text classifier on a transformer: an archive with a tokenizer.json, and a model of padded sequences."""

from __future__ import annotations

import builtins
import json
import sys

import pytest
import torch

from ts.torch_handler.text_classifier import TextClassifier

NETWORK = """
from types import SimpleNamespace

import torch
from torch import nn

class Network(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.words = nn.Embedding(12, 8)
        self.positions = nn.Parameter(torch.randn(64, 8))
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.fc = nn.Linear(8, 2)

    def forward(self, input_ids, attention_mask):
        self.shape = list(input_ids.shape)
        hidden = self.words(input_ids) + self.positions[: input_ids.shape[1]]
        hidden = self.layer(hidden, src_key_padding_mask=attention_mask == 0)
        logits = self.fc(hidden[:, 0])
        return {output}
"""
SUBWORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "film", "##s", "a", "very"]


@pytest.fixture
def write_tokenizer(tmp_path):
    """Writes a WordPiece tokenizer.json as BERT's: `write_tokenizer(max_length=4)`."""
    tokenizers = pytest.importorskip(
        "tokenizers", reason="pip install tokenizers: transformers' texts need it"
    )

    def write(max_length=None):
        vocabulary = {token: index for index, token in enumerate(SUBWORDS)}
        model = tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]")
        tokenizer = tokenizers.Tokenizer(model)
        tokenizer.normalizer = tokenizers.normalizers.BertNormalizer()
        tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
        tokenizer.post_processor = tokenizers.processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
        tokenizer.enable_padding(length=20)  # as some files have it: not for batches here
        if max_length:
            tokenizer.enable_truncation(max_length)
        tokenizer.save(str(tmp_path / "tokenizer.json"))

    return write


@pytest.fixture
def load(tmp_path, make_context, monkeypatch, write_tokenizer):
    monkeypatch.setattr(sys, "path", list(sys.path))

    def start(output="logits", config=None, max_length=None):
        write_tokenizer(max_length)
        sys.modules.pop("network", None)
        (tmp_path / "network.py").write_text(NETWORK.replace("{output}", output))
        (tmp_path / "index_to_name.json").write_text(json.dumps({"0": "praise", "1": "blame"}))
        handler = TextClassifier()
        handler.initialize(make_context(config=config, modelFile="network.py"))
        return handler

    yield start
    sys.modules.pop("network", None)


def rows(*texts):
    return [{"data": text.encode()} for text in texts]


def test_texts_are_padded_to_the_longest_and_answered_together(load, make_context):
    handler = load()
    texts = ["good", "very very bad films", "a film"]
    ids, mask = handler.preprocess(rows(*texts)).inputs
    assert ids.tolist() == [[2, 4, 3, 0, 0, 0, 0], [2, 9, 9, 5, 6, 7, 3], [2, 8, 6, 3, 0, 0, 0]]
    assert mask.tolist() == [[1, 1, 1, 0, 0, 0, 0], [1] * 7, [1, 1, 1, 1, 0, 0, 0]]
    answers = handler.handle(rows(*texts), make_context())
    assert handler.model.shape == [3, 7]
    for answer, text in zip(answers, texts):
        (alone,) = handler.handle(rows(text), make_context())
        assert answer == pytest.approx(alone, abs=1e-5)
        assert list(answer) == ["praise", "blame"]


@pytest.mark.parametrize("output", ['{"logits": logits}', "SimpleNamespace(logits=logits)", "(logits,)"])
def test_logits_come_as_a_tensor_or_in_an_output(output, load, make_context):
    expected = load().handle(rows("good film"), make_context())
    assert load(output).handle(rows("good film"), make_context()) == expected


def test_an_output_without_logits_is_no_answer(load, make_context):
    context = make_context()
    load("None").handle(rows("good film"), context)
    assert context.statuses == {0: 503}


def test_long_texts_are_cut_as_the_file_or_the_setting_says(load):
    text = "very very very very bad film"
    assert load(max_length=5).preprocess(rows(text)).inputs[0].tolist() == [[2, 9, 9, 9, 3]]
    handler = load(max_length=5, config={"handler": {"max_length": 4}})
    assert handler.preprocess(rows(text)).inputs[0].tolist() == [[2, 9, 9, 3]]
    assert load().preprocess(rows(text)).inputs[0].shape == (1, 8)


def test_a_text_that_is_none_fails_alone(load, make_context):
    context = make_context()
    answers = load().handle([*rows("good", " "), {"data": b"\xff"}], context)
    assert context.statuses == {1: 400, 2: 400}
    assert list(answers[0]) == ["praise", "blame"]


def test_an_explanation_has_one_importance_a_subword(load, make_context):
    pytest.importorskip("captum", reason="explanations need captum")
    handler = load()
    context = make_context(headers={0: {"explain": "True"}, 1: {"explain": "True"}})
    requests = [{"data": "very good films", "target": b"1"}, *rows("bad")]
    first, second = handler.handle(requests, context)
    assert context.statuses == {}
    assert first["words"] == ["[CLS]", "very", "good", "film", "##s", "[SEP]"]
    assert first["target"] == "blame"
    assert second["words"] == ["[CLS]", "bad", "[SEP]"]
    batch = handler.preprocess(rows("very good films"))
    logit = handler.inference(batch)[0, 1].item()
    weight, handler.model.words.weight = handler.model.words.weight, torch.nn.Parameter(torch.zeros(12, 8))
    nothing = handler.inference(batch)[0, 1].item()
    handler.model.words.weight = weight
    assert sum(first["importances"]) == pytest.approx(logit - nothing, abs=1e-2)


def test_a_model_with_several_embeddings_says_why_it_cannot_be_explained(load, make_context):
    pytest.importorskip("captum", reason="explanations need captum")
    handler = load()
    handler.model.kinds = torch.nn.Embedding(2, 8)
    context = make_context(headers={0: {"explain": "True"}})
    (answer,) = handler.handle(rows("good"), context)
    assert context.statuses == {0: 400}
    assert "one named `embedding`" in answer["message"]
    handler.model.get_input_embeddings = lambda: handler.model.words
    (answer,) = handler.handle(rows("good"), make_context(headers={0: {"explain": "True"}}))
    assert answer["words"] == ["[CLS]", "good", "[SEP]"]


def test_a_broken_tokenizer_stops_the_load(load, tmp_path, make_context):
    handler = load()
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ValueError, match=r"tokenizer\.json is not a tokenizer"):
        handler.initialize(make_context(modelFile="network.py"))


def test_without_the_library_the_load_says_how_to_get_it(tmp_path, make_context, monkeypatch):
    (tmp_path / "network.py").write_text(NETWORK.replace("{output}", "logits"))
    (tmp_path / "tokenizer.json").write_text("{}")
    real_import = builtins.__import__

    def no_tokenizers(name, *arguments, **keywords):
        if name == "tokenizers":
            raise ImportError(name)
        return real_import(name, *arguments, **keywords)

    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "network", raising=False)
    monkeypatch.setattr(builtins, "__import__", no_tokenizers)
    with pytest.raises(ImportError, match=r"pip install 'torchserve-handlers\[tokenizers\]'"):
        TextClassifier().initialize(make_context(modelFile="network.py"))
    sys.modules.pop("network", None)
