"""One vector of many: of the tokens of a text, the patches of an image, or the places of a feature map.

The ways are those of sentence-transformers (https://sbert.net, models.Pooling), and give its numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

import torch


def pool(tokens: torch.Tensor, mask: Optional[torch.Tensor], ways: Sequence[str]) -> torch.Tensor:
    """Pools the vectors of tokens.

    Args:
        tokens: [N, L, D].
        mask: [N, L], 1 for a token and 0 for padding, which is before the tokens or after them; None if there is
            none.
        ways: of `WAYS`; the vectors of several are put one behind the other.

    Returns:
        float32 [N, D times the number of ways].
    """
    tokens = tokens.float()
    mask = (tokens.new_ones(tokens.shape[:2]) if mask is None else mask.to(tokens))[..., None]
    tokens = tokens.masked_fill(mask == 0, 0.0)  # whatever a model has made of padding, NaN too
    return torch.cat([WAYS[way](tokens, mask) for way in ways], dim=1)


def _first(tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return tokens[torch.arange(len(tokens), device=tokens.device), mask[..., 0].argmax(dim=1)]


def _last(tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return _first(tokens.flip(1), mask.flip(1))


def _largest(tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return tokens.masked_fill(mask == 0, -torch.inf).amax(dim=1)


def _mean(tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return (tokens * mask).sum(dim=1) / mask.sum(dim=1)


def _mean_by_root(tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return tokens.sum(dim=1) / mask.sum(dim=1).sqrt()


def _weighted_mean(tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Each token weighs as much as its place in the text, counted from 1 (SGPT)."""
    return _mean(tokens, mask * mask.cumsum(dim=1))


WAYS = {
    "cls": _first,
    "max": _largest,
    "mean": _mean,
    "mean_sqrt_len": _mean_by_root,
    "weightedmean": _weighted_mean,
    "last": _last,
}
