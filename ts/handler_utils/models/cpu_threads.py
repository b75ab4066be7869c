"""How many threads torch computes by in a worker of TorchServe, whose CPUs other processes use too.

Threads of one operation wait for each other in a loop. Where one of them does not get a CPU, since another worker
or the server's frontend has it, all wait, for as long as the system lets the other run. Nothing changes here where
the environment or the handler says how many threads there are to be, nor in a process that is no such worker.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

import torch

from ts.handler_utils.images import threads
from ts.utils.siblings import count_siblings

WORKER = "model_service_worker.py"
CHOSEN_BY = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
FEW_WEIGHTS = 1_000_000  # by which a text is multiplied in less time than it takes to wake a thread up

_AT_FIRST = torch.get_num_threads()  # before a handler can have asked for another number
_unchosen = {_AT_FIRST}  # and those to which it was limited here


def share_cpus(config: Mapping[str, Any]) -> None:
    """Lets all workers of a model together compute, and read images, by as many threads as one would alone.

    Args:
        config: the archive's model-config.yaml, whose `minWorkers` is how many workers there are; without it
            TorchServe starts `default_workers_per_model` of them, by default one a CPU, which are counted.
    """
    if _is_worker():
        named = config.get("minWorkers")
        workers = max(1, named if isinstance(named, int) else 1, count_siblings(WORKER))
        _limit(max(1, _AT_FIRST // workers))
        threads.share_among(workers)


def compute_bags_alone(model: Any) -> None:
    """Lets one thread compute a bag of words, if its model has few weights but for those of the words."""
    weights = [each.numel() for each in model.parameters()] if isinstance(model, torch.nn.Module) else []
    if weights and sum(weights) - max(weights) <= FEW_WEIGHTS:
        _limit(1)


def _limit(most: int) -> None:
    now = torch.get_num_threads()
    if _is_worker() and now in _unchosen and most < now and not any(map(os.environ.get, CHOSEN_BY)):
        torch.set_num_threads(most)
        _unchosen.add(most)


def _is_worker() -> bool:
    return os.path.basename(sys.argv[0]) == WORKER
