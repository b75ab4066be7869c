"""TextClassifier: says what a text is about."""

from __future__ import annotations

from typing import Any, Optional

import torch

from ts.handler_utils.configuration import Configuration
from ts.handler_utils.explaining.texts import attribute_tokens, spread
from ts.handler_utils.models.activations import Activation, count_named
from ts.handler_utils.models.logits import logits_of
from ts.handler_utils.models.warmup import warm_up
from ts.handler_utils.text.batch import BagBatch, TextBatch
from ts.handler_utils.text.encoding import TextEncoding, cleaned_words
from ts.handler_utils.text.settings import TextClassifierOptions, TextClassifierSettings
from ts.handler_utils.text_utils import ngrams_iterator
from ts.handler_utils.timer import timed
from ts.torch_handler.text_handler import TextHandler
from ts.utils.util import map_class_to_label


class TextClassifier(TextHandler):
    """Answers each text with the probability of every class, as `{label: probability}`.

    For two kinds of models, which return logits [N, classes]:

    - bags of words: an archive with a vocabulary, and a model that is called with the indexes of all texts,
      int64 [T], and the offsets at which each text starts, int64 [N], like `nn.EmbeddingBag`;
    - transformers: an archive with a tokenizer.json, and a model that is called with `input_ids` and
      `attention_mask`, both int64 [N, L].

    What the texts beside it in a batch say changes nothing of a text's answer. How many they are, and for a
    transformer how long, changes the last bits of its probabilities, by less than 1e-6: a matrix of one row is
    multiplied by another kernel than one of several, and adds up in another order. (The pooling of a bag and the
    softmax are exactly as alone.)

    Example:
        ```python
        class Trigrams(TextClassifier):
            ngrams = 3
        ```

    Attributes:
        ngrams: the most words that a token of a bag is made of; the setting `ngrams` overrides it.
    """

    settings_class = TextClassifierSettings
    options_class = TextClassifierOptions
    payloads = ("a text: str, or bytes in UTF-8",)
    ngrams = 2

    def initialize(self, context: Any) -> None:
        """Loads a model with its labels, settings and vocabulary; see `BaseHandler.initialize`."""
        super().initialize(context)
        warm_up(self, TextEncoding.of(self).warmup_batch)

    def tokens(self, text: str) -> list[str]:
        """The words of a text and their n-grams: what a vocabulary for this handler is to be built from."""
        return list(ngrams_iterator(cleaned_words(self, text), self.ngrams))

    @timed
    def preprocess(self, data: list[Any]) -> TextBatch:
        """Reads one text a row.

        Args:
            data: rows whose payload is a text: str, or bytes in UTF-8.

        Returns:
            The texts as the model takes them, on its device.

        Raises:
            RowErrors: some rows hold no text, one that is too large, or none of whose words the vocabulary has.
        """
        encoding = TextEncoding.of(self)
        return encoding.batch(encoding.read(data))

    @timed
    def inference(self, data: Any, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Runs the model, without gradients, on a batch; further arguments are the model's.

        Args:
            data: a batch as `preprocess` returns it, or a pair as torchserve's does: the indexes of one text,
                int64 [T], and its words.

        Returns:
            Logits [N, classes].
        """
        if not isinstance(data, TextBatch):
            offsets = torch.zeros(1, dtype=torch.int64, device=self.device)
            return logits_of(super().inference(data[0], offsets, *args, **kwargs))
        rows: list[int] = []
        found = []
        for part_rows, part in data.of_one_length():
            positional, named = part.arguments()
            found.append(logits_of(super().inference(*positional, *args, **{**named, **kwargs})))
            rows += part_rows
        return found[0] if len(found) == 1 else torch.cat(found)[torch.tensor(rows).argsort()]

    @timed
    def postprocess(self, data: torch.Tensor) -> list[dict[str, float]]:
        """Names the classes of each row.

        Args:
            data: logits [N, classes]; with `activation` sigmoid or none, [N] of a model with a single output too.

        Returns:
            For each row the probabilities, in [0, 1], by label: of all classes in their own order, or, with `topk`
            or `threshold`, of the best, best first. Of `activation: none` the model's own values.

        Raises:
            RowErrors: some requests ask for a `topk` that is not allowed, or the model has returned NaN or
                infinity for them; a logit of minus infinity stands for a probability of 0.
            ModelFault: the model has returned something else.
        """
        activation = Activation.of(self)
        single = data.dim() == 1 and activation.name in ("sigmoid", "none")
        values = activation.values(data[:, None] if single else data, paired=False)
        options = Configuration.of(self).options(len(values))
        classes = [_named(row, asked) for row, asked in zip(values, options)]
        named = [[row[index] for index in indexes] for row, indexes in zip(values.tolist(), classes)]
        return map_class_to_label(named, self.mapping, classes)

    def get_insights(self, text_preprocess: Any, _: Any, target: Optional[int] = 0) -> list[dict[str, Any]]:
        """Explains the score of a class by the words of each text.

        Args:
            text_preprocess: a batch as `preprocess` returns it.
            target: index of the class; None stands for the most probable one of each text.

        Returns:
            For each text `{"words", "importances", "target"}`: its words (for a transformer, its subwords), for
            each word what it adds to the logit of the class, and the label of the class. An n-gram counts for
            its words in equal parts.
        """
        singles = (text_preprocess[row : row + 1] for row in range(len(text_preprocess)))
        return [_insight(self, single, target) for single in singles]


def _insight(handler: TextClassifier, single: TextBatch, target: Optional[int]) -> dict[str, Any]:
    importances, target = attribute_tokens(handler.model, single, target)
    words = single.texts[0].words
    if isinstance(single, BagBatch):
        importances = spread(importances, TextEncoding.of(handler).known_spans(words), len(words))
    label = (handler.mapping or {}).get(str(target), str(target))
    return {"words": handler.get_word_token(words), "importances": importances, "target": label}


def _named(values: torch.Tensor, asked: Any) -> list[int]:
    """The classes that an answer names, by their indexes."""
    if asked.topk is None and getattr(asked, "threshold", None) is None:
        return list(range(len(values)))
    best, classes = values.sort(descending=True, stable=True)
    return classes[: count_named(best, asked)].tolist()
