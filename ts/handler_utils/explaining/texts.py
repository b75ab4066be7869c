"""What each token of a text contributes to the score of a class."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Optional

import torch
from torch import nn

from ts.handler_utils.explaining.captum import import_captum, unexplainable
from ts.handler_utils.models.finite import check_finite
from ts.handler_utils.models.logits import logits_of
from ts.handler_utils.requests.options import check_target
from ts.handler_utils.text.batch import TextBatch

# Points of the path from no text to the text, and how many of them one forward pass takes: memory is so many
# copies of a text. A bag's copies are those of its pooled embedding.
_POINTS = 50
_POINTS_AT_ONCE = 10

# For a transformer, tokens of all points and of those of one pass: a long text has fewer points. (Of 512 tokens 25
# are as exact: the kinks of its activations are what the sum over points is wrong by, 1 in 200 either way.)
_TOKENS_OF_A_PATH = 12_800
_TOKENS_AT_ONCE = 1_024
_FEWEST_POINTS = 20


def attribute_tokens(model: Any, text: TextBatch, target: Optional[int] = None) -> tuple[list[float], int]:
    """Attributes the logit of a class to the tokens of one text, by integrated gradients.

    The path leads from embeddings of zeros to those of the text (Sundararajan et al. 2017, "Axiomatic Attribution
    for Deep Networks"), so the attributions add up to the logit's change along it. A bag's path is that of its
    pooled embedding [1, D], which costs the same for a text of any length.

    Args:
        model: an eager model with an `nn.EmbeddingBag`, for a bag, or an `nn.Embedding`, for a transformer.
        text: a batch of one text.
        target: index of the class; None stands for the one with the highest logit.

    Returns:
        One attribution a token, and the index of the class.

    Raises:
        InvalidInput: the model has no such class, or is not one that can be explained.
        PredictionException: 501, captum is not installed.
        ModelFault: the model returned NaN or infinity.
    """
    import_captum()
    model = getattr(model, "_orig_mod", model)  # torch.compile's wrapper: compiled code calls no hooks
    layer = embedding_layer(model)
    call, output = _call_of(layer, model, text)
    if call.tokens.numel() != text.inputs[0].numel():
        raise unexplainable("its embedding layer gets other tokens than those of the text")
    target = _target_of(logits_of(output)[0], target)
    explain = _explain_bag if isinstance(layer, nn.EmbeddingBag) else _explain_sequence
    attributions = explain(layer, call, _after(layer, model, text), target)
    check_finite("gradients", attributions)
    return attributions.tolist(), target


class _EmbeddingCall(NamedTuple):
    """What an embedding layer got, and what it returned: of a bag [N, D], else [N, T, D]."""

    tokens: torch.Tensor
    weights: Optional[torch.Tensor]
    vectors: torch.Tensor


def _call_of(layer: nn.Module, model: Any, text: TextBatch) -> tuple[_EmbeddingCall, Any]:
    """The call of a model's embedding layer for a text, and the model's output for it."""
    calls = []

    def keep(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: torch.Tensor) -> None:
        got = {**dict(zip(("input", "offsets", "per_sample_weights"), args)), **kwargs}
        calls.append(_EmbeddingCall(got["input"], got.get("per_sample_weights"), output.detach()))

    hook = layer.register_forward_hook(keep, with_kwargs=True)
    try:
        with torch.no_grad():
            positional, named = text.arguments()
            output = model(*positional, **named)
    finally:
        hook.remove()
    if not calls:
        raise unexplainable("it does not call its embedding layer")
    return calls[0], output


def _target_of(scores: torch.Tensor, target: Optional[int]) -> int:
    """The class to explain, of logits [classes]."""
    if not torch.softmax(scores, dim=0).isfinite().all():
        check_finite("logits", scores)
    return int(scores.argmax()) if target is None else check_target(target, len(scores))


def _after(layer: nn.Module, model: Any, text: TextBatch) -> Any:
    """The part of a model that follows its embedding layer: logits [N, classes], of what the layer returns."""
    is_bag = isinstance(layer, nn.EmbeddingBag)

    def logits(vectors: torch.Tensor) -> torch.Tensor:
        rows = text.inputs if is_bag else tuple(item.expand(len(vectors), -1) for item in text.inputs)
        positional, named = text.arguments(*rows)
        with _replaced_output(layer, vectors):
            return logits_of(model(*positional, **named))

    return logits


def _explain_bag(layer: Any, call: _EmbeddingCall, logits: Any, target: int) -> torch.Tensor:
    gradients = (
        import_captum()
        .IntegratedGradients(logits, multiply_by_inputs=False)
        .attribute(call.vectors, target=target, n_steps=_POINTS, internal_batch_size=_POINTS_AT_ONCE)
    )
    return _divided_among_tokens(layer, call, gradients[0])


def _explain_sequence(_: Any, call: _EmbeddingCall, logits: Any, target: int) -> torch.Tensor:
    length = call.tokens.numel()
    attributions = (
        import_captum()
        .IntegratedGradients(logits)
        .attribute(
            call.vectors,
            target=target,
            n_steps=max(_FEWEST_POINTS, min(_POINTS, _TOKENS_OF_A_PATH // length)),
            internal_batch_size=max(1, min(_POINTS_AT_ONCE, _TOKENS_AT_ONCE // length)),
        )
    )
    return attributions.sum(dim=-1).flatten()


def _divided_among_tokens(layer: Any, call: _EmbeddingCall, gradients: torch.Tensor) -> torch.Tensor:
    """What each token of a bag [T] has of the attributions of its pooled embedding.

    Along the path all embeddings grow from zero in proportion, so that each has the same part of the pooled one at
    each of its points: of a mean, one over the number of tokens; of a maximum, the dimensions in which it is the
    largest, shared with tokens that are equal there.

    Args:
        layer: the `nn.EmbeddingBag`.
        call: its call, for one text.
        gradients: of the logit by the pooled embedding [D], averaged along the path.
    """
    tokens, places, counts = call.tokens.flatten().unique(return_inverse=True, return_counts=True)
    if layer.padding_idx is not None:
        counts = counts * (tokens != layer.padding_idx)  # the layer leaves these out
    vectors = layer.weight.detach()[tokens]
    if layer.mode == "mean":
        gradients = gradients / counts.sum().clamp(min=1)
    elif layer.mode == "max":
        largest = (vectors == call.vectors[0]) * counts[:, None]
        vectors = vectors * (largest > 0) / largest.sum(dim=0).clamp(min=1)
    attributions = ((vectors @ gradients) * (counts > 0))[places]
    return attributions if call.weights is None else attributions * call.weights.detach().flatten()


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
