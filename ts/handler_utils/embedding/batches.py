"""Batches of images and texts, in the parts that a model takes at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Optional

import torch

from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.images.formats import marked_format
from ts.handler_utils.requests.payload import encoded_bytes, payload_of
from ts.handler_utils.text.batch import NamedBatch, PaddedBatch, TextBatch


@dataclass(frozen=True)
class MixedBatch:
    """Images and texts: batches of either, with the rows that are theirs."""

    parts: list[tuple[list[int], Any]]

    def __len__(self) -> int:
        return sum(len(rows) for rows, _ in self.parts)


def parts_of(batch: Any) -> Iterator[tuple[list[int], Any]]:
    """The parts of a batch that go into one call of the model, each with its rows.

    Args:
        batch: images of one size, a tensor [N, C, H, W]; of several, a list of tensors; texts; or a `MixedBatch`.
    """
    if isinstance(batch, MixedBatch):
        for rows, part in batch.parts:
            for places, piece in parts_of(part):
                yield [rows[place] for place in places], piece
    elif isinstance(batch, TextBatch):
        yield from batch.of_one_length()
    elif isinstance(batch, (list, tuple)):
        for shape in dict.fromkeys(image.shape for image in batch):
            rows = [row for row, image in enumerate(batch) if image.shape == shape]
            yield rows, torch.stack([batch[row] for row in rows])
    else:
        yield list(range(len(batch))), batch


def mask_of(part: Any) -> Optional[torch.Tensor]:
    """Where texts have tokens, int64 [N, L]; None where nothing is filled up."""
    if isinstance(part, NamedBatch):
        return dict(zip(part.names, part.inputs)).get("attention_mask")
    return part.inputs[1] if isinstance(part, PaddedBatch) else None


def holds_image(row: Any) -> bool:
    """Whether the payload of a row is an image, by its first bytes, or nested lists; else it is to be a text."""
    try:
        content = encoded_bytes(payload_of(row))
    except InvalidInput:  # which those who read texts tell of
        return False
    return content is None or (marked_format(content) is not None and not _is_text(bytes(content)))


def _is_text(content: bytes) -> bool:
    """Whether bytes may be a text: "BMW" begins as a BMP does."""
    try:
        return "\0" not in content.decode()
    except UnicodeError:
        return False
