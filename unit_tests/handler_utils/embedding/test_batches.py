"""A row holds an image or a text, and a batch has the parts that go into one call of the model."""

from __future__ import annotations

import base64

import pytest
import torch
from tiny_archives import photo

from ts.handler_utils.embedding.batches import MixedBatch, holds_image, mask_of, parts_of
from ts.handler_utils.text.batch import BagBatch, EncodedText, Form, NamedBatch, PaddedBatch

JPEG = photo("red")
TEXTS = [EncodedText(["a"], [4]), EncodedText(["b", "c"], [5, 6]), EncodedText(["d"], [7])]


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (JPEG, True),
        (bytearray(JPEG), True),
        (base64.b64encode(JPEG).decode(), True),
        (f"data:image/jpeg;base64,{base64.b64encode(JPEG).decode()}", True),
        ([[[0.5]]], True),
        ("a cat", False),
        (b"a cat", False),
        ("BMW", False),
        (b"BM is a mark of bitmaps", False),
        (b"", False),
        (None, False),
    ],
)
def test_what_a_row_holds(payload, expected):
    assert holds_image({"data": payload}) is expected


def test_images_of_one_size_are_one_part_and_others_one_a_size():
    images = torch.zeros(2, 3, 4, 4)
    assert [rows for rows, _ in parts_of(images)] == [[0, 1]]
    several = [torch.full((3, size, 4), float(size)) for size in (4, 8, 4)]
    parts = list(parts_of(several))
    assert [(rows, part.shape) for rows, part in parts] == [([0, 2], (2, 3, 4, 4)), ([1], (1, 3, 8, 4))]


def test_texts_without_a_mask_are_parts_of_one_length():
    masked = NamedBatch.of(TEXTS, Form(("input_ids", "attention_mask")))
    assert [rows for rows, _ in parts_of(masked)] == [[0, 1, 2]]
    assert mask_of(masked).tolist() == [[1, 0], [1, 1], [1, 0]]
    unmasked = list(parts_of(NamedBatch.of(TEXTS, Form(("input_ids",)))))
    assert [rows for rows, _ in unmasked] == [[0, 2], [1]]
    assert mask_of(unmasked[0][1]) is None


def test_only_padded_texts_have_a_mask():
    assert mask_of(PaddedBatch.of(TEXTS)).tolist() == [[1, 0], [1, 1], [1, 0]]
    assert mask_of(BagBatch.of(TEXTS)) is None
    assert mask_of(torch.zeros(1, 3, 4, 4)) is None


def test_a_mixed_batch_knows_the_rows_of_its_parts():
    mixed = MixedBatch(
        [([1, 3], [torch.zeros(3, 4, 4), torch.zeros(3, 8, 8)]), ([0, 2, 4], PaddedBatch.of(TEXTS))]
    )
    assert len(mixed) == 5
    assert [rows for rows, _ in parts_of(mixed)] == [[1], [3], [0, 2, 4]]
