"""Times the contenders of a case in turn, so that whatever else the machine does meets them all alike."""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional
from unittest.mock import patch

from benchmarks.cases import Batches, Case, Contender, Goal
from benchmarks.inputs import Inputs
from benchmarks.measuring.agreement import compare
from benchmarks.measuring.quantizing import INPUTS, in_int8
from benchmarks.models import Unpacked
from benchmarks.processes.trees import peak_memory
from benchmarks.results import CaseResult, Figures, Finding, quartiles
from benchmarks.workers.processes import Worker, WorkerError, search_path
from benchmarks.workers.spec import Spec

QUICK_ROWS = 2
CACHE = "TORCHSERVE_HANDLERS_CACHE"
WARM_UPS = 5


@dataclass(frozen=True)
class Plan:
    """How a run measures.

    Attributes:
        upstream: the folder that torchserve's `ts` lies in.
        device: "cpu" or "cuda".
        rounds: how often each contender is timed.
        seed: of inputs and weights.
        batches: different batches that are answered in turn.
        least_seconds: shorter runs are repeated until they take about so long.
        quick: small batches, to try the scripts.
        news: the file that texts are drawn from; None for made-up ones.
    """

    upstream: Path
    device: str
    rounds: int
    seed: int
    batches: int = 2
    least_seconds: float = 0.3
    quick: bool = False
    news: Optional[Path] = None


def measure(case: Case, plan: Plan, folder: Path) -> CaseResult:
    """Measures one case.

    Args:
        case: the case.
        plan: how.
        folder: an empty one, for the archive.
    """
    inputs = Inputs(plan.seed, plan.news)
    rows = min(case.rows, QUICK_ROWS) if plan.quick else case.rows
    if all(contender.missing() for contender in case.contenders):
        return CaseResult(
            case.name, case.title, case.unit, [absent(each, rows) for each in case.contenders], []
        )
    say(f"{case.name}: drawing {plan.batches} batches of {rows}")
    batches = [case.draw(inputs, rows) for _ in range(plan.batches)]
    archive = case.unpack(folder / "archive", inputs, batches, plan.seed)
    quantized = quantize(case, archive, inputs, folder / "quantized")
    kept = {CACHE: str((folder / "cache").resolve())}  # what this library keeps between starts
    with ExitStack() as stack, patch.dict(os.environ, kept):
        timers = [
            stack.enter_context(Timer(case, each, plan, quantized if each.int8 else archive, batches))
            for each in case.contenders
        ]
        for timer in timers:
            timer.prepare()
        for number in range(plan.rounds):
            say(f"{case.name}: round {number + 1} of {plan.rounds}")
            for timer in timers if number % 2 == 0 else reversed(timers):
                timer.time(number)
    check_answers(case, timers)
    figures = [timer.figures for timer in timers]
    return CaseResult(case.name, case.title, case.unit, figures, findings(case.goals, figures))


def quantize(case: Case, archive: Unpacked, inputs: Inputs, folder: Path) -> Unpacked:
    """The archive in int8, if a contender has use for it; else as it is."""
    if not any(each.int8 and not each.missing() for each in case.contenders):
        return archive
    say(f"{case.name}: quantizing")
    return in_int8(archive, case.draw(inputs, INPUTS), folder)


