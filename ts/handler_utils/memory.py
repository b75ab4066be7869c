"""Memory for batches: that of one serves the next, and what is free goes back to the system each minute.

New memory is dear, since the system fills it with zeros, page by page: where tensors are large, as those of 64
photos in a small network or of 16 in ResNet-50 are, that is up to half of the time of a batch. By itself glibc's
`malloc` gets tensors of more than 32 MiB from the system each time, and gives back what is free at its end.
"""

from __future__ import annotations

import ctypes
import os
import threading
import time
from contextlib import suppress
from typing import Any, Callable

SECONDS = 60.0  # after which free memory goes back

_HUGE_PAGES = "THP_MEM_ALLOC_ENABLE"  # read by torch when it makes its first tensor; from 2.2 on, on Linux
_OF_MALLOC = ("MALLOC_", "GLIBC_TUNABLES")  # how the variables begin that glibc's `malloc` is set by
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of mallopt(3)
_MOST = 2**31 - 1  # bytes
_THREAD = "gives-free-memory-back"


def ask_for_huge_pages() -> None:
    """Has torch ask Linux for pages of 2 MiB, unless the environment says otherwise; before its first tensor.

    To get memory by pages of 4 KiB takes a third of the time in which a photo of 12 megapixels is decoded.
    """
    os.environ.setdefault(_HUGE_PAGES, "1")


def keep_memory() -> None:
    """Has glibc keep the memory that is free, for the next batch, and give it back each minute.

    To be called when a model is loaded: what was needed for that alone goes back at once or within a minute.
    Nothing happens with another C library, nor where the environment sets `malloc`, which comes first.
    """
    if any(name.startswith(_OF_MALLOC) for name in os.environ):
        return
    with suppress(AttributeError, TypeError, OSError):  # of another C library
        library = ctypes.CDLL(None)
        trim = library.malloc_trim
        library.mallopt(_M_MMAP_MAX, 0)
        library.mallopt(_M_TRIM_THRESHOLD, _MOST)
        _give_back_each_minute(trim)


def _give_back_each_minute(trim: Callable[[int], Any]) -> None:
    """Starts a thread that does, in a process that has none: it takes some milliseconds of a minute."""
    if _THREAD not in {thread.name for thread in threading.enumerate()}:
        threading.Thread(target=_give_back, args=(trim,), name=_THREAD, daemon=True).start()


def _give_back(trim: Callable[[int], Any]) -> None:
    while True:
        time.sleep(SECONDS)
        trim(0)
