"""The embedder on texts: an archive with a tokenizer.json or a vocabulary, and a model of any format."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from onnx_writer import write_onnx
from torch import nn

from ts.torch_handler.embedder import Embedder

NETWORK = """
import torch

class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.words = torch.nn.Embedding(12, 8)

    def forward(self, input_ids, attention_mask):
        return {output}
"""
BAG = """
import torch

class Bag(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.EmbeddingBag(4, 2)
        self.embedding.weight.data = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0], [9.0, 9.0]])

    def forward(self, indexes, offsets):
        return self.embedding(indexes, offsets)
"""
SUBWORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "film", "##s", "a", "very"]
TEXTS = ["good", "very very bad films", "a film"]


@pytest.fixture
def load(tmp_path, make_context, monkeypatch):
    """A handler on the files of a folder, and its context: `load(modelFile="network.py", settings={})`."""
    monkeypatch.setattr(sys, "path", list(sys.path))

    def start(settings=None, **model):
        context = make_context(tmp_path, config={"handler": settings or {}}, **model)
        handler = Embedder()
        handler.initialize(context)
        return handler, context

    yield start
    sys.modules.pop("network", None)


@pytest.fixture
def tokenizer(tmp_path):
    """A tokenizer.json as BERT's."""
    tokenizers = pytest.importorskip(
        "tokenizers", reason="pip install tokenizers: transformers' texts need it"
    )
    vocabulary = {token: index for index, token in enumerate(SUBWORDS)}
    made = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
    made.normalizer = tokenizers.normalizers.BertNormalizer()
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    made.save(str(tmp_path / "tokenizer.json"))
    return made


def vectors_of_words():
    torch.manual_seed(0)
    return nn.Embedding(12, 8).weight.detach()


@pytest.mark.parametrize("output", ["self.words(input_ids)", "{'last_hidden_state': self.words(input_ids)}"])
@pytest.mark.parametrize(
    ("pooling", "pool"), [(None, np.mean), ("max", np.max), ("last", lambda tokens, **_: tokens[-1])]
)
def test_tokens_are_pooled(output, pooling, pool, tokenizer, load, tmp_path):
    (tmp_path / "network.py").write_text(NETWORK.replace("{output}", output))
    handler, context = load(
        {"normalize": False, **({"pooling": pooling} if pooling else {})}, modelFile="network.py"
    )
    answers = handler.handle([{"data": text} for text in TEXTS], context)
    for text, answer in zip(TEXTS, answers):
        expected = pool(vectors_of_words()[tokenizer.encode(text).ids].numpy(), axis=0)
        assert answer == pytest.approx(expected.tolist(), abs=1e-6)


def test_a_recipe_beside_the_tokenizer_counts(tokenizer, load, tmp_path):
    (tmp_path / "network.py").write_text(NETWORK.replace("{output}", "self.words(input_ids)"))
    (tmp_path / "modules.json").write_text(
        '[{"type": "sentence_transformers.models.Transformer"},'
        ' {"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"}]'
    )
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "1_Pooling" / "config.json").write_text('{"pooling_mode": "cls"}')
    handler, context = load(modelFile="network.py")
    answers = handler.handle([{"data": text} for text in TEXTS], context)
    assert np.array(answers) == pytest.approx(np.stack([vectors_of_words()[2].numpy()] * 3))


def test_an_onnx_model_gets_its_inputs_by_their_names(tokenizer, load, tmp_path):
    pytest.importorskip("onnxruntime", reason="pip install onnxruntime: it runs ONNX models")
    numbers = ("int64", ["N", "L"])
    write_onnx(
        tmp_path / "model.onnx",
        [("Add", ["input_ids", "token_type_ids"], "sum"), ("Mul", ["sum", "attention_mask"], "vectors")],
        {"attention_mask": numbers, "token_type_ids": numbers, "input_ids": numbers},
        {"vectors": numbers},
    )
    handler, context = load({"normalize": False}, serializedFile="model.onnx")
    answers = handler.handle([{"data": "good"}, {"data": "a film"}], context)
    assert answers == [[2, 4, 3, 0], [2, 8, 6, 3]]


def test_a_bag_of_embeddings(load, tmp_path):
    torch.save({"<unk>": 0, "rain": 1, "sun": 2, "rain sun": 3}, tmp_path / "source_vocab.pt")
    (tmp_path / "network.py").write_text(BAG)
    handler, context = load({"ngrams": 1, "warmup": {"batch_sizes": [2]}}, modelFile="network.py")
    answers = handler.handle([{"data": "The rain."}, {"body": b"Rain, sun"}, {"data": "..."}], context)
    assert context.statuses == {2: 400}
    assert answers[0] == [1.0, 0.0]
    assert answers[1] == pytest.approx([0.6, 0.8])


def test_a_description_tells_of_texts(load, tmp_path):
    torch.save({"rain": 1, "sun": 2}, tmp_path / "source_vocab.pt")
    (tmp_path / "network.py").write_text(BAG)
    handler, context = load(modelFile="network.py")
    context.headers = {0: {"describe": "True"}}
    (description,) = handler.handle([{}], context)
    assert (description["payloads"], description["dimension"]) == (["a text: str, or bytes in UTF-8"], 2)
