"""A job: files, what they are asked, and where their answers are kept; it goes on where it was ended."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Callable, Optional, Union

from ts.runner.answering.metrics_file import read_metrics_file
from ts.runner.answering.model import check_integrity
from ts.runner.archives.archive import MANIFEST, Archive, open_archive
from ts.runner.archives.inspection import file_facts
from ts.runner.batch.answerer import AnswererOptions
from ts.runner.batch.known import Known, known_of_archive
from ts.runner.batch.outputs.stores import Store
from ts.runner.batch.question import Question, absolute
from ts.runner.batch.row import Row
from ts.runner.errors import InputError, ServerError
from ts.runner.serving.ray.plan import check_choice, gpus_of, source_of
from ts.runner.serving.settings import serving_settings
from ts.runner.signals import undisturbed

FILES_AT_ONCE = 1_000_000  # of which the paths are in memory
MOST_SHOWN = 5  # files of a report that have no 200

Answered = Callable[[Sequence[str]], Iterator[list[Row]]]


@dataclass(frozen=True)
class Report:
    """What a job has come to.

    Attributes:
        counts: How many files have each status; None counts those without an answer.
        refused: The first answers that are no 200.
    """

    counts: dict[Optional[int], int]
    refused: list[Row]

    @property
    def files(self) -> int:
        return sum(self.counts.values())

    @property
    def answered(self) -> int:
        return self.files - self.counts.get(None, 0)


@dataclass(frozen=True)
class Planned:
    """An archive that is fit to answer, and what is said to workers of it.

    Attributes:
        options: What workers are told.
        facts: What answers depend on; a job goes on only with the same.
        gpus: That the archive asks for, a worker.
        known: What is known of its handler.
    """

    options: AnswererOptions
    facts: dict[str, Any]
    gpus: float
    known: Known


def plan(
    archive: Union[str, Path],
    question: Question,
    *,
    device: str = "auto",
    batch_size: Optional[int] = None,
    metrics_file: Union[str, Path, None] = None,
    max_size: Optional[int] = None,
    gpus: Optional[float] = None,
) -> Planned:
    """Opens an archive and compares its files with their digests.

    Raises:
        ArchiveError: It breaks the format, or its files are not as they were packed.
        DeviceError: `device` is neither "auto" nor "cpu", or there can be no such number of GPUs.
        InputError: The file of metrics cannot be read, or there is no such option.
    """
    check_choice(device, gpus)
    if metrics_file is not None:
        read_metrics_file(metrics_file)
        metrics_file = os.path.abspath(metrics_file)
    with open_archive(archive, max_size=max_size) as opened:
        check_integrity(opened)
        settings = serving_settings(opened, batch_size)
        source, level = absolute(source_of(opened), os.getcwd()), logging.getLogger().getEffectiveLevel()
        options = AnswererOptions(source, settings, question, device, metrics_file, max_size, level)
        known = known_of_archive(opened)
        known.check_options(dict(question.options))
        return Planned(options, facts_of(opened, question), gpus_of(opened.config, device, gpus), known)


def facts_of(archive: Archive, question: Question) -> dict[str, Any]:
    model = {"model": archive.name, "version": archive.model["modelVersion"], "content": digest_of(archive)}
    asked = {name: dict(value) if name != "explain" else value for name, value in asdict(question).items()}
    return {**model, **asked}


def digest_of(archive: Archive) -> str:
    """The sha256 of what an archive is, whenever it was written if that can be told."""
    manifest = dict(archive.manifest)
    if archive.source.is_dir():  # whose files may be others than when it was written
        plain = (name for name in archive.files() if name != MANIFEST and "__pycache__" not in name.parts)
        manifest["sha256"] = {str(name): file_facts(archive, name)["sha256"] for name in plain}
    if "sha256" in manifest:
        manifest.pop("createdOn", None)
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


class Job:
    """Files and their answers, for the time of a `with` block.

    Args:
        store: Where answers are kept; the job ends it.
        files: Those to be answered, see `list_files`; each is asked once.
        save: Makes files of answers before they are kept; returns the rows that say where these are.

    Raises:
        InputError: There are no files, or they cannot be listed.
    """

    def __init__(
        self, store: Store, files: Iterable[str], *, save: Callable[[Sequence[Row]], list[Row]] = list
    ) -> None:
        self._store, self._ledger, self._save = store, store.ledger, save
        with ExitStack() as failed:
            failed.push(self)
            self._ledger.add(files)
            if not self._ledger.counts():
                raise InputError("there are no files to be answered")
            failed.pop_all()

    @property
    def goes_on(self) -> bool:
        """Whether `--resume` goes on with it."""
        return self._store.goes_on

    def report(self) -> Report:
        return Report(self._ledger.counts(), self._ledger.refused(MOST_SHOWN))

    def run(self, answered: Answered, told: Callable[[Sequence[Row]], None]) -> None:
        """Answers what has no answer, and puts each down as it comes; tells of those that are new."""
        while paths := self._ledger.unanswered(FILES_AT_ONCE):
            new = 0
            for rows in answered(paths):
                with undisturbed():
                    new += self._store.record(self._save(rows))
                told(rows)
            if not new:
                raise ServerError(f"{len(paths)} files got no answer, the first of them {paths[0]}")

    def finish(self) -> Report:
        """Ends the job, whose output is whole."""
        report = self.report()
        self._store.finish()
        return report

    def __enter__(self) -> Job:
        return self

    def __exit__(self, *error: object) -> None:
        """Keeps what is answered; of a job without any answer nothing stays."""
        if self._ledger.is_open:
            self._store.leave()
