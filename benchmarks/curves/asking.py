"""Times the contenders of a curve in turn, at each of its values."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from benchmarks.cases import Contender
from benchmarks.curves.curve import INSTALLED, Curve, Point
from benchmarks.curves.fitting import MEMORY, P99
from benchmarks.inputs import Inputs
from benchmarks.measuring.in_turn import say
from benchmarks.results import CaseResult, Figures
from benchmarks.workers.processes import Worker, WorkerError, search_path
from benchmarks.workers.spec import Spec

TASKS = "benchmarks.curves.tasks"
QUICK_POINTS = 2


@dataclass(frozen=True)
class Plan:
    """How a run measures.

    Attributes:
        upstream: the folder that torchserve's `ts` lies in.
        seed: of inputs and weights.
        rounds: how often each contender is timed at each value.
        rounds_of_lives: the same, where a call is the whole life of a process.
        seconds: of calls in a round, at each value.
        least: calls in a round, however long they take.
        longest: seconds of a call beyond which a contender is asked for nothing larger.
        quick: the first values alone, to try the script.
    """

    upstream: Path
    seed: int
    rounds: int = 5
    rounds_of_lives: int = 3
    seconds: float = 0.3
    least: int = 2
    longest: float = 60.0
    quick: bool = False


def rehearsal(plan: Plan) -> Plan:
    """As small as it can be: to see that everything runs."""
    return Plan(plan.upstream, plan.seed, 1, 1, 0.0, 1, quick=True)


def measure(curve: Curve, plan: Plan, folder: Path) -> list[CaseResult]:
    """Measures a curve.

    Args:
        curve: the curve.
        plan: how.
        folder: an empty one, for the archives.

    Returns:
        A case for each value, named CURVE/VALUE. A contender that fails or takes too long has no figures from
        there on, and the reason in their place.
    """
    xs = curve.xs[:QUICK_POINTS] if plan.quick else curve.xs
    points: list[Point] = []
    if not all(contender.missing() for contender in curve.contenders):
        say(f"{curve.name}: drawing {len(xs)} points")
        points = curve.draw(xs, Inputs(plan.seed), folder, plan.seed)
    kind = LifeTimer if curve.lives else Timer
    timers = [kind(curve, contender, plan, points) for contender in curve.contenders]
    for together in [[timer] for timer in timers] if curve.alone else [timers]:
        with ExitStack() as stack:
            for timer in together:
                stack.enter_context(timer)
            take_rounds(curve, together, len(points), plan)
    return [case_of(curve, point, place, timers) for place, point in enumerate(points)]


def take_rounds(curve: Curve, timers: Sequence[Timer], points: int, plan: Plan) -> None:
    rounds = plan.rounds_of_lives if curve.lives else plan.rounds
    for number in range(rounds):
        names = ", ".join(timer.contender.name for timer in timers)
        say(f"{curve.name}: round {number + 1} of {rounds}: {names}")
        for place in range(points):
            for timer in timers if number % 2 == 0 else reversed(timers):
                timer.time(place)


@dataclass
class Taken:
    """What was found at one value: the median seconds of each round, those of all calls, and megabytes.

    Memory is that of the first round, in which a process has not yet been asked for anything larger.
    """

    rounds: list[float] = field(default_factory=list)
    calls: list[float] = field(default_factory=list)
    memory: Optional[float] = None
    missing: Optional[str] = None


class Timer:
    """Times one contender, in as many processes as a point asks for."""

    def __init__(self, curve: Curve, contender: Contender, plan: Plan, points: Sequence[Point]) -> None:
        self.contender = contender
        self.taken = [Taken(missing=contender.missing()) for _ in points]
        self._curve, self._plan, self._points = curve, plan, points
        self._paths = sys.path if contender.side == INSTALLED else search_path(contender.side, plan.upstream)
        self._specs = [spec_of(curve, contender, point) for point in points]
        self._workers: list[Worker] = []

    def __enter__(self) -> Timer:
        if self._points and not self.taken[0].missing:
            self._prepare()
        return self

    def __exit__(self, *_: Any) -> None:
        for worker in self._workers:
            worker.stop()

    def _prepare(self) -> None:
        try:
            most = max(point.processes for point in self._points)
            self._workers = [Worker(self._paths, TASKS) for _ in range(most)]
            for worker in self._workers:
                worker.send("prepare", self._specs)
            for worker in self._workers:
                worker.receive()
        except WorkerError as error:
            self._end(0, str(error))

    def time(self, place: int) -> None:
        """Adds the figures of a round at a point; the first is preceded by calls that do not count."""
        taken = self.taken[place]
        if taken.missing:
            return
        try:
            if not taken.rounds:
                self._ask(place, self._plan.seconds, self._plan.least)  # TorchScript optimizes meanwhile
            calls, memory = self._ask(place, self._plan.seconds, self._plan.least)
        except WorkerError as error:
            self._end(place, str(error))
            return
        self._add(place, calls, memory)

    def _ask(self, place: int, seconds: float, least: int) -> tuple[list[float], list[float]]:
        """The seconds of the calls of all processes, and the megabytes of each."""
        asked = self._workers[: self._points[place].processes]
        for worker in asked:
            worker.send("calls", place, seconds, least)
        answers = [worker.receive() for worker in asked]
        return [second for calls, _ in answers for second in calls], [peak for _, peak in answers if peak]

    def _add(self, place: int, calls: list[float], memory: list[float]) -> None:
        taken = self.taken[place]
        taken.rounds.append(statistics.median(calls))
        taken.calls += calls
        if memory and taken.memory is None:
            taken.memory = sum(memory)
        if taken.rounds[-1] > self._plan.longest:
            self._end(place + 1, f"not asked, since a call took {taken.rounds[-1]:.0f} s before")

    def _end(self, place: int, why: str) -> None:
        """Takes no more figures from a point on."""
        say(f"  {self.contender.name}: {why}")
        for index in range(place, len(self.taken)):
            self.taken[index] = Taken(missing=why)


class LifeTimer(Timer):
    """Times one contender's processes from their start to their first answer."""

    def _prepare(self) -> None:
        """Each round starts a process."""

    def _ask(self, place: int, seconds: float, least: int) -> tuple[list[float], list[float]]:
        start = time.perf_counter()
        with Worker(self._paths, TASKS) as worker:
            worker.ask("prepare", [self._specs[place]])
            worker.ask("answer", 0)
            return [time.perf_counter() - start], [worker.ask("peak") or 0.0]


def spec_of(curve: Curve, contender: Contender, point: Point) -> Spec:
    return Spec(
        contender.side,
        contender.task,
        str(point.archive.folder.resolve()),
        point.archive.manifest,
        dict(contender.config),
        "cpu",
        [point.batch],
        curve.encoded,
    )


def case_of(curve: Curve, point: Point, place: int, timers: Sequence[Timer]) -> CaseResult:
    figures = [figures_of(curve, point, timer.contender.name, timer.taken[place]) for timer in timers]
    title = f"{curve.title}: {point.x:g} {curve.x}"
    return CaseResult(f"{curve.name}/{point.x:g}", title, curve.unit, figures, [])


def figures_of(curve: Curve, point: Point, name: str, taken: Taken) -> Figures:
    found = Figures(name, len(point.batch) * point.processes, taken.rounds, taken.missing)
    found.more[curve.x] = point.x
    if taken.calls:
        found.more[P99] = 1000 * percentile(taken.calls, 0.99)
    if taken.memory:
        found.more[MEMORY] = taken.memory
    return found


def percentile(values: Sequence[float], share: float) -> float:
    """By the nearest rank: of fewer than a hundred calls, the slowest."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
