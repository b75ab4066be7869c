"""The ways in which vectors of tokens become one; padding is never seen."""

from __future__ import annotations

import math

import pytest
import torch

from ts.handler_utils.embedding.pooling import WAYS, pool

TOKENS = torch.tensor([[[1.0, -2.0], [3.0, -4.0], [8.0, -9.0]], [[2.0, 5.0], [math.nan, 7.0], [100.0, 7.0]]])
MASK = torch.tensor([[1, 1, 1], [1, 0, 0]])


@pytest.mark.parametrize(
    ("way", "expected"),
    [
        ("mean", [4.0, -5.0]),
        ("cls", [1.0, -2.0]),
        ("last", [8.0, -9.0]),
        ("max", [8.0, -2.0]),
        ("mean_sqrt_len", [12 / math.sqrt(3), -15 / math.sqrt(3)]),
        ("weightedmean", [(1 + 6 + 24) / 6, (-2 - 8 - 27) / 6]),
    ],
)
def test_each_way_of_pooling(way, expected):
    pooled = pool(TOKENS, MASK, [way])
    assert pooled[0].tolist() == pytest.approx(expected)
    assert pooled[1].tolist() == [2.0, 5.0]  # a text of one token, behind which NaN and 100 are padding


def test_without_a_mask_all_tokens_count():
    assert pool(TOKENS[:1], None, ["mean"]).tolist() == [[4.0, -5.0]]


def test_several_ways_are_put_one_behind_the_other():
    assert pool(TOKENS, MASK, ["cls", "max"]).tolist() == [[1.0, -2.0, 8.0, -2.0], [2.0, 5.0, 2.0, 5.0]]


def test_what_is_computed_in_half_precision_is_pooled_in_float32():
    tokens = torch.full((1, 4096, 1), 1000.0, dtype=torch.float16)
    assert pool(tokens, torch.ones(1, 4096, dtype=torch.int64), ["mean"]).tolist() == [[1000.0]]


def test_the_settings_name_all_ways():
    from ts.handler_utils.embedding.settings import EmbedderSettings

    for way in [*WAYS, "pooler"]:
        assert EmbedderSettings(pooling=way).pooling == way
