"""TextClassifier: says what a text is about."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

import torch

from ts.handler_utils.errors import InvalidInput, RowErrors
from ts.handler_utils.logits import logits_of
from ts.handler_utils.payload import payload_of
from ts.handler_utils.settings import Warmup
from ts.handler_utils.subwords import SubwordTokenizer
from ts.handler_utils.text_batch import BagBatch, EncodedText, PaddedBatch, TextBatch, read_text
from ts.handler_utils.text_explanations import attribute_tokens, spread
from ts.handler_utils.text_settings import TextClassifierOptions, TextClassifierSettings
from ts.handler_utils.text_utils import ngrams_iterator
from ts.handler_utils.timer import timed
from ts.handler_utils.vocabulary import look_up
from ts.torch_handler.text_handler import TextHandler
from ts.utils.util import map_class_to_label


class TextClassifier(TextHandler):
    """Answers each text with the probability of every class, as `{label: probability}`.

    For two kinds of models, which return logits [N, classes]:

    - bags of words: an archive with a vocabulary, and a model that is called with the indexes of all texts,
      int64 [T], and the offsets at which each text starts, int64 [N], like `nn.EmbeddingBag`;
    - transformers: an archive with a tokenizer.json, and a model that is called with `input_ids` and
      `attention_mask`, both int64 [N, L].

    Example:
        class Trigrams(TextClassifier):
            ngrams = 3

    Attributes:
        ngrams: the most words that a token of a bag is made of; the setting `ngrams` overrides it.
        topk: how many classes an answer names, best first; None stands for all, in their own order. The setting
            `topk`, and a request's option `topk`, override it.
        target: index of the class that is explained; None stands for the most probable one.
    """

    settings_class = TextClassifierSettings
    options_class = TextClassifierOptions
    payloads = ("a text: str, or bytes in UTF-8",)
    ngrams = 2
    topk: Optional[int] = None
    target: Optional[int] = None

    def _load_vocabulary(self, context: Any) -> None:
        path = Path(context.system_properties["model_dir"], "tokenizer.json")
        if path.is_file():
            self.tokenizer = SubwordTokenizer(path, self.settings.max_length)
        else:
            super()._load_vocabulary(context)

    def tokens(self, text: str) -> list[str]:
        """The words of a text and their n-grams: what a vocabulary for this handler is to be built from."""
        return list(ngrams_iterator(self.words(text), self.ngrams))

    def _warmup_batch(self, rows: int, warmup: Warmup) -> TextBatch:
        return self._collate([EncodedText([], [0] * 8)] * rows)

    @timed
    def preprocess(self, data: list[Any]) -> TextBatch:
        """Reads one text a row.

        Args:
            data: rows whose payload is a text: str, or bytes in UTF-8.

        Returns:
            The texts as the model takes them, on its device.

        Raises:
            RowErrors: some rows hold no text, or none of whose words the vocabulary has.
        """
        texts, errors = [], {}
        for index, row in enumerate(data):
            try:
                texts.append(self._encode(read_text(payload_of(row))))
            except InvalidInput as error:
                errors[index] = error
        if errors:
            raise RowErrors(errors)
        return self._collate(texts)

    def _collate(self, texts: list[EncodedText]) -> TextBatch:
        if isinstance(self.tokenizer, SubwordTokenizer):
            return PaddedBatch.of(texts, self.tokenizer.pad_index, self.device)
        return BagBatch.of(texts, self.device)

    def _encode(self, text: str) -> EncodedText:
        if isinstance(self.tokenizer, SubwordTokenizer):
            return self.tokenizer.encode(text)
        words = self.words(text)
        indexes = look_up(self.source_vocab, ngrams_iterator(words, self.ngrams))
        if not indexes:
            raise InvalidInput(
                "The text has no word that the model's vocabulary has" if words else "The text has no words"
            )
        return EncodedText(words, indexes)

    @timed
    def inference(self, data: Any, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Runs the model, without gradients, on a batch; further arguments are the model's.

        Args:
            data: a batch as `preprocess` returns it, or a pair as torchserve's does: the indexes of one text,
                int64 [T], and its words.

        Returns:
            Logits [N, classes].
        """
        if isinstance(data, TextBatch):
            indexes, second = data.inputs
        else:
            indexes, second = data[0], torch.zeros(1, dtype=torch.int64, device=self.device)
        return logits_of(super().inference(indexes, second, *args, **kwargs))

    @timed
    def postprocess(self, data: torch.Tensor) -> list[dict[str, float]]:
        """Names the classes of each row.

        Args:
            data: logits [N, classes].

        Returns:
            For each row the probabilities, in [0, 1], by label.

        Raises:
            RowErrors: some requests ask for a `topk` that is not allowed.
        """
        probabilities = torch.softmax(data, dim=1).tolist()
        classes = [
            _best(row, options.topk) for row, options in zip(probabilities, self.options(len(probabilities)))
        ]
        values = [[row[index] for index in indexes] for row, indexes in zip(probabilities, classes)]
        return map_class_to_label(values, self.mapping, classes)

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
        return [self._insight(text_preprocess[row : row + 1], target) for row in range(len(text_preprocess))]

    def _insight(self, batch: TextBatch, target: Optional[int]) -> dict[str, Any]:
        importances, target = attribute_tokens(self.model, batch, target)
        words = batch.texts[0].words
        if isinstance(batch, BagBatch):
            importances = spread(importances, self._known_spans(words), len(words))
        label = (self.mapping or {}).get(str(target), str(target))
        return {"words": self.get_word_token(words), "importances": importances, "target": label}

    def _known_spans(self, words: list[str]) -> list[range]:
        """The words that each token of a bag is made of, by their positions."""
        spans = [
            range(start, start + length)
            for length in range(1, self.ngrams + 1)
            for start in range(len(words) - length + 1)
        ]
        tokens = ngrams_iterator(words, self.ngrams)
        return [span for span, token in zip(spans, tokens) if look_up(self.source_vocab, [token])]


def _best(probabilities: list[float], topk: Optional[int]) -> list[int]:
    """The classes that an answer names, by their indexes."""
    classes = range(len(probabilities))
    if topk is None:
        return list(classes)
    return sorted(classes, key=probabilities.__getitem__, reverse=True)[:topk]
