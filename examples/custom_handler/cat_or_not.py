"""A handler built on ImageClassifier: it says whether a photo shows a cat."""

from __future__ import annotations

import torch

from ts.torch_handler.image_classifier import ImageClassifier

CATS = {"tabby", "tiger cat", "Persian cat", "Siamese cat", "Egyptian cat"}


class CatOrNot(ImageClassifier):
    """Adds up the probabilities of ImageNet's domestic cats; all else is as in ImageClassifier."""

    def postprocess(self, data: torch.Tensor) -> list[dict[str, float]]:
        cats = [int(index) for index, label in (self.mapping or {}).items() if label in CATS]
        probabilities = torch.softmax(data, dim=1)[:, cats].sum(dim=1)
        return [{"cat": probability} for probability in probabilities.tolist()]
