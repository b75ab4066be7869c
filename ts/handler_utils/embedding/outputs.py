"""Vectors, out of what a model returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional

import torch

from ts.handler_utils.embedding.pooling import pool
from ts.handler_utils.errors import ModelFault

# What outputs of several parts call them: vectors of whole inputs, and those of tokens, patches or places.
_VECTORS = ("sentence_embedding", "image_embeds", "text_embeds", "embeddings", "embedding")
_POOLED = "pooler_output"
_TOKENS = ("last_hidden_state", "token_embeddings")

POOLER = "pooler"  # the model's own way
OWN = ("pooler or cls",)  # that, if it has one


def vectors_of(
    output: Any, rows: int, mask: Optional[torch.Tensor] = None, ways: Sequence[str] = ("mean",)
) -> torch.Tensor:
    """The vectors of a batch.

    Args:
        output: what the model returned: vectors [N, D], or [D] for a batch of one; vectors of tokens or patches
            [N, L, D], or a feature map [N, C, H, W], which are pooled; a mapping or an object that has such by the
            names that transformers and sentence-transformers give them; or a tuple or list that has them first.
        rows: N.
        mask: of texts, int64 [N, L]: 1 for a token, 0 for padding.
        ways: how vectors of tokens are pooled: of `ts.handler_utils.embedding.pooling.WAYS`; or "pooler", the
            model's own `pooler_output`; or `OWN`. A feature map is pooled by its mean.

    Returns:
        float32 [N, D].

    Raises:
        ModelFault: it has no vectors.
    """
    values = _values(output, ways)
    if values.dim() == 1 and rows == 1:
        values = values[None]
    if values.dim() == 4:
        values = values.flatten(2).float().mean(dim=2)
    if values.dim() == 3 and POOLER not in ways:
        values = pool(values, mask, ["cls"] if ways == OWN else ways)
    if values.dim() != 2 or len(values) != rows or not values.shape[1]:
        raise ModelFault(f"the model returned {list(values.shape)}, not [{rows}, D] or [{rows}, tokens, D]")
    return values.float()


def _values(output: Any, ways: Sequence[str]) -> torch.Tensor:
    if isinstance(output, torch.Tensor):
        return output
    if isinstance(output, (tuple, list)) and not hasattr(output, "_fields"):
        return _values(output[0], ways) if output else _missing(output)
    for name in _wanted(tuple(ways)):
        value = output.get(name) if isinstance(output, Mapping) else getattr(output, name, None)
        if isinstance(value, torch.Tensor):
            return value
    return _missing(output, f", but {', '.join(map(str, output))}" if isinstance(output, Mapping) else "")


def _wanted(ways: tuple[str, ...]) -> Sequence[str]:
    """The names under which vectors are looked for, the best first."""
    if POOLER in ways:
        return [_POOLED]
    return [*_VECTORS, _POOLED, *_TOKENS] if ways == OWN else [*_VECTORS, *_TOKENS, _POOLED]


def _missing(output: Any, found: str = "") -> torch.Tensor:
    names = ", ".join((*_VECTORS, *_TOKENS, _POOLED))
    raise ModelFault(f"the model returned a {type(output).__name__} without {names}{found}")
