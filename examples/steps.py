"""Run a command as one step of a longer job: its progress on one line, all of its output in a log."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

TAIL_LINES = 15
POLL_SECONDS = 0.2
HEARTBEAT_SECONDS = 20.0
INTERRUPT_GRACE_SECONDS = 30.0
PIPE_SECONDS = 5.0  # how long what a command left running may hold its output open


class StepFailedError(RuntimeError):
    """A step's command ended with a status other than 0.

    Attributes:
        label: of the step.
        log: the file that holds all of the command's output.
    """

    def __init__(self, label: str, status: int, log: Path) -> None:
        super().__init__(f"{label} failed with exit status {status}; the whole log is {log}")
        self.label = label
        self.log = log

    def tail(self) -> str:
        """The last lines of the log, indented."""
        with self.log.open(encoding="utf-8", errors="replace") as log:
            return "".join(f"    {line.rstrip()}\n" for line in deque(log, maxlen=TAIL_LINES))


def exit_code(run: Callable[[], int], *errors: type[Exception]) -> int:
    """Runs a script, and says in a sentence what went wrong if something does.

    Args:
        run: the script.
        errors: that say it, beside a step's.

    Returns:
        Its exit status.
    """
    try:
        return run()
    except StepFailedError as error:
        print(f"{error.tail()}\n{error}", file=sys.stderr)
        return 2
    except errors as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130


def columns() -> int:
    """Columns that a line may fill without wrapping."""
    return shutil.get_terminal_size(fallback=(120, 24)).columns - 1


class ProgressLine:
    """Tells what a running step does: one line redrawn on a terminal, elsewhere a line now and then."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.started = time.monotonic()
        self._live = sys.stdout.isatty()
        self._next_heartbeat = HEARTBEAT_SECONDS

    @property
    def seconds(self) -> float:
        """Seconds since the step started."""
        return time.monotonic() - self.started

    def show(self, detail: str) -> None:
        """Show the seconds so far and `detail`, the last line that the step's command printed."""
        text = f"   ...  {self.label}  {self.seconds:.0f} s  {detail}"[: columns()]
        if self._live:
            print("\r" + text.ljust(columns()), end="", flush=True)
        elif self.seconds >= self._next_heartbeat:
            self._next_heartbeat += HEARTBEAT_SECONDS
            print(text, flush=True)

    def finish(self, result: str) -> None:
        """Replace the line by the step's result and time."""
        if self._live:
            print("\r" + " " * columns() + "\r", end="")
        print(f"{result:>6}  {self.label}  {self.seconds:.1f} s", flush=True)


def run_step(label: str, command: Sequence[str | Path], log: Path, *, echo: bool = False) -> None:
    """Run a command without standard input, and print one line with its result and time.

    Args:
        label: what the step does, for people.
        command: program and arguments.
        log: file that receives the command's output; its folder is made if need be.
        echo: print the output as it comes, in place of the progress line.

    Raises:
        StepFailedError: if the command ends with a status other than 0.
    """
    progress = ProgressLine(label)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as file:
        status = _run(command, file, None if echo else progress)
    progress.finish("FAILED" if status else "ok")
    if status:
        raise StepFailedError(label, status, log)


def _run(command: Sequence[str | Path], log: TextIO, progress: ProgressLine | None) -> int:
    process = subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    latest = deque([""], maxlen=1)
    copier = threading.Thread(
        target=_copy_output, args=(process.stdout, log, latest, progress is None), daemon=True
    )
    copier.start()
    try:
        while (status := _wait(process, POLL_SECONDS)) is None:
            if progress:
                progress.show(latest[0])
    finally:
        _end(process)
        copier.join(PIPE_SECONDS)
    return status


def _wait(process: subprocess.Popen[str], seconds: float) -> int | None:
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def _end(process: subprocess.Popen[str]) -> None:
    """After Ctrl-C, which the terminal sends to the command too, give it time to clean up, then end it."""
    try:
        _wait(process, INTERRUPT_GRACE_SECONDS)
    finally:
        process.kill()
        process.wait()


def _copy_output(output: TextIO, log: TextIO, latest: deque[str], echo: bool) -> None:
    with output:  # closed even if writing fails, so that the command does not wait for a reader forever
        for line in output:
            log.write(line)
            latest.append(line.strip() or latest[0])
            if echo:
                print(line, end="", flush=True)
