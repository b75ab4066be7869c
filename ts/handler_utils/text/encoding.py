"""Texts as the model of a handler takes them: as indexes of the tokens of its archive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ts.handler_utils.configuration import Configuration
from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.parts import Part
from ts.handler_utils.requests.current import CurrentBatch
from ts.handler_utils.requests.payload import payload_of
from ts.handler_utils.settings import Warmup
from ts.handler_utils.text.batch import BagBatch, EncodedText, PaddedBatch, TextBatch, read_text
from ts.handler_utils.text.settings import TextSettings
from ts.handler_utils.text.subwords import SubwordTokenizer
from ts.handler_utils.text.vocabulary import look_up, read_vocabulary
from ts.handler_utils.text_utils import ngrams_iterator


def cleaned_words(handler: Any, text: str) -> list[str]:
    """The words of a text, in lower case: what is left after all the cleaning steps of a `TextHandler`."""
    text = handler._expand_contractions(handler._remove_html_tags(text).lower())
    return handler._tokenize(handler._remove_punctuation(handler._remove_accented_characters(text)))


def load_vocabulary(handler: Any, context: Any) -> None:
    """Sets a handler's `source_vocab`, from the file of its archive that `get_source_vocab_path` names.

    A handler with `TextSettings` gets a `tokenizer` instead, where the archive has a tokenizer.json; and one that
    takes other things than texts, neither where the archive has none.
    """
    path = Path(context.system_properties["model_dir"], "tokenizer.json")
    settings = Configuration.of(handler).settings
    if isinstance(settings, TextSettings) and path.is_file():
        handler.tokenizer = SubwordTokenizer(path, settings.max_length)
        return
    try:
        handler.source_vocab = read_vocabulary(handler.get_source_vocab_path(context))
    except FileNotFoundError:
        if getattr(settings, "texts_only", True):
            raise


# The header of an answer to a text that was cut: "512 of 16003".
TOKENS_HEADER = "ts-tokens"


class TextEncoding(Part):
    """Encodes texts for a `TextClassifier`: into bags of n-grams or, with a `SubwordTokenizer`, into subwords."""

    def read(self, rows: Sequence[Any]) -> list[EncodedText]:
        """The texts of the batch that is being answered; a client whose text was cut is told so in a header.

        Raises:
            RowErrors: some rows hold no text, none that the model can tell anything of, or one that is too large.
        """
        batch = CurrentBatch.of(self.handler)
        most = getattr(Configuration.of(self.handler).settings, "max_text_bytes", None)
        texts = batch.read(lambda index: self.encode(read_text(payload_of(rows[index]), most)), rows)
        for index, text in enumerate(texts):
            if text.uncut:
                batch.set_header(index, TOKENS_HEADER, f"{len(text.indexes)} of {text.uncut}")
        return texts

    def encode(self, text: str) -> EncodedText:
        """Encodes one text.

        Raises:
            InvalidInput: it has no words or tokens, or none that the vocabulary has.
        """
        handler = self.handler
        if isinstance(handler.tokenizer, SubwordTokenizer):
            return handler.tokenizer.encode(text)
        words = cleaned_words(handler, text)
        indexes = look_up(handler.source_vocab, ngrams_iterator(words, handler.ngrams))
        if not indexes:
            raise InvalidInput(
                "The text has no word that the model's vocabulary has" if words else "The text has no words"
            )
        return EncodedText(words, indexes)

    def batch(self, texts: list[EncodedText]) -> TextBatch:
        """A batch of texts, on the model's device."""
        handler = self.handler
        if isinstance(handler.tokenizer, SubwordTokenizer):
            return PaddedBatch.of(texts, handler.tokenizer.pad_index, handler.device)
        return BagBatch.of(texts, handler.device)

    def warmup_batch(self, rows: int, _: Warmup) -> TextBatch:
        """A batch of made-up texts."""
        return self.batch([EncodedText([], [0] * 8)] * rows)

    def known_spans(self, words: list[str]) -> list[range]:
        """The words that each token of a bag is made of, by their positions."""
        handler = self.handler
        spans = [
            range(start, start + length)
            for length in range(1, handler.ngrams + 1)
            for start in range(len(words) - length + 1)
        ]
        tokens = ngrams_iterator(words, handler.ngrams)
        return [span for span, token in zip(spans, tokens) if look_up(handler.source_vocab, [token])]
