"""What was found, as Markdown: all figures for the benchmarks' page, the main ones for the handler's."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

from benchmarks.cases import OPENVINO, OURS, TORCHSERVE
from benchmarks.detecting.cases import FAMILY, PHOTOS, START, Detector, chosen
from benchmarks.report import README, agreement, number, table
from benchmarks.results import CaseResult, Figures, Report

NAME = "detectors-cpu"
HANDLER = Path(__file__).resolve().parents[2] / "docs" / "object_detector.md"
CONTENDERS = {TORCHSERVE: "torchserve 0.12", OURS: "here", OPENVINO: "`engine: openvino`"}
OTHERS = (OURS, OPENVINO)


def pages(report: Report) -> dict[Path, str]:
    """What stands on which page between the marks that bear the report's name."""
    return {README: markdown(report), HANDLER: summary(report)}


def in_order(report: Report) -> None:
    """Puts the cases of a report into the family's order, whenever each was measured."""
    places = [case.name for _, case in chosen([])]
    report.cases.sort(key=lambda case: places.index(case.name))


def markdown(report: Report) -> str:
    """The machine, a table of batches, and one of starts."""
    machine = "; ".join(f"{key} {value}" for key, value in report.machine.items() if value is not None)
    tables = [table(rows) for rows in (batch_rows(report), start_rows(report)) if len(rows) > 1]
    return "\n\n".join([f"{machine}.", *tables])


def summary(report: Report) -> str:
    """A row a network: torchserve's time for a batch of photos, how many times as fast others are, and starts."""
    one, several = PHOTOS
    heads = [f"{each}, {several} photos" for each in CONTENDERS.values()]
    heads += [f"{CONTENDERS[each]}, {one} photo" for each in OTHERS]
    rows = [["network", *heads, "first start with `engine: openvino`", "later"]]
    for detector in FAMILY:
        if case := found(report, detector, several):
            alone, start = found(report, detector, one), found(report, detector, START)
            cells = [seconds(median(case, TORCHSERVE)), *(ratio(case, each) for each in OTHERS)]
            cells += [*(ratio(alone, each) for each in OTHERS)]
            rows.append([detector.title, *cells, *openvino_starts(start)])
    where = f"{report.machine['processor']}, {report.machine['cores']} cores, torch {report.machine['torch']}"
    return f"{table(rows)}\n\n{where}."


def batch_rows(report: Report) -> list[list[str]]:
    heads = [f"{each}, ms" for each in CONTENDERS.values()]
    ratios = [f"ratio, {CONTENDERS[each]}" for each in OTHERS]
    memory = [f"peak MB, {each}" for each in CONTENDERS.values()]
    answers = [f"answers, {CONTENDERS[each]}" for each in OTHERS]
    rows = [["network", "photos", *heads, *ratios, *memory, *answers]]
    for detector in FAMILY:
        for count in PHOTOS:
            if case := found(report, detector, count):
                cells = [milliseconds(median(case, each)) for each in CONTENDERS]
                cells += [ratio(case, each, quartiles=True) for each in OTHERS]
                cells += [number(figures_of(case, each).memory or 0) for each in CONTENDERS]
                cells += [agreement(figures_of(case, each)) for each in OTHERS]
                rows.append([detector.title, str(count), *cells])
    return rows


def start_rows(report: Report) -> list[list[str]]:
    rows = [["start up to the first answer", *CONTENDERS.values(), "the first with `engine: openvino`"]]
    for detector in FAMILY:
        if case := found(report, detector, START):
            rows.append(
                [
                    detector.title,
                    *(seconds(median(case, each)) for each in CONTENDERS),
                    openvino_starts(case)[0],
                ]
            )
    return rows


def found(report: Report, detector: Detector, what: object) -> Optional[CaseResult]:
    """One of a network's cases, if it was measured."""
    return next((case for case in report.cases if case.name == f"{detector.name}/{what}"), None)


def figures_of(case: CaseResult, name: str) -> Figures:
    return next(each for each in case.figures if each.name == name)


def median(case: CaseResult, name: str) -> Optional[float]:
    """A contender's seconds; None where it has none."""
    figures = figures_of(case, name)
    return None if figures.missing else figures.median


def ratio(case: Optional[CaseResult], name: str, *, quartiles: bool = False) -> str:
    """How many times as fast as torchserve a contender is."""
    its = [each for each in case.findings if each.text.startswith(f"{name} / ")] if case else []
    if not its:
        return ""
    spread = f" ({its[0].low:.2f} to {its[0].high:.2f})" if quartiles else ""
    return f"{its[0].value:.2f}x{spread}"


def openvino_starts(case: Optional[CaseResult]) -> list[str]:
    """OpenVINO's first start, and later ones."""
    if case is None:
        return ["", ""]
    return [seconds(figures_of(case, OPENVINO).first), seconds(median(case, OPENVINO))]


def seconds(value: Optional[float]) -> str:
    return "" if value is None else f"{value:.1f} s" if value >= 1 else f"{1000 * value:.0f} ms"


def milliseconds(value: Optional[float]) -> str:
    return "" if value is None else number(1000 * value)
