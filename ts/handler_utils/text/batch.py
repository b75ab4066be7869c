"""Texts as models take them: bags of tokens, or padded sequences of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import chain
from typing import Any, Optional

import numpy as np
import torch

from ts.handler_utils.errors import InvalidInput


def read_text(payload: Any, max_bytes: Optional[int] = None) -> str:
    """The text that a client sent.

    Args:
        payload: str, or bytes in UTF-8.
        max_bytes: the most that it may have in UTF-8; None for any number.

    Raises:
        InvalidInput: it is something else, no Unicode, or blank; or, with 413, it is longer.
    """
    if not isinstance(payload, (str, bytes, bytearray, memoryview)):
        raise InvalidInput(f"A request holds one text, not a value of type {type(payload).__name__}")
    _check_size(len(payload), max_bytes)
    try:
        if isinstance(payload, str):
            _check_size(len(payload.encode()), max_bytes)
            text = payload
        else:
            text = bytes(payload).decode()
    except UnicodeError as error:  # a str out of JSON may hold half of a surrogate pair
        kind = "Unicode" if isinstance(payload, str) else "UTF-8"
        raise InvalidInput(f"The text is not {kind}: {error}") from error
    if not text.strip():
        raise InvalidInput("The text is empty")
    return text


def _check_size(size: int, max_bytes: Optional[int]) -> None:
    if max_bytes is not None and size > max_bytes:
        raise InvalidInput(
            f"The text is too large: {size} bytes, and max_text_bytes is {max_bytes}: send a shorter one, or raise"
            " handler.max_text_bytes in model-config.yaml",
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        )


@dataclass(frozen=True)
class EncodedText:
    """One text.

    Attributes:
        words: its words or, for a transformer, its subwords; explanations name them.
        indexes: what the model gets; a bag has indexes of n-grams too.
        uncut: how many indexes the whole text has, of one that was cut; 0 of any other.
        types: of each index which text of a pair it is of, as a transformer has it; None where it has no such.
    """

    words: list[str]
    indexes: list[int]
    uncut: int = 0
    types: Optional[list[int]] = None


@dataclass(frozen=True, eq=False)
class TextBatch:
    """A batch of texts; `batch[i:j]` is the batch of some of them.

    It can be unpacked like the pair that torchserve's `preprocess` returns, `indexes, words = batch`, where
    `words` are those of the batch's first text.

    Attributes:
        inputs: the tensors that the model is called with.
        texts: the texts in them.
        names: by which the model takes its inputs; none where it takes them in their order.
    """

    inputs: tuple[torch.Tensor, ...]
    texts: list[EncodedText]
    names: tuple[str, ...] = ()

    def arguments(self, *inputs: torch.Tensor) -> tuple[tuple[torch.Tensor, ...], dict[str, torch.Tensor]]:
        """What a model is called with, in order and by name: these inputs, or others in their place."""
        given = inputs or self.inputs
        return (given[:1], dict(zip(self.names[1:], given[1:]))) if self.names else (given, {})

    def of_one_length(self) -> list[tuple[list[int], TextBatch]]:
        """The batch as parts that the model answers as it would each text alone: their rows, and the parts."""
        return [(list(range(len(self))), self)]

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[Any]:
        return iter((self.inputs[0], self.texts[0].words))

    def __getitem__(self, rows: slice) -> TextBatch:
        raise NotImplementedError


class BagBatch(TextBatch):
    """Texts for `nn.EmbeddingBag`: all their indexes in a row, int64 [T], and where each starts, int64 [N]."""

    @classmethod
    def of(cls, texts: Sequence[EncodedText], device: Any = None) -> BagBatch:
        lengths = [0, *(len(text.indexes) for text in texts)]
        offsets = torch.tensor(lengths[:-1], dtype=torch.int64).cumsum(0)
        indexes = chain.from_iterable(text.indexes for text in texts)
        tokens = torch.from_numpy(
            np.fromiter(indexes, np.int64, sum(lengths))
        )  # thrice as fast as torch.tensor
        return cls((tokens.to(device), offsets.to(device)), list(texts))

    def __getitem__(self, rows: slice) -> BagBatch:
        return self.of(self.texts[rows], self.inputs[0].device)


class PaddedBatch(TextBatch):
    """Texts for a transformer: `input_ids` and `attention_mask`, both int64 [N, longest], padded at the end."""

    @classmethod
    def of(cls, texts: Sequence[EncodedText], pad_index: int = 0, device: Any = None) -> PaddedBatch:
        longest = max((len(text.indexes) for text in texts), default=0)
        ids = [text.indexes + [pad_index] * (longest - len(text.indexes)) for text in texts]
        mask = [[1] * len(text.indexes) + [0] * (longest - len(text.indexes)) for text in texts]
        inputs = torch.tensor(ids, dtype=torch.int64), torch.tensor(mask, dtype=torch.int64)
        return cls((inputs[0].to(device), inputs[1].to(device)), list(texts))

    def __getitem__(self, rows: slice) -> PaddedBatch:
        texts = self.texts[rows]
        longest = max((len(text.indexes) for text in texts), default=0)
        ids, mask = (item[rows, :longest] for item in self.inputs)
        return PaddedBatch((ids, mask), texts)


@dataclass(frozen=True)
class Form:
    """How a transformer takes texts.

    Attributes:
        names: of its inputs: `input_ids`, and those of `attention_mask` and `token_type_ids` that it takes.
        pad_index: index of the token that fills up a batch.
        pad_type: what `token_type_ids` has for it.
        at_the_end: whether texts are filled up behind their end, where positions are counted from their beginning.
        alone: whether the model takes one text at a time.
    """

    names: tuple[str, ...] = ("input_ids", "attention_mask")
    pad_index: int = 0
    pad_type: int = 0
    at_the_end: bool = True
    alone: bool = False


@dataclass(frozen=True, eq=False)
class NamedBatch(TextBatch):
    """Texts for a transformer that takes its inputs by name, each int64 [N, longest]."""

    form: Form = Form()

    @classmethod
    def of(cls, texts: Sequence[EncodedText], form: Form, device: Any = None) -> NamedBatch:
        longest = max((len(text.indexes) for text in texts), default=0)

        def padded(values: list[int], filling: int) -> list[int]:
            rest = [filling] * (longest - len(values))
            return values + rest if form.at_the_end else rest + values

        rows = {
            "input_ids": [padded(text.indexes, form.pad_index) for text in texts],
            "attention_mask": [padded([1] * len(text.indexes), 0) for text in texts],
            "token_type_ids": [
                padded(text.types or [0] * len(text.indexes), form.pad_type) for text in texts
            ],
        }
        inputs = tuple(torch.tensor(rows[name], dtype=torch.int64, device=device) for name in form.names)
        return cls(inputs, list(texts), form.names, form)

    def of_one_length(self) -> list[tuple[list[int], TextBatch]]:
        """See `TextBatch`: a model without an attention mask cannot tell filling from text."""
        if "attention_mask" in self.names and not self.form.alone:
            return super().of_one_length()
        rows: dict[int, list[int]] = {}
        for row, text in enumerate(self.texts):
            rows.setdefault(row if self.form.alone else len(text.indexes), []).append(row)
        device = self.inputs[0].device
        return [
            (same, self.of([self.texts[row] for row in same], self.form, device)) for same in rows.values()
        ]

    def __getitem__(self, rows: slice) -> NamedBatch:
        return self.of(self.texts[rows], self.form, self.inputs[0].device)