class Timer:
    """Times one contender."""

    def __init__(
        self, case: Case, contender: Contender, plan: Plan, archive: Unpacked, batches: Batches
    ) -> None:
        self.contender = contender
        self.figures = Figures(contender.name, len(batches[0]) * contender.copies)
        self.answers: Optional[list[Any]] = None
        self._plan = plan
        self._paths = search_path(contender.side, plan.upstream)
        self._workers: list[Worker] = []
        self._repeats = 1
        self._spec = Spec(
            contender.side,
            contender.task,
            str(archive.folder.resolve()),
            archive.manifest,
            dict(contender.config),
            plan.device,
            batches,
            case.encoded,
        )

    def __enter__(self) -> Timer:
        return self

    def __exit__(self, *_: Any) -> None:
        for worker in self._workers:
            worker.stop()

    def prepare(self) -> None:
        """Starts its processes, warms them up on every batch, and takes their answers to the first."""
        self.figures.missing = self.contender.missing()
        if self.figures.missing:
            return
        say(f"  preparing {self.contender.name}")
        try:
            if self.contender.fresh:
                self.figures.first = self._life()
                return
            self._workers = [Worker(self._paths) for _ in range(self.contender.copies)]
            for worker in self._workers:
                self.figures.notes = worker.ask("prepare", self._spec)
            once = self._warm_up()
            if self.contender.side != "machine":  # only now: another checks an engine's first answers
                self.answers = self._workers[0].ask("answers")
        except WorkerError as error:
            self._fail(error)
            return
        self._repeats = max(1, round(self._plan.least_seconds / once))
        if self.contender.copies > 1:  # so long that it hardly counts that one of them ends before the other
            self._repeats = max(self._repeats, 2 if self._plan.quick else 8)

    def time(self, number: int) -> None:
        """Adds the figure of a round."""
        if self.figures.missing:
            return
        try:
            seconds = self._life() if self.contender.fresh else self._run(number, self._repeats)
        except WorkerError as error:
            self._fail(error)
            return
        self.figures.seconds.append(seconds)
        self._note_memory(self._workers)

    def _warm_up(self) -> float:
        """Runs until it gets no faster: a compiler may work at it for some batches; returns the seconds of one."""
        before, once = float("inf"), self._run(0, self._plan.batches)
        for _ in range(0 if self._plan.quick else WARM_UPS):
            if once > 0.9 * before:
                break
            before, once = once, self._run(0, self._plan.batches)
        return once

    def _run(self, first: int, repeats: int) -> float:
        """Seconds of one batch, or with several processes of one batch each at the same time."""
        for worker in self._workers:
            worker.send("run", first, repeats)
        return max(worker.receive() for worker in self._workers)

    def _life(self) -> float:
        start = time.perf_counter()
        with Worker(self._paths) as worker:
            self.figures.notes = worker.ask("prepare", self._spec)
            worker.ask("run", 0, 1)
            seconds = time.perf_counter() - start
            if self.answers is None:
                self.answers = worker.ask("answers")
            self._note_memory([worker])
        return seconds

    def _note_memory(self, workers: Sequence[Worker]) -> None:
        """Keeps the peak of the largest process so far."""
        peaks = [peak_memory(worker.pid) for worker in workers]
        self.figures.memory = max([self.figures.memory or 0.0, *peaks]) or None

    def _fail(self, error: WorkerError) -> None:
        say(f"  {self.contender.name}: {error}")
        self.figures.missing, self.figures.seconds = str(error), []


def absent(contender: Contender, rows: int) -> Figures:
    return Figures(contender.name, rows * contender.copies, missing=contender.missing())


def check_answers(case: Case, timers: Sequence[Timer]) -> None:
    """Holds the answers of each contender that has some beside torchserve's."""
    expected = timers[0].answers
    for timer in timers:
        if timer.answers is None:
            continue
        if all(isinstance(answer, bytes) for answer in timer.answers):
            timer.figures.answer_bytes = statistics.mean(map(len, timer.answers))
        if timer.contender.exact is None or expected is None:
            continue
        found = compare(case.compare, expected, timer.answers)
        if found:
            timer.figures.agreement = found.text
            timer.figures.agrees = found.agrees if timer.contender.exact else None


def findings(goals: Sequence[Goal], figures: Sequence[Figures]) -> list[Finding]:
    """The ratios that can be had: those whose contenders all have figures."""
    by_name = {each.name: each for each in figures if not each.missing}
    return [
        finding(goal, by_name[goal.of], [by_name[name] for name in goal.over])
        for goal in goals
        if by_name.keys() >= {goal.of, *goal.over}
    ]


def finding(goal: Goal, of: Figures, over: Sequence[Figures]) -> Finding:
    slowest = min(over, key=lambda each: each.rate)
    than = slowest.name if len(over) == 1 else f"the slower of {' and '.join(each.name for each in over)}"
    text = f"{goal.of} / {than}, {goal.measure}"
    if goal.measure == "fewer bytes":
        value = (slowest.answer_bytes or 0) / (of.answer_bytes or 1)
        return Finding(f"{than} / {goal.of}, bytes an answer", value, value, value, goal.least, goal.most)
    by_round = [
        (of.rows / seconds) / (slowest.rows / other) for seconds, other in zip(of.seconds, slowest.seconds)
    ]
    value = of.rate / slowest.rate
    if goal.measure == "time":
        by_round, value = [1 / ratio for ratio in by_round], 1 / value
    low, high = quartiles(by_round)
    return Finding(text, value, low, high, goal.least, goal.most)


def rehearsal(plan: Plan) -> Plan:
    """The same plan, as small as it can be: to see that everything runs."""
    return replace(plan, rounds=1, batches=1, least_seconds=0.0, quick=True)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
