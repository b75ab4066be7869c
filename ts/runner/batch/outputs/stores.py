"""Keeps the answers of a job: in a table that is made at the end, in lines as they come, or only by number."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

from ts.runner.batch.ledger import Ledger
from ts.runner.batch.outputs.lines import FORMATS
from ts.runner.batch.outputs.lines_file import LinesFile
from ts.runner.batch.row import Row
from ts.runner.errors import InputError

TABLE = ".parquet"
SUFFIXES = (*FORMATS, TABLE)
SAVED_IN = "saved in"  # the fact that names the folder of answers


class Store:
    """Keeps no answers, but how many there are of each status, and what those say that are no 200.

    Attributes:
        ledger: What of the job is answered.
        goes_on: Whether `--resume` goes on with it after it has been left.
    """

    goes_on = False

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def record(self, rows: Sequence[Row]) -> int:
        """Puts down answers; a file's first one stays. Returns how many were new.

        Raises:
            InputError: They cannot be written.
        """
        return self.ledger.record(map(without_content, rows))

    def finish(self) -> None:
        """Writes what is to stay, when all is answered."""
        self.ledger.delete()

    def leave(self) -> None:
        """Keeps what is answered; of a job without any answer nothing stays."""
        self.ledger.delete()


class LinesStore(Store):
    """Answers as lines, in the order in which they come."""

    goes_on = True

    def __init__(self, file: LinesFile) -> None:
        super().__init__(Ledger(None))
        self._file = file

    def record(self, rows: Sequence[Row]) -> int:
        new = [row for row in rows if not self.ledger.has_answer(row.path)]
        self._file.append(new)
        return super().record(new)

    def finish(self) -> None:
        super().finish()
        self._file.close()

    def leave(self) -> None:
        if self._file.is_new and set(self.ledger.counts()) <= {None}:
            self._file.delete()
        else:
            self._file.close()
        super().leave()


class TableStore(Store):
    """Answers in a file beside the table, until that is made of them."""

    goes_on = True

    def __init__(self, ledger: Ledger, table: Path, facts: dict[str, Any]) -> None:
        super().__init__(ledger)
        self._table, self._facts = table, facts

    def record(self, rows: Sequence[Row]) -> int:
        return self.ledger.record(row._replace(content=b"") if is_elsewhere(row) else row for row in rows)

    def finish(self) -> None:
        from ts.runner.batch.outputs.table import write_table

        write_table(self._table, self.ledger.rows(), self._facts, saved=SAVED_IN in self._facts)
        self.ledger.delete()

    def leave(self) -> None:
        if set(self.ledger.counts()) <= {None}:
            self.ledger.delete()
        else:
            self.ledger.close()


def open_store(
    output: Optional[Path], facts: dict[str, Any], *, resume: bool = False, force: bool = False
) -> Store:
    """What keeps the answers for an output, with those that are there already.

    Args:
        output: None for none.
        facts: What answers depend on.
        resume: Whether to go on with what is there.
        force: Whether to delete what is there.

    Raises:
        InputError: There is something, and neither is asked for; or it was begun with other facts.
    """
    if output is None:
        return Store(Ledger(None))
    check_output(output, resume or force)
    if output.suffix.lower() == TABLE:
        return table_store(output, facts, resume)
    return lines_store(output, facts, resume)


def check_output(output: Path, may_be_there: bool) -> None:
    """Refuses an output that cannot be written, or is there."""
    if output.suffix.lower() not in SUFFIXES:
        raise InputError(f"--output {output}: answers are written as {', '.join(SUFFIXES)}")
    if not output.parent.is_dir():
        raise InputError(f"--output {output}: there is no folder {output.parent}")
    if output.suffix.lower() == TABLE:
        import_pyarrow(output)
    unfinished = unfinished_of(output)
    for there, what in ((unfinished, "is a job that was not finished"), (output, "is there already")):
        if there.exists() and not may_be_there:
            raise InputError(
                f"{there} {what}: --resume goes on with it and asks only what has no answer; --force begins anew"
            )


def import_pyarrow(output: Path) -> None:
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"--output {output} needs pyarrow ({error}): pip install 'torchserve-handlers[parquet]',"
            " or write .jsonl or .csv"
        ) from error


def unfinished_of(table: Path) -> Path:
    return table.with_name(f"{table.name}.unfinished")


def lines_store(output: Path, facts: dict[str, Any], resume: bool) -> Store:
    file = LinesFile(output, FORMATS[output.suffix.lower()])
    store = LinesStore(file)
    try:
        if file.is_new or not resume:
            file.begin(facts)
            return store
        if file.facts is None:
            raise InputError(
                f"{output} lies without its {file.facts_place.name}, so that it is not known what was asked:"
                " --force begins anew"
            )
        check_facts(output, file.facts, facts)
        store.ledger.record(file.rows())
    except BaseException:
        store.leave()
        raise
    return store


def table_store(output: Path, facts: dict[str, Any], resume: bool) -> Store:
    from ts.runner.batch.outputs.table import read_facts, read_rows

    done = read_facts(output) if resume and output.exists() else None
    check_facts(output, done, facts)
    ledger = Ledger(unfinished_of(output))
    try:
        if not resume:
            ledger.clear()
            output.unlink(
                missing_ok=True
            )  # else its rows would be taken for this job's, if that is ended early
        check_facts(output, ledger.facts, facts)
        ledger.facts = facts
        if done is not None:
            ledger.record(read_rows(output))
    except BaseException:
        ledger.close()
        raise
    return TableStore(ledger, output, facts)


def check_facts(output: Path, begun: Optional[dict[str, Any]], facts: dict[str, Any]) -> None:
    if begun is None:
        return
    differ = [name for name in {**begun, **facts} if begun.get(name) != facts.get(name)]
    if differ:
        then = ", ".join(f"{name} {begun.get(name)}" for name in differ)
        now = ", ".join(f"{name} {facts.get(name)}" for name in differ)
        raise InputError(
            f"{output} was begun with {then}, not {now}: --resume goes on with the same archive and options only;"
            " name another --output"
        )


def is_elsewhere(row: Row) -> bool:
    """Whether a table leaves its content to the file where it was saved."""
    return row.saved is not None and row.text is None


def without_content(row: Row) -> Row:
    return row._replace(content=b"") if row.status == 200 else row
