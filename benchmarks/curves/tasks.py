"""What the process of a contender does for a curve: it answers calls, and says how long each took."""

from __future__ import annotations

import atexit
import re
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable, Optional

from benchmarks.workers.spec import Answer, Spec
from benchmarks.workers.tasks import encoded, make_context, rows_of, start_handler

PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
MOST_CALLS = 2000
LARGEST = 1 << 40  # bytes that an archive may unpack to


class Tasks:
    """The messages that a worker understands."""

    def __init__(self) -> None:
        self._answers: list[Answer] = []
        self._handlers: dict[str, Any] = {}

    def prepare(self, specs: list[Spec]) -> None:
        """Gets ready to answer the batch of each; those of one folder share a handler."""
        self._answers += [TASKS[spec.task](spec, self._handlers) for spec in specs]

    def answer(self, number: int) -> None:
        """Answers the batch of a point once."""
        self._answers[number](0)

    def peak(self) -> Optional[float]:
        """The most memory that the process has held, in megabytes."""
        return peak()

    def calls(self, number: int, seconds: float, least: int) -> tuple[list[float], Optional[float]]:
        """Answers the batch of a point again and again.

        Args:
            number: of the point.
            seconds: to go on for.
            least: calls, however long they take.

        Returns:
            The seconds of each call, and the most memory that the process held meanwhile, in megabytes.
        """
        answer = self._answers[number]
        taken: list[float] = []
        forget_peak()
        end = time.perf_counter() + seconds
        while len(taken) < least or (time.perf_counter() < end and len(taken) < MOST_CALLS):
            start = time.perf_counter()
            answer(0)
            taken.append(time.perf_counter() - start)
        return taken, peak()


def handle(spec: Spec, handlers: dict[str, Any]) -> Answer:
    """Whole batches, from rows to answers."""
    handler, context, rows = started(spec, handlers)
    finish = encoded if spec.encoded else list
    return lambda _: finish(checked(handler.handle(rows, context), context))


def handle_one_by_one(spec: Spec, handlers: dict[str, Any]) -> Answer:
    """The rows each in a batch of its own, for a handler that answers only the first."""
    handler, context, rows = started(spec, handlers)
    finish = encoded if spec.encoded else list
    return lambda _: finish([checked(handler.handle([row], context), context)[0] for row in rows])


def handle_in_a_worker(spec: Spec, handlers: dict[str, Any]) -> Answer:
    """As `handle`, in what the handler takes for a worker of TorchServe, which shares the CPUs with others."""
    sys.argv[0] = "model_service_worker.py"
    return handle(spec, handlers)


def started(spec: Spec, handlers: dict[str, Any]) -> tuple[Any, Any, list[Any]]:
    if spec.folder not in handlers:
        handlers[spec.folder] = start_handler(spec)[0]
    return handlers[spec.folder], make_context(spec), rows_of(spec)[0]


def checked(answers: list[Any], context: Any) -> list[Any]:
    """The answers of a batch, each of which must be one: a refusal would be the fastest of all.

    Raises:
        RuntimeError: one is none.
    """
    for row, answer in enumerate(answers):
        code = context.get_response_status(row)[0] if hasattr(context, "get_response_status") else 200
        if code != 200:
            raise RuntimeError(f"row {row} is answered with {code}: {str(answer)[:200]}")
    return answers


def packed(spec: Spec, _: dict[str, Any]) -> Answer:
    """This library's runner with the archive that lies packed beside the folder, unpacked in this process."""
    from ts.runner import load_archive

    opened = load_archive(f"{spec.folder}.mar", max_size=LARGEST)
    model = opened.__enter__()
    atexit.register(opened.__exit__, None, None, None)

    def answer(_: int) -> list[Any]:
        answers = model.predict([bytes(row) for row in spec.batches[0]])
        assert all(each.status == 200 for each in answers), answers
        return answers

    return answer


def own_pipeline(spec: Spec, _: dict[str, Any]) -> Answer:
    """See `benchmarks.workers.yardsticks`."""
    from benchmarks.workers.yardsticks import own_pipeline as answer_by

    return answer_by(spec)


TASKS: dict[str, Callable[[Spec, dict[str, Any]], Answer]] = {
    "handle": handle,
    "handle_in_a_worker": handle_in_a_worker,
    "handle_one_by_one": handle_one_by_one,
    "packed": packed,
    "own_pipeline": own_pipeline,
}


def forget_peak() -> None:
    """From now on `peak` is that of what follows: proc(5), /proc/PID/clear_refs."""
    with suppress(OSError):
        CLEAR.write_text("5")


def peak() -> Optional[float]:
    """The most memory that this process has held (resident), in megabytes; None where there is no /proc."""
    try:
        found = PEAK.search(STATUS.read_text())
    except OSError:
        return None
    return int(found[1]) * 1024 / 1e6 if found else None
