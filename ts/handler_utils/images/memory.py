"""Memory for batches and for large tensors, such as a decoded photo of 12 megapixels."""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress

_HUGE_PAGES = "THP_MEM_ALLOC_ENABLE"  # read by torch when it makes its first tensor; from 2.2 on, on Linux
_OF_MALLOC = ("MALLOC_", "GLIBC_TUNABLES")  # how the variables begin that glibc's `malloc` is set by

# Of mallopt(3), in bytes: the largest values that glibc itself goes to, as larger and larger tensors are freed.
_THRESHOLDS = {-3: 2**25, -1: 2**26}  # M_MMAP_THRESHOLD, M_TRIM_THRESHOLD


def prepare_memory() -> None:
    """Has the memory of one batch serve the next, and asks for more of it by large pages.

    To get memory page by page, 4 KiB each, takes a third of the time in which a photo of 12 megapixels is decoded,
    and a twentieth of that in which a batch of small ones is read. So torch asks Linux for pages of 2 MiB, and
    glibc keeps up to 64 MiB that are free, rather than give them back after each batch. The environment comes
    first, where it says otherwise.
    """
    os.environ.setdefault(_HUGE_PAGES, "1")
    if any(name.startswith(_OF_MALLOC) for name in os.environ):
        return
    with suppress(AttributeError, TypeError, OSError):  # of another C library
        for parameter, value in _THRESHOLDS.items():
            ctypes.CDLL(None).mallopt(parameter, value)
