"""What each token of a text contributes to the score of a class."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Optional

import torch
from torch import nn

from ts.handler_utils.explaining.captum import import_captum, unexplainable
from ts.handler_utils.models.logits import logits_of
from ts.handler_utils.requests.options import check_target
from ts.handler_utils.text.batch import TextBatch

# Points of the path from no text to the text that one forward pass takes: memory is this many copies of a text.
_POINTS_AT_ONCE = 10

_POOLING = {
    "mean": lambda vectors: vectors.mean(dim=1),
    "sum": lambda vectors: vectors.sum(dim=1),
    "max": lambda vectors: vectors.amax(dim=1),
}


def attribute_tokens(model: Any, text: TextBatch, target: Optional[int] = None) -> tuple[list[float], int]:
    """Attributes the logit of a class to the tokens of one text, by integrated gradients.

    The path leads from embeddings of zeros to those of the text (Sundararajan et al. 2017, "Axiomatic Attribution
    for Deep Networks"), so the attributions add up to the logit's change along it.

    Args:
        model: an eager model with an `nn.EmbeddingBag`, for a bag, or an `nn.Embedding`, for a transformer.
        text: a batch of one text.
        target: index of the class; None stands for the one with the highest logit.

    Returns:
        One attribution a token, and the index of the class.

    Raises:
        InvalidInput: the model has no such class, or is not one that can be explained.
        PredictionException: 501, captum is not installed.
    """
    captum_attr = import_captum()
    model = getattr(model, "_orig_mod", model)  # torch.compile's wrapper: compiled code calls no hooks
    layer = embedding_layer(model)
    pool = _POOLING[layer.mode] if isinstance(layer, nn.EmbeddingBag) else None

    def logits(vectors: torch.Tensor) -> torch.Tensor:
        inputs = text.inputs if pool else [item.expand(len(vectors), -1) for item in text.inputs]
        with _replaced_output(layer, pool(vectors) if pool else vectors):
            return logits_of(model(*inputs))

    vectors = layer.weight.detach()[text.inputs[0].reshape(1, -1)]
    with torch.no_grad():
        scores = logits(vectors)[0]
        target = int(scores.argmax()) if target is None else check_target(target, len(scores))
    attributions = captum_attr.IntegratedGradients(logits).attribute(
        vectors, target=target, internal_batch_size=_POINTS_AT_ONCE
    )
    return attributions.sum(dim=-1).flatten().tolist(), target


def embedding_layer(model: Any) -> Any:
    """The layer that embeds tokens: `embedding`, Hugging Face's `get_input_embeddings()`, or the only one.

    Raises:
        InvalidInput: the model has none that can be found, or is compiled by TorchScript.
    """
    if isinstance(model, torch.jit.ScriptModule):
        raise unexplainable(
            "it is a TorchScript model, into whose layers nothing can be put: pack the eager model"
        )
    if not isinstance(model, nn.Module):
        raise unexplainable(f"it has no layers: {type(model).__name__}")
    found = getattr(model, "embedding", None)
    get_embeddings = getattr(model, "get_input_embeddings", None)
    if found is None and get_embeddings is not None:
        found = get_embeddings()
    kinds = (nn.EmbeddingBag, nn.Embedding)
    layers = (
        [found] if isinstance(found, kinds) else [part for part in model.modules() if isinstance(part, kinds)]
    )
    if len(layers) != 1:
        raise unexplainable("it must have one nn.EmbeddingBag or nn.Embedding, or one named `embedding`")
    return layers[0]


def spread(attributions: Iterable[float], spans: Iterable[range], count: int) -> list[float]:
    """Divides the attribution of each n-gram among its words.

    Args:
        attributions: one a token.
        spans: the words that each token is made of.
        count: how many words the text has.

    Returns:
        One importance a word; they add up to what the attributions do.
    """
    importances = [0.0] * count
    for attribution, span in zip(attributions, spans):
        for word in span:
            importances[word] += attribution / len(span)
    return importances


@contextmanager
def _replaced_output(layer: nn.Module, output: torch.Tensor) -> Iterator[None]:
    hook = layer.register_forward_hook(lambda *_: output)
    try:
        yield
    finally:
        hook.remove()
