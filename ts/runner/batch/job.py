"""A job: files, what they are asked, and the table of their answers; it goes on where it was ended."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Callable, Optional, Union

from ts.runner.answering.metrics_file import read_metrics_file
from ts.runner.answering.model import check_integrity
from ts.runner.archives.archive import MANIFEST, Archive, open_archive
from ts.runner.batch.answerer import AnswererOptions
from ts.runner.batch.ledger import Ledger
from ts.runner.batch.listing import list_files
from ts.runner.batch.question import Question, absolute
from ts.runner.batch.row import Row
from ts.runner.errors import InputError, ServerError
from ts.runner.serving.ray.plan import check_choice, gpus_of, source_of
from ts.runner.serving.settings import serving_settings

FILES_AT_ONCE = 1_000_000  # of which the paths are in memory
MOST_SHOWN = 5  # files of a report that have no 200

Answered = Callable[[Sequence[str]], Iterator[list[Row]]]


@dataclass(frozen=True)
class Report:
    """What a job has come to.

    Attributes:
        output: Where the answers are.
        counts: How many files have each status; None counts those without an answer.
        refused: The first answers that are no 200.
    """

    output: Path
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
    """

    options: AnswererOptions
    facts: dict[str, Any]
    gpus: float


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
        InputError: The file of metrics cannot be read.
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
        return Planned(options, facts_of(opened, question), gpus_of(opened.config, device, gpus))


def facts_of(archive: Archive, question: Question) -> dict[str, Any]:
    manifest = hashlib.sha256((archive.root / MANIFEST).read_bytes()).hexdigest()
    model = {"model": archive.name, "version": archive.model["modelVersion"], "manifest sha256": manifest}
    asked = {name: dict(value) if name != "explain" else value for name, value in asdict(question).items()}
    return {**model, **asked}


class Job:
    """Files and their answers, for the time of a `with` block, in a file beside the output.

    Args:
        output: The table to be written, a `.parquet` file.
        inputs: See `list_files`.
        facts: What the answers depend on.
        resume: Whether to go on with what is there already.

    Raises:
        InputError: The output is there and it is not to be gone on with, or it was begun otherwise; an input is
            not there.
    """

    def __init__(
        self, output: Path, inputs: Sequence[str], facts: dict[str, Any], *, resume: bool = False
    ) -> None:
        self.output = output
        self._facts = facts
        with ExitStack() as failed:
            self._ledger = open_ledger(output, facts, resume)
            failed.push(self)
            self._ledger.add(list_files(inputs))
            if not self._ledger.counts():
                raise InputError(f"there are no files in {', '.join(inputs)}")
            failed.pop_all()

    def report(self) -> Report:
        return Report(self.output, self._ledger.counts(), self._ledger.refused(MOST_SHOWN))

    def run(self, answered: Answered, told: Callable[[Sequence[Row]], None]) -> None:
        """Answers what has no answer, and puts each down as it comes; tells of those that are new."""
        while paths := self._ledger.unanswered(FILES_AT_ONCE):
            new = 0
            for rows in answered(paths):
                new += self._ledger.record(rows)
                told(rows)
            if not new:
                raise ServerError(f"{len(paths)} files got no answer, the first of them {paths[0]}")

    def finish(self) -> Report:
        """Writes the table, by path; the job ends with it."""
        from ts.runner.batch.table import write_table

        report = self.report()
        write_table(self.output, self._ledger.rows(), self._facts)
        self._ledger.delete()
        return report

    def __enter__(self) -> Job:
        return self

    def __exit__(self, *error: object) -> None:
        """Keeps what is answered; of a job without any answer nothing stays."""
        if self._ledger.is_open:
            if set(self._ledger.counts()) <= {None}:
                self._ledger.delete()
            else:
                self._ledger.close()


def open_ledger(output: Path, facts: dict[str, Any], resume: bool) -> Ledger:
    from ts.runner.batch.table import read_facts, read_rows

    place = output.with_name(f"{output.name}.unfinished")
    check_output(output, place, resume)
    done = read_facts(output) if output.exists() else None
    check_facts(output, done, facts)
    ledger = Ledger(place)
    try:
        check_facts(output, ledger.facts, facts)
        ledger.facts = facts
        if done is not None:
            ledger.record(read_rows(output))
    except BaseException:
        ledger.close()
        raise
    return ledger


def check_output(output: Path, unfinished: Path, resume: bool) -> None:
    if output.suffix.lower() != ".parquet":
        raise InputError(f"--output {output}: answers are written as .parquet")
    if not output.parent.is_dir():
        raise InputError(f"--output {output}: there is no folder {output.parent}")
    for there, what in ((unfinished, "is a job that was not finished"), (output, "is there already")):
        if there.exists() and not resume:
            raise InputError(
                f"{there} {what}: --resume goes on with it and asks only what has no answer; to begin anew, delete"
                " it or name another --output"
            )


def check_facts(output: Path, begun: Optional[dict[str, Any]], facts: dict[str, Any]) -> None:
    differ = [name for name in facts if begun is not None and begun.get(name) != facts[name]]
    if differ and begun is not None:
        then = ", ".join(f"{name} {begun.get(name)}" for name in differ)
        now = ", ".join(f"{name} {facts[name]}" for name in differ)
        raise InputError(
            f"{output} was begun with {then}, not {now}: --resume goes on with the same archive and options only;"
            " name another --output"
        )
