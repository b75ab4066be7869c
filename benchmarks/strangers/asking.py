"""Sends requests to a handler in a process of its own, which is followed by another where a request ends it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Optional

from benchmarks.strangers.archives import Archive, Way
from benchmarks.strangers.attacks import MOST_BYTES, Attack
from benchmarks.strangers.corpus import ordinary_attack
from benchmarks.strangers.trials import Answered, Asked
from benchmarks.strangers.verdicts import Trial
from benchmarks.workers.processes import ROOT, Worker, WorkerError

TASKS = "benchmarks.strangers.trials"
SECONDS = 20.0  # until a request is taken for one that does not end

Progress = Callable[[int], Any]


def try_archive(
    archive: Archive, wanted: Sequence[tuple[Attack, Way]], progress: Progress = lambda _: None
) -> list[Trial]:
    """Sends requests to an archive, one after the other.

    Args:
        archive: whom.
        wanted: the requests, each with the way of asking.
        progress: called with the number of those that are answered.
    """
    trials = []
    with tempfile.TemporaryDirectory(prefix="strangers-") as folder, Asking(archive, Path(folder)) as asking:
        for attack, way in wanted:
            trials.append(
                Trial(archive, attack.kind, attack.name, way.name, asking.ask(request(archive, attack, way)))
            )
            progress(len(trials))
    return trials


def request(archive: Archive, attack: Attack, way: Way) -> Asked:
    """A request. Options are fields of a form, or headers where an envelope reads the whole body.

    Raises:
        ValueError: it is larger than those that the budget is for.
    """
    parts = attack.parts({} if archive.envelope else way.options)
    headers = {f"ts-{name}": value for name, value in way.options.items()} if archive.envelope else {}
    size = sum(map(len, parts.values()))
    if size > MOST_BYTES:
        raise ValueError(f"{attack.kind}: {attack.name} has {size} bytes")
    return Asked(parts, attack.content_type, {**attack.headers, **headers}, way.explain)


class Asking:
    """An archive, and the worker that has it now."""

    def __init__(self, archive: Archive, folder: Path) -> None:
        self._archive, self._folder = archive, folder
        self._model = archive.write(folder)
        self._worker: Optional[Worker] = None

    def __enter__(self) -> Asking:
        return self

    def __exit__(self, *_: Any) -> None:
        self._stop()

    def ask(self, asked: Asked) -> Answered:
        worker = self._worker or self._start()
        try:
            return worker.ask_within(SECONDS, "ask", asked)
        except WorkerError as error:
            self._stop()
            return Answered(0, 0, SECONDS, 0.0, f"no answer: {error}"[:200])

    def _start(self) -> Worker:
        """A worker that has answered an ordinary request in each way, and is at rest.

        Raises:
            WorkerError: it has not.
        """
        self._worker = worker = Worker([str(ROOT), *sys.path], TASKS)
        archive = self._archive
        worker.ask("start", str(self._folder), self._model, dict(archive.settings), archive.envelope)
        for way in archive.ways:
            answered = worker.ask_within(SECONDS, "ask", request(archive, ordinary_attack(archive), way))
            if answered.status != 200:
                raise WorkerError(f"{archive.name}: an ordinary request ({way.name}): {answered.message}")
        worker.ask("rest")
        return worker

    def _stop(self) -> None:
        if self._worker is not None:
            self._worker.stop()
            self._worker = None
