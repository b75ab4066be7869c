"""Subwords of a transformer, by the `tokenizers` library and an archive's tokenizer.json."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional

from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.text.batch import EncodedText, Form, NamedBatch, PaddedBatch, TextBatch
from ts.utils.documents import read_json

# Tokens of a text where an archive says nothing of them: those of BERT, and of most models after it.
_USUAL_LENGTH = 512

# Hugging Face writes 10**30 for "as many as you like".
_LARGEST_LENGTH = 2**31 - 1

# What a batch may have beside its tokens, as transformers names it.
INPUT_NAMES = ("input_ids", "attention_mask", "token_type_ids")

NO_PAIRS = "Wrong option: text_pair: this model takes no pairs of texts"

# Models whose positions begin behind the index of the padding token, as fairseq's do: 514 stand for 512.
_OFFSET_POSITIONS = frozenset({"camembert", "longformer", "roberta", "xlm-roberta", "xlm-roberta-xl"})
_OFFSET = 2


@contextmanager
def _of_the_library(path: str | Path) -> Iterator[None]:
    """Tells of a file what the library says of it; it raises Exception itself, and Rust's panics are none."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        reason = " ".join(str(error).split())[:300]
        raise ValueError(
            f"{Path(path).name} is not a tokenizer of the library tokenizers: {reason}"
        ) from error


class SubwordTokenizer:
    """Splits texts as a transformer was trained on them; `tokenizer(text)` is the list of subwords.

    Args:
        path: a tokenizer.json, as Hugging Face's `tokenizers` saves it.
        max_length: the most tokens of a text, special ones included; None leaves it to a
            sentence_bert_config.json beside the file or, without one, to the file; and where that has no
            truncation, to others beside it: see `length_limit`.
        names: of the model's inputs, in its order, of a model that takes them by name: see `Form`.

    Attributes:
        max_length: that number. A longer text is cut, by the file's direction, and keeps its special tokens.
        pad_index: index of the token that fills up a batch.
        takes_pairs: whether `encode` takes pairs of texts.

    Raises:
        ImportError: the library `tokenizers` is not installed.
        ValueError: the file is no such tokenizer.
    """

    takes_pairs = False

    def __init__(
        self, path: str | Path, max_length: Optional[int] = None, *, names: tuple[str, ...] = ()
    ) -> None:
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            message = f"{Path(path).name} needs tokenizers: pip install 'torchserve-handlers[tokenizers]'"
            raise ImportError(message) from error
        with _of_the_library(path):
            self._tokenizer = Tokenizer.from_file(str(path))
        self._names = names
        padding = self._tokenizer.padding
        self.pad_index: int = padding["pad_id"] if padding else self._usual_pad_index()
        self._tokenizer.no_padding()  # a batch is as wide as its longest text
        truncation = self._tokenizer.truncation or {}
        self.max_length: int = max_length or longest_text(Path(path).parent, truncation)
        self._special_tokens: int = self._tokenizer.num_special_tokens_to_add(False)
        if self.max_length <= self._special_tokens:
            raise ValueError(
                f"max_length is {self.max_length}, and {self._special_tokens} tokens of a text are special ones:"
                " raise handler.max_length in model-config.yaml"
            )
        self._tokenizer.enable_truncation(
            self.max_length, stride=0, direction=truncation.get("direction", "right")
        )
        with _of_the_library(path):
            self._tokenizer.encode("a")  # fails where parts of the file do not go together

    def __call__(self, text: str) -> list[str]:
        return self.encode(text).words

    def encode(self, text: str, pair: Optional[str] = None) -> EncodedText:
        """The subwords of a text, special tokens included, and their indexes.

        Args:
            text: the text.
            pair: the second text of a pair.

        Raises:
            InvalidInput: it has none; or there is a pair, and a model with a tokenizer.json alone takes none.
        """
        if pair is not None:
            raise InvalidInput(NO_PAIRS)
        encoding = self._tokenizer.encode(text)
        if not encoding.ids:
            raise InvalidInput("The text has no tokens")
        rest = [len(part) - self._special_tokens for part in encoding.overflowing]
        return EncodedText(encoding.tokens, encoding.ids, len(encoding) + sum(rest) if rest else 0)

    def batch(self, texts: Sequence[EncodedText], device: Any = None) -> TextBatch:
        """A batch of texts, as the model takes it."""
        if self._names:
            return NamedBatch.of(texts, Form(self._names, self.pad_index), device)
        return PaddedBatch.of(texts, self.pad_index, device)

    def _usual_pad_index(self) -> int:
        indexes = (self._tokenizer.token_to_id(name) for name in ("[PAD]", "<pad>", "<|endoftext|>"))
        return next((index for index in indexes if index is not None), 0)


def longest_text(folder: Path, truncation: dict[str, Any]) -> int:
    """The most tokens of a text, by sentence-transformers' `max_seq_length`, or the file, or the model's."""
    of_sentences = _read_config(folder / "sentence_bert_config.json").get("max_seq_length")
    return _length(of_sentences) or truncation.get("max_length") or length_limit(folder)


def length_limit(folder: str | Path) -> int:
    """The most tokens that an archive's model was made for, by what Hugging Face's libraries save beside it.

    Args:
        folder: of the archive. `model_max_length` of its tokenizer_config.json tells, or else
            `max_position_embeddings` of its config.json.

    Returns:
        That number, special tokens included; 512 where neither file has it.

    Raises:
        ValueError: a file is no JSON.
    """
    tokenizer = _read_config(Path(folder, "tokenizer_config.json"))
    model = _read_config(Path(folder, "config.json"))
    length = _length(tokenizer.get("model_max_length"))
    if length is None:
        length = _length(model.get("max_position_embeddings"))
        if length is not None and model.get("model_type") in _OFFSET_POSITIONS:
            length -= _OFFSET
    return length or _USUAL_LENGTH


def _read_config(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        config = read_json(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path.name} {error}") from error
    return config if isinstance(config, dict) else {}


def _length(value: Any) -> Optional[int]:
    """A number of tokens, if it is one."""
    return value if type(value) is int and 0 < value <= _LARGEST_LENGTH else None
