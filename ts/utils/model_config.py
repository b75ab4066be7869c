"""The keys at the top of model-config.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ts.utils.spelling import nearest

# Those that TorchServe 0.12's frontend reads (ModelConfig.java), and then sections for handlers: of its own Python
# code, and of its examples.
KNOWN_KEYS = (
    "minWorkers",
    "maxWorkers",
    "batchSize",
    "maxBatchDelay",
    "responseTimeout",
    "startupTimeout",
    "clientTimeoutInMills",
    "maxRetryTimeoutInSec",
    "deviceType",
    "deviceIds",
    "parallelType",
    "parallelLevel",
    "torchrun",
    "jobQueueSize",
    "useJobTicket",
    "sequenceBatching",
    "continuousBatching",
    "asyncCommunication",
    "sequenceMaxIdleMSec",
    "sequenceTimeoutMSec",
    "maxNumSequence",
    "maxSequenceJobQueueSize",
    "useVenv",
    "handler",
    "pt2",
    "micro_batching",
    "deepspeed",
    "pippy",
    "dali",
)


def misspelt_keys(config: Mapping[Any, Any]) -> dict[str, str]:
    """The keys that are none of `KNOWN_KEYS` but nearly so, each with the one that was meant.

    Handlers may have sections of their own, so that a key like no other is right.
    """
    unknown = [str(key) for key in config if key not in KNOWN_KEYS]
    meant = {key: nearest(key, KNOWN_KEYS) for key in unknown}
    return {key: name for key, name in meant.items() if name is not None and name not in config}
