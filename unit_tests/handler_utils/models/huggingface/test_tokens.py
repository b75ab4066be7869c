"""Texts as a saved model's tokenizer makes them into tokens, and as its network takes them."""

from __future__ import annotations

import pytest
import torch

from ts.handler_utils.models.huggingface.network import load_network
from ts.handler_utils.models.huggingface.tokens import FolderTokenizer
from ts.handler_utils.text.batch import EncodedText, Form, NamedBatch


@pytest.fixture
def tokenizer(saved_model):
    def made(name, max_length=None):
        folder = saved_model(name)
        model = load_network(folder, "text_classifier").model
        return FolderTokenizer(folder, model, max_length)

    return made


def test_a_network_gets_the_inputs_that_its_forward_takes(tokenizer):
    names = {name: tokenizer(name).form.names for name in ("bert", "distilbert", "roberta")}
    assert names["bert"] == ("input_ids", "attention_mask", "token_type_ids")
    assert names["distilbert"] == names["roberta"] == ("input_ids", "attention_mask")


def test_a_pair_has_the_types_of_its_texts_and_is_cut_as_a_whole(tokenizer):
    bert = tokenizer("bert", 8)
    pair = bert.encode("the rain in spain", "sun sun")
    assert pair.words == ["[CLS]", "the", "rain", "in", "[SEP]", "sun", "sun", "[SEP]"]
    assert pair.types == [0] * 5 + [1] * 3
    assert pair.uncut == 9


def test_a_length_without_room_for_a_text_is_refused(tokenizer):
    with pytest.raises(ValueError, match="max_length is 3, and 3 tokens of a pair are special"):
        tokenizer("bert", 3)


TEXTS = [EncodedText([], [5, 6, 7], types=[0, 1, 1]), EncodedText([], [8])]


def test_a_batch_is_filled_up_at_the_end_or_in_front():
    names = ("input_ids", "attention_mask", "token_type_ids")
    at_the_end = NamedBatch.of(TEXTS, Form(names, pad_index=1, pad_type=3))
    assert [item.tolist() for item in at_the_end.inputs] == [
        [[5, 6, 7], [8, 1, 1]],
        [[1, 1, 1], [1, 0, 0]],
        [[0, 1, 1], [0, 3, 3]],
    ]
    in_front = NamedBatch.of(TEXTS, Form(names, pad_index=1, at_the_end=False))
    assert in_front.inputs[0].tolist() == [[5, 6, 7], [1, 1, 8]]
    assert in_front[1:].inputs[0].tolist() == [[8]]
    positional, named = at_the_end.arguments()
    assert torch.equal(positional[0], at_the_end.inputs[0])
    assert list(named) == ["attention_mask", "token_type_ids"]


def test_a_network_without_a_mask_gets_texts_of_one_length():
    texts = [*TEXTS, EncodedText([], [9])]
    assert [rows for rows, _ in NamedBatch.of(texts, Form()).of_one_length()] == [[0, 1, 2]]
    parts = NamedBatch.of(texts, Form(("input_ids",))).of_one_length()
    assert [(rows, part.inputs[0].tolist()) for rows, part in parts] == [
        ([0], [[5, 6, 7]]),
        ([1, 2], [[8], [9]]),
    ]
    alone = NamedBatch.of(texts, Form(alone=True)).of_one_length()
    assert [rows for rows, _ in alone] == [[0], [1], [2]]
