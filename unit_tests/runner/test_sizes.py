from __future__ import annotations

import pytest

from ts.runner.sizes import read_size


@pytest.mark.parametrize(
    ("text", "size"), [("1", 1), ("5000000", 5_000_000), ("3k", 3072), ("500M", 500 << 20), ("20G", 20 << 30)]
)
def test_sizes_are_bytes_or_have_a_unit(text: str, size: int) -> None:
    assert read_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5G", "G", "12X", "²", "1 G", "9" * 19])
def test_other_texts_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="is no number of bytes, such as 5000000, 500M or 20G"):
        read_size(text)
