"""Texts as the model of a handler takes them: as indexes of the tokens of its archive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Callable, Optional

from ts.handler_utils.configuration import Configuration
from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.model_defaults import ModelDefaults
from ts.handler_utils.parts import Part
from ts.handler_utils.requests.current import CurrentBatch
from ts.handler_utils.requests.options import may_hold_options
from ts.handler_utils.requests.payload import PAYLOADS, payload_of
from ts.handler_utils.settings import Warmup
from ts.handler_utils.text.batch import BagBatch, EncodedText, TextBatch, read_text
from ts.handler_utils.text.settings import TextSettings
from ts.handler_utils.text.subwords import INPUT_NAMES, NO_PAIRS, SubwordTokenizer
from ts.handler_utils.text.vocabulary import look_up, read_vocabulary
from ts.handler_utils.text_utils import ngrams_iterator


def cleaned_words(handler: Any, text: str) -> list[str]:
    """The words of a text, in lower case: what is left after all the cleaning steps of a `TextHandler`."""
    text = handler._expand_contractions(handler._remove_html_tags(text).lower())
    return handler._tokenize(handler._remove_punctuation(handler._remove_accented_characters(text)))


def load_vocabulary(handler: Any, context: Any) -> None:
    """Sets a handler's `source_vocab`, from the file of its archive that `get_source_vocab_path` names.

    A handler with `TextSettings` gets a `tokenizer` instead, where its model brings one along or the archive has a
    tokenizer.json; and one that takes other things than texts, neither where the archive has none.
    """
    path = Path(context.system_properties["model_dir"], "tokenizer.json")
    settings = Configuration.of(handler).settings
    if ModelDefaults.of(handler).tokenizer is not None:
        handler.tokenizer = ModelDefaults.of(handler).tokenizer
        return
    if isinstance(settings, TextSettings) and path.is_file():
        handler.tokenizer = SubwordTokenizer(path, settings.max_length, names=input_names(handler.model))
        return
    try:
        handler.source_vocab = read_vocabulary(handler.get_source_vocab_path(context))
    except FileNotFoundError:
        if getattr(settings, "texts_only", True):
            raise


def input_names(model: Any) -> tuple[str, ...]:
    """The names by which an ONNX model of transformers takes texts; none of any other model."""
    if not callable(getattr(model, "get_inputs", None)):
        return ()
    names = tuple(str(item.name) for item in model.get_inputs())
    return names if "input_ids" in names and set(names) <= set(INPUT_NAMES) else ()


def _payload_of_pair(row: Any) -> Any:
    """The payload of a row; of a pair as transformers takes it, `{"text": ..., "text_pair": ...}`, its text."""
    place = row
    while isinstance(place, Mapping):
        given = [place[name] for name in PAYLOADS if place.get(name) is not None]
        if not given:
            return payload_of(row) if place.get("text") is None else place["text"]
        place = given[0] if len(given) == 1 else None
    return payload_of(row)


# The header of an answer to a text that was cut: "512 of 16003".
TOKENS_HEADER = "ts-tokens"


class TextEncoding(Part):
    """Encodes texts for a `TextClassifier`: into bags of n-grams or, with a `SubwordTokenizer`, into subwords."""

    def read(
        self, rows: Sequence[Any], change: Callable[[int, str], str] = lambda _, text: text
    ) -> list[EncodedText]:
        """The texts of the batch that is being answered; a client whose text was cut is told so in a header.

        Args:
            rows: of the batch.
            change: makes what is encoded of a text, which it is called with, and the index of the text's row.

        Raises:
            RowErrors: some rows hold no text, none that the model can tell anything of, or one that is too large.
        """
        batch, configuration = CurrentBatch.of(self.handler), Configuration.of(self.handler)
        most = getattr(configuration.settings, "max_text_bytes", None)
        usual_pair = configuration.option_defaults().get("text_pair")

        def read(index: int) -> EncodedText:
            text, pair = self._texts_of(index, rows[index], usual_pair)
            text = change(index, read_text(text, most))
            return self.encode(text, None if pair is None else read_text(pair, most))

        texts = batch.read(read, rows)
        for index, text in enumerate(texts):
            if text.uncut:
                batch.set_header(index, TOKENS_HEADER, f"{len(text.indexes)} of {text.uncut}")
        return texts

    def _texts_of(self, index: int, row: Any, usual_pair: Any) -> tuple[Any, Any]:
        """The payload of a row, and the second text of a pair, or None: by its option `text_pair`."""
        headers = CurrentBatch.of(self.handler).request_headers(index)
        configuration = Configuration.of(self.handler)
        takes_pairs = "text_pair" in configuration.options_class.model_fields
        if not takes_pairs or not may_hold_options(row, headers):
            return payload_of(row), usual_pair
        text = (
            _payload_of_pair(row)
            if getattr(self.handler.tokenizer, "takes_pairs", False)
            else payload_of(row)
        )
        return text, configuration.options_of(index).text_pair

    def encode(self, text: str, pair: Optional[str] = None) -> EncodedText:
        """Encodes one text, or a pair of texts.

        Raises:
            InvalidInput: it has no words or tokens, or none that the vocabulary has; or there is a pair, and the
                model takes none.
        """
        handler = self.handler
        if isinstance(handler.tokenizer, SubwordTokenizer):
            return handler.tokenizer.encode(text) if pair is None else handler.tokenizer.encode(text, pair)
        if pair is not None:
            raise InvalidInput(NO_PAIRS)
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
            return handler.tokenizer.batch(texts, handler.device)
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
