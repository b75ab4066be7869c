"""Vectors are found in what models return."""

from __future__ import annotations

from collections import namedtuple
from types import SimpleNamespace

import pytest
import torch

from ts.handler_utils.embedding.outputs import vectors_of
from ts.handler_utils.errors import ModelFault

VECTORS = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
TOKENS = torch.stack([VECTORS, VECTORS + 2], dim=1)  # [2, 2, 2], whose means are VECTORS + 1
POOLED = VECTORS * 10
Output = namedtuple("Output", "last_hidden_state pooler_output")


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (VECTORS, VECTORS),
        (VECTORS.half(), VECTORS),
        (TOKENS, VECTORS + 1),
        (VECTORS[:, :, None, None] * torch.tensor([1.0, 3.0]), VECTORS * 2),
        (TOKENS[..., None], TOKENS.mean(dim=2)),
        ((VECTORS, TOKENS), VECTORS),
        ([TOKENS, VECTORS], VECTORS + 1),
        ({"last_hidden_state": TOKENS, "pooler_output": POOLED}, VECTORS + 1),
        ({"token_embeddings": TOKENS, "sentence_embedding": POOLED}, POOLED),
        (SimpleNamespace(last_hidden_state=TOKENS, pooler_output=POOLED), VECTORS + 1),
        (SimpleNamespace(image_embeds=POOLED, last_hidden_state=TOKENS), POOLED),
        (Output(TOKENS, POOLED), VECTORS + 1),
        ({"pooler_output": POOLED}, POOLED),
    ],
)
def test_vectors_are_taken_or_pooled(output, expected):
    found = vectors_of(output, 2)
    assert found.dtype == torch.float32
    assert torch.allclose(found, expected, atol=1e-3)


def test_a_model_may_have_a_pooler_of_its_own():
    output = SimpleNamespace(last_hidden_state=TOKENS, pooler_output=POOLED[:, :, None, None])
    assert vectors_of(output, 2, ways=["pooler"]).tolist() == POOLED.tolist()
    with pytest.raises(ModelFault, match="pooler_output"):
        vectors_of({"last_hidden_state": TOKENS}, 2, ways=["pooler"])


def test_texts_are_pooled_by_their_mask():
    mask = torch.tensor([[1, 0], [1, 1]])
    assert vectors_of(TOKENS, 2, mask, ["last"]).tolist() == [[1.0, 2.0], [5.0, 6.0]]


def test_one_vector_answers_a_batch_of_one():
    assert vectors_of(VECTORS[0], 1).tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (VECTORS[0], r"returned \[2\], not \[2, D\]"),
        (VECTORS[:1], r"returned \[1, 2\]"),
        (torch.zeros(2, 0), r"returned \[2, 0\]"),
        ({"logits": VECTORS}, "a dict without .*but logits"),
        ((), "a tuple without"),
        (None, "a NoneType without"),
    ],
)
def test_other_outputs_are_the_models_fault(output, message):
    with pytest.raises(ModelFault, match=message):
        vectors_of(output, 2)
