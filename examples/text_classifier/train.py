"""Trains a bag-of-embeddings classifier on the tokens that the handler will give it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from examples.steps import ProgressLine
from ts.handler_utils.text.batch import BagBatch, EncodedText
from ts.handler_utils.text.vocabulary import UNKNOWN, Vocabulary
from ts.torch_handler.text_classifier import TextClassifier

BATCH_SIZE = 64
LEARNING_RATE = 5e-3


def count_vocabulary(texts: Iterable[str], size: int) -> Vocabulary:
    """The most frequent words and word pairs of some texts; index 0 stands for all others."""
    handler = TextClassifier()
    counts = Counter(token for text in texts for token in handler.tokens(text))
    tokens = [UNKNOWN, *(token for token, _ in counts.most_common(size - 1))]
    return Vocabulary({token: index for index, token in enumerate(tokens)}, default_index=0)


@contextmanager
def one_thread() -> Iterator[None]:
    """Steps as small as these are slower on several threads, many times so on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@one_thread()
def fit(
    model: nn.Module, vocabulary: Vocabulary, texts: Sequence[str], classes: Sequence[int], epochs: int
) -> None:
    """Train a model in place; it gets the mean of its weights after each epoch but the first.

    Args:
        model: called with indexes and offsets; its layer `embedding` is sparse.
        vocabulary: index of each token.
        texts: what to learn from.
        classes: class index of each text.
        epochs: how often each text is seen, at least twice.
    """
    handler = TextClassifier()
    bags = [EncodedText([], vocabulary(handler.tokens(text))) for text in texts]
    with torch.no_grad():
        embedding = model.get_parameter("embedding.weight").normal_(std=0.1)
        embedding[0] = 0  # rare and unknown tokens say little
    optimizers = make_optimizers(model)
    averaged = AveragedModel(model)
    progress = ProgressLine(f"train on {len(texts):,} texts")
    model.train()
    for epoch in range(epochs):
        progress.show(f"epoch {epoch + 1} of {epochs}")
        train_epoch(model, optimizers, bags, torch.tensor(classes))
        if epoch > 0:
            averaged.update_parameters(model)
    progress.finish("ok")
    model.load_state_dict(averaged.module.state_dict())
    model.eval()


def make_optimizers(model: nn.Module) -> list[torch.optim.Optimizer]:
    """One for the sparse gradients of the layer `embedding`, and one for all the others."""
    dense = [weight for name, weight in model.named_parameters() if not name.startswith("embedding.")]
    return [
        torch.optim.SparseAdam(model.get_submodule("embedding").parameters(), lr=LEARNING_RATE),
        torch.optim.Adam(dense, lr=LEARNING_RATE),
    ]


def train_epoch(
    model: nn.Module,
    optimizers: Sequence[torch.optim.Optimizer],
    bags: Sequence[EncodedText],
    targets: torch.Tensor,
) -> None:
    """Show each text once, in an order drawn anew.

    Args:
        model: called with indexes and offsets.
        optimizers: of its parameters.
        bags: the tokens' indexes of each of N texts.
        targets: [N], the class index of each.
    """
    class_weights = 1 / targets.bincount().clamp(min=1)  # topics of many texts and of few count alike
    for batch in torch.randperm(len(bags)).split(BATCH_SIZE):
        inputs = BagBatch.of([bags[index] for index in batch.tolist()]).inputs
        loss = nn.functional.cross_entropy(model(*inputs), targets[batch], class_weights)
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
