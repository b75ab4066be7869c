"""What an archive's settings say of how it is to be served, by TorchServe's names and defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

from ts.runner.archives.archive import Archive
from ts.runner.errors import ArchiveError
from ts.utils.documents import shown

MAX_REQUEST_SIZE = 6_553_500  # bytes of a body; TorchServe's default


@dataclass(frozen=True)
class ServingSettings:
    """How an archive is served.

    Attributes:
        batch_size: The most requests that its handler gets at once.
        max_batch_delay: Milliseconds that the first request of a batch waits for others.
        min_workers: Processes that answer.
        max_workers: As many as they may become, where an engine adds some by load.
        job_queue_size: Requests that may wait for a worker; more are refused.
        response_timeout: Seconds in which a batch must be answered.
        startup_timeout: Seconds in which the handler must have started.
    """

    batch_size: int = 1
    max_batch_delay: int = 100
    min_workers: int = 1
    max_workers: int = 1
    job_queue_size: int = 100
    response_timeout: int = 120
    startup_timeout: int = 120


def serving_settings(archive: Archive, batch_size: Optional[int] = None) -> ServingSettings:
    """The settings of an archive.

    Args:
        archive: The archive.
        batch_size: In place of its `batchSize`.

    Raises:
        ArchiveError: A value is no whole number, or too small.
    """
    least = max(1, whole_number(archive, "minWorkers", 1, least=0))
    return ServingSettings(
        batch_size=batch_size or whole_number(archive, "batchSize", 1),
        max_batch_delay=whole_number(archive, "maxBatchDelay", 100, least=0),
        min_workers=least,
        max_workers=max(least, whole_number(archive, "maxWorkers", least)),
        job_queue_size=whole_number(archive, "jobQueueSize", 100),
        response_timeout=whole_number(archive, "responseTimeout", 120),
        startup_timeout=whole_number(archive, "startupTimeout", 120),
    )


def whole_number(archive: Archive, key: str, default: int, *, least: int = 1) -> int:
    value: Any = archive.config.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        allowed = "above 0" if least else "of at least 0"
        raise ArchiveError(
            f"{key} in the settings of {archive.origin} must be a whole number {allowed}, not {shown(value)}"
        )
    return value
