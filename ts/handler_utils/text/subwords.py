"""Subwords of a transformer, by the `tokenizers` library and an archive's tokenizer.json."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

from ts.handler_utils.text.batch import EncodedText


class SubwordTokenizer:
    """Splits texts as a transformer was trained on them; `tokenizer(text)` is the list of subwords.

    Args:
        path: a tokenizer.json, as Hugging Face's `tokenizers` saves it.
        max_length: the most tokens of a text, special ones included; None leaves it to the file.

    Attributes:
        pad_index: index of the token that fills up a batch.

    Raises:
        ImportError: the library `tokenizers` is not installed.
        ValueError: the file is no such tokenizer.
    """

    def __init__(self, path: str | Path, max_length: Optional[int] = None) -> None:
        try:
            from tokenizers import Tokenizer
        except ImportError as error:
            message = f"{Path(path).name} needs tokenizers: pip install 'torchserve-handlers[tokenizers]'"
            raise ImportError(message) from error
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises Exception itself
            raise ValueError(
                f"{Path(path).name} is not a tokenizer of the library tokenizers: {error}"
            ) from error
        padding = self._tokenizer.padding
        self.pad_index: int = padding["pad_id"] if padding else self._usual_pad_index()
        self._tokenizer.no_padding()  # a batch is as wide as its longest text
        if max_length is not None:
            self._tokenizer.enable_truncation(max_length)

    def __call__(self, text: str) -> list[str]:
        return self.encode(text).words

    def encode(self, text: str) -> EncodedText:
        """The subwords of a text, special tokens included, and their indexes."""
        encoding = self._tokenizer.encode(text)
        return EncodedText(encoding.tokens, encoding.ids)

    def _usual_pad_index(self) -> int:
        indexes = (self._tokenizer.token_to_id(name) for name in ("[PAD]", "<pad>", "<|endoftext|>"))
        return next((index for index in indexes if index is not None), 0)
