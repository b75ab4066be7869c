"""Huge pages of memory for large tensors, such as a decoded photo of 12 megapixels."""

from __future__ import annotations

import os

_ENABLE = "THP_MEM_ALLOC_ENABLE"  # read by torch when it makes its first tensor; from 2.2 on, on Linux


def use_huge_pages() -> None:
    """Lets torch ask Linux for pages of 2 MiB, unless the environment says otherwise.

    To get the memory of a photo of 12 megapixels page by page, 4 KiB each, takes a third of the time that its
    decoding takes.
    """
    os.environ.setdefault(_ENABLE, "1")
