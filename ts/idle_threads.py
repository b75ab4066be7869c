"""How long threads of torch that have nothing to do keep a CPU busy."""

from __future__ import annotations

import os

SPIN_COUNT = "20000"


def limit_spinning() -> None:
    """Lets idle threads of GNU's OpenMP, which are torch's on Linux, sleep after less than a millisecond.

    By default they spin for some milliseconds, after each inference, and so take the CPU from the threads that
    read the next batch. Between two operators of a model less time passes. The variable is read when torch is
    imported, and left alone where the environment says how to wait
    (https://gcc.gnu.org/onlinedocs/libgomp/GOMP_005fSPINCOUNT.html).
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", SPIN_COUNT)
