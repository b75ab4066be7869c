"""A worker process of the embedded engine: it answers batches by one handler, until its owner is gone.

Started as `python -m ts.runner.serving.embedded.worker OPTIONS`. Batches come over a socket, whose descriptor is
among the options. Standard input is a pipe into which nobody writes: its end means that the owner has ended,
however that was.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Optional

from ts.runner.answering.device import cuda_devices, gpu_id
from ts.runner.answering.model import Model, start_archive
from ts.runner.archives.archive import Archive, read_archive
from ts.runner.errors import RunnerError
from ts.runner.serving.answerer import answer_calls
from ts.runner.serving.embedded.faults import FaultsOnce
from ts.runner.serving.embedded.messages import Messages, pack, pack_answered, pack_part, unpack_calls
from ts.runner.serving.replies import Reply

CHUNK = 1 << 20  # bytes of a message that are read at once


@dataclass(frozen=True)
class WorkerOptions:
    """What a worker is told.

    Attributes:
        source: The archive's path.
        origin: The archive, as messages show it.
        root: The folder where it lies unpacked.
        index: Which of the archive's workers it is, from 0.
        device: "auto" (a GPU, if there is any; each worker the next one), "cpu" or "cuda:N".
        batch_size: The most rows of a batch, in place of the archive's `batchSize`.
        metrics_file: Defines metrics that the handler finds.
        log_level: Of Python's logging.
    """

    source: str
    origin: str
    root: str
    index: int
    device: str
    batch_size: Optional[int] = None
    metrics_file: Optional[str] = None
    log_level: int = logging.WARNING

    def arguments(self, descriptor: int) -> list[str]:
        """The command line's, after the interpreter."""
        return ["-m", __spec__.name, json.dumps({**asdict(self), "descriptor": descriptor})]


def main(argument: str) -> int:
    options: dict[str, Any] = json.loads(argument)
    channel = socket.socket(fileno=options.pop("descriptor"))
    channel.set_inheritable(False)
    given = WorkerOptions(**options)
    log = logging.StreamHandler()
    log.setFormatter(FaultsOnce(f"{Path(given.origin).name.replace('%', '%%')}: %(name)s: %(message)s"))
    logging.basicConfig(level=given.log_level, handlers=[log])
    threading.Thread(target=end_with_owner, daemon=True).start()
    try:
        with started(given) as model, model.scope.active():
            channel.sendall(pack({"ready": True}))
            work(channel, model)
    except RunnerError as error:
        channel.sendall(pack({"ready": False, "reason": str(error)}))
        return 1
    return 0


def end_with_owner() -> None:
    """Waits for the owner's end, and ends this process and all that it started, whatever it is doing."""
    os.read(0, 1)
    os.killpg(0, signal.SIGKILL)


@contextmanager
def started(options: WorkerOptions) -> Iterator[Model]:
    """The archive's handler, started, in a process that serves nothing else."""
    archive = read_archive(Path(options.source), Path(options.root), options.origin)
    if options.batch_size is not None:
        archive = replace(archive, config={**archive.config, "batchSize": options.batch_size})
    device = chosen_device(options, archive)
    with start_archive(archive, device=device, metrics_file=options.metrics_file) as model:
        yield model


def chosen_device(options: WorkerOptions, archive: Archive) -> str:
    """The device of a worker: those of one archive take GPUs in turn, of the archive's `deviceIds` or of all."""
    if options.device != "auto" or gpu_id("auto", archive.config) is None:
        return options.device
    ids = archive.config.get("deviceIds") or range(cuda_devices())
    return f"cuda:{ids[options.index % len(ids)]}"


def work(channel: socket.socket, model: Model) -> None:
    """Answers one batch after the other, until the owner closes the socket."""

    def tell(index: int, part: Reply) -> None:
        channel.sendall(pack_part(index, part))

    messages = Messages()
    while data := channel.recv(CHUNK):
        for message in messages.feed(data):
            told = tell if message.head["in_parts"] else None
            channel.sendall(pack_answered(answer_calls(model, unpack_calls(message), told)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
