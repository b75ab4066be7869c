"""What each token of a text contributes, held against integrated gradients of its embeddings."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from ts.handler_utils.errors import InvalidInput, ModelFault
from ts.handler_utils.explaining.texts import attribute_tokens
from ts.handler_utils.text.batch import BagBatch, EncodedText, PaddedBatch

captum_attr = pytest.importorskip("captum.attr", reason="explanations need captum")


class Bag(nn.Module):
    """Logits of a bag; `rows` is how many rows of pooled embeddings each forward pass had."""

    def __init__(self, mode: str = "mean", weights: bool = False, **options: Any) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embedding = nn.EmbeddingBag(50, 8, mode=mode, **options)
        self.hidden, self.fc = nn.Linear(8, 8), nn.Linear(8, 3)
        self.weights = torch.linspace(0.1, 2, 50) if weights else None
        self.rows: list[torch.Size] = []

    def forward(self, text: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        weights = None if self.weights is None else self.weights[text]
        pooled = self.embedding(text, offsets, weights)
        self.rows.append(pooled.shape)
        return self.after(pooled)

    def after(self, pooled: torch.Tensor) -> torch.Tensor:
        return self.fc(torch.tanh(self.hidden(pooled)))


class Sequence(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.words, self.fc = nn.Embedding(50, 8), nn.Linear(8, 3)
        self.shapes: list[tuple[int, ...]] = []

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        vectors = self.words(input_ids)
        self.shapes.append(tuple(vectors.shape))
        return self.fc(torch.tanh(vectors * attention_mask[..., None]).mean(dim=1))


def bag(indexes: list[int]) -> BagBatch:
    return BagBatch.of([EncodedText([], indexes)])


TOKENS = [3, 7, 7, 0, 49, 3, 12]


def by_embeddings(model: Bag, tokens: list[int], target: int) -> list[float]:
    """Integrated gradients over [1, T, D], with the pooling written out."""
    layer = model.embedding
    indexes = torch.tensor(tokens)
    counted = indexes != (-1 if layer.padding_idx is None else layer.padding_idx)
    weights = torch.ones(len(tokens)) if model.weights is None else model.weights[indexes]

    def logits(vectors: torch.Tensor) -> torch.Tensor:
        kept = (vectors * weights[:, None])[:, counted]
        pools = {
            "mean": lambda: kept.mean(dim=1),
            "sum": lambda: kept.sum(dim=1),
            "max": lambda: kept.amax(1),
        }
        return model.after(pools[layer.mode]())

    vectors = layer.weight.detach()[indexes][None]
    found = captum_attr.IntegratedGradients(logits).attribute(vectors, target=target)
    return found.sum(dim=-1).flatten().tolist()


@pytest.mark.parametrize(
    "options",
    [
        {"mode": "mean"},
        {"mode": "sum"},
        {"mode": "max"},
        {"mode": "mean", "sparse": True},
        {"mode": "mean", "padding_idx": 7},
        {"mode": "sum", "padding_idx": 3},
        {"mode": "max", "padding_idx": 49},
        {"mode": "sum", "weights": True},
    ],
    ids=str,
)
def test_a_bags_path_over_its_pooled_embedding_gives_what_that_over_all_its_tokens_does(options: Any) -> None:
    model = Bag(**options)
    attributions, target = attribute_tokens(model, bag(TOKENS), 1)
    assert target == 1
    assert attributions == pytest.approx(by_embeddings(model, TOKENS, 1), abs=1e-5)
    with torch.no_grad():
        logit = model(*bag(TOKENS).inputs)[0, 1] - model.after(torch.zeros(1, 8))[0, 1]
    assert sum(attributions) == pytest.approx(logit.item(), abs=1e-3)


def test_a_bag_of_nothing_but_padding_has_no_attributions() -> None:
    assert attribute_tokens(Bag(padding_idx=7), bag([7, 7]), 1)[0] == [0, 0]


@pytest.mark.parametrize("mode", ["mean", "sum", "max"])
def test_no_pass_of_a_bag_has_more_than_ten_rows_however_long_the_text(mode: str) -> None:
    model = Bag(mode)
    attributions, _ = attribute_tokens(model, bag(TOKENS * 10_000), 1)
    assert len(attributions) == 70_000
    assert attributions[:7] * 10_000 == attributions
    assert [tuple(shape) for shape in model.rows] == [(1, 8), *[(10, 8)] * 5]


@pytest.mark.parametrize(
    ("length", "points", "at_once"), [(7, 50, 10), (128, 50, 8), (512, 25, 2), (2000, 20, 1)]
)
def test_a_long_sequence_has_fewer_points_and_fewer_at_once(length: int, points: int, at_once: int) -> None:
    model = Sequence()
    text = PaddedBatch.of([EncodedText([], [index % 50 for index in range(length)])])
    attributions, _ = attribute_tokens(model, text, 2)
    rows = [shape[0] for shape in model.shapes]
    assert (rows[0], sum(rows[1:]), max(rows)) == (1, points, at_once)
    with torch.no_grad():
        logit = model(*text.inputs)[0, 2].item() - model.fc.bias[2].item()
    assert sum(attributions) == pytest.approx(logit, abs=1e-3)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_and_infinity_are_the_models_fault_and_no_class(value: float) -> None:
    model = Bag()
    with torch.no_grad():
        model.fc.bias[0] = value
    for target in (None, 0, 1):
        with pytest.raises(ModelFault, match="the model returned logits that are not finite"):
            attribute_tokens(model, bag(TOKENS), target)


def test_gradients_that_are_not_finite_are_no_explanation() -> None:
    model = Bag()
    with torch.no_grad():
        model.fc.bias[0] = -float("inf")  # a class that is never meant
    assert attribute_tokens(model, bag(TOKENS))[1] in (1, 2)
    model.after = lambda pooled: torch.sqrt(pooled[:, :3] * 0)  # whose gradient at 0 is infinite
    with pytest.raises(ModelFault, match="the model returned gradients that are not finite"):
        attribute_tokens(model, bag(TOKENS), 1)


def test_a_model_that_embeds_other_tokens_than_its_own_cannot_be_explained() -> None:
    model = Bag()
    model.forward = lambda text, offsets: model.after(model.embedding(text[:2], offsets))
    with pytest.raises(InvalidInput, match="its embedding layer gets other tokens"):
        attribute_tokens(model, bag(TOKENS), 1)


def test_a_model_that_does_not_embed_cannot_be_explained() -> None:
    model = Bag()
    model.forward = lambda *_: model.after(torch.zeros(1, 8))
    with pytest.raises(InvalidInput, match="it does not call its embedding layer"):
        attribute_tokens(model, bag(TOKENS), 1)
