"""Puts the main figures of the kept runs into the README and docs/speed.md, as their table of speed.

python benchmarks/summary.py
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.cases import OPENVINO, OURS, TORCHSERVE
from benchmarks.report import table, with_tables
from benchmarks.results import CaseResult, Figures, read

RUNS = Path(__file__).with_name("runs")
PAGES = tuple(Path(__file__).resolve().parents[1] / name for name in ("README.md", "docs/speed.md"))
MARK = "speed"
HEADINGS = ["", "ratio", "torchserve 0.12", "here"]
TWO_WORKERS = (f"{OURS}, minWorkers: 2", f"{TORCHSERVE}, minWorkers: 2")


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        text: what it is called there.
        run: the kept run that it shows a case of.
        case: the case.
        contender: who stands beside torchserve.
        torchserve: the contender that is torchserve.
    """

    text: str
    run: str
    case: str
    contender: str = OURS
    torchserve: str = TORCHSERVE


ROWS = (
    Row("reading 16 JPEGs of about 500x375 for a model", "handlers-cpu", "preprocess-500x375"),
    Row(
        "image_classifier, 16 JPEGs, MobileNetV3-small (TorchScript)", "handlers-cpu", "classifier-mobilenet"
    ),
    Row("image_classifier, 16 JPEGs, ResNet-50 (TorchScript)", "handlers-cpu", "classifier-resnet50"),
    Row("the same with `engine: openvino`", "handlers-cpu", "classifier-resnet50", OPENVINO),
    Row("image_segmenter, 4 JPEGs, LRASPP", "handlers-cpu", "segmenter"),
    Row("object_detector, 4 JPEGs, Faster R-CNN MobileNetV3 320", "handlers-cpu", "detector"),
    Row("the same with `engine: openvino`", "handlers-cpu", "detector", OPENVINO),
    Row("text_classifier, 32 news", "handlers-cpu", "texts"),
    Row("start of a worker, up to its first answer", "handlers-cpu", "worker-start"),
    Row("a live TorchServe, MobileNetV3-small, batchSize 8, 16 clients", "server", "photo"),
    Row(
        "the same with `minWorkers: 2` and `engine: openvino`",
        "server",
        "photo",
        f"{OPENVINO}, minWorkers: 2",
    ),
    Row("two workers each, as TorchServe starts of itself on 2 cores", "server", "photo", *TWO_WORKERS),
    Row("a live TorchServe, text_classifier, batchSize 8, 16 clients", "server", "text"),
    Row("on a GPU (H200), image_classifier, 64 JPEGs, ResNet-50", "handlers-cuda", "classifier-64"),
)


def main() -> None:
    for page in PAGES:
        page.write_text(with_tables(page.read_text(encoding="utf-8"), MARK, summary()), encoding="utf-8")


def summary() -> str:
    """The table as Markdown.

    Raises:
        KeyError: a kept run has no such case.
    """
    return table([HEADINGS, *(cells(row) for row in ROWS)])


def cells(row: Row) -> list[str]:
    case = {each.name: each for each in read(RUNS / f"{row.run}.json").cases}[row.case]
    figures = {each.name: each for each in case.figures}
    its, ours = figures[row.torchserve], figures[row.contender]
    return [row.text, f"{figure(ours.rate / its.rate)}x", shown(case, its), shown(case, ours)]


def shown(case: CaseResult, figures: Figures) -> str:
    """A contender's rate and slowest answers where the case is a server's, and else its time."""
    if slowest := figures.more.get("p99 ms"):
        return f"{figure(figures.rate)} {case.unit}/s, p99 {figure(slowest)} ms"
    seconds = figures.median
    return f"{figure(seconds)} s" if seconds >= 2 else f"{figure(1000 * seconds)} ms"


def figure(value: float) -> str:
    """To two digits at least, without more of them than mean something."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


if __name__ == "__main__":
    main()
