"""Shows what a benchmark found: as a table, as Markdown, as a plot.

    python benchmarks/report.py FILE.json [--markdown] [--plot FILE.png] [--readme]

`--readme` puts the tables into benchmarks/README.md, between the marks that bear the report's name.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.results import CaseResult, Figures, Finding, Report, read

README = Path(__file__).with_name("README.md")


def main() -> None:
    options = parse_arguments()
    report = read(options.file)
    if options.plot:
        plot(report, options.plot)
    if options.readme:
        README.write_text(
            with_tables(README.read_text(encoding="utf-8"), report.name, markdown(report)), encoding="utf-8"
        )
    print(markdown(report) if options.markdown else text(report))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Shows what a benchmark found.")
    parser.add_argument("file", type=Path, help="JSON that a benchmark wrote")
    parser.add_argument("--markdown", action="store_true", help="print Markdown")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw a plot; needs matplotlib")
    parser.add_argument("--readme", action="store_true", help="put the tables into benchmarks/README.md")
    return parser.parse_args()


# Tables ------------------------------------------------------------------------------------------------------


def text(report: Report) -> str:
    """The tables as plain text, aligned."""
    parts = [", ".join(f"{key} {value}" for key, value in report.machine.items() if value is not None)]
    for case in report.cases:
        parts.append(f"\n{case.name}: {case.title}")
        parts.extend(aligned(more_rows(case) if more_names(case) else figure_rows(case)))
        parts.extend(f"  {line}" for line in finding_lines(case))
    return "\n".join(parts)


def markdown(report: Report) -> str:
    """The tables as Markdown: one of ratios, one of figures, and one of each case that has further ones."""
    machine = "; ".join(f"{key} {value}" for key, value in report.machine.items() if value is not None)
    ratios = [["case", "ratio", "value", "quartiles of the rounds", "target", "met"]]
    figures = [["case", *FIGURE_HEADINGS]]
    for case in report.cases:
        ratios.extend([case.title, *finding_cells(finding)] for finding in listed(case))
        if not more_names(case):
            figures.extend([case.title, *row] for row in figure_rows(case)[1:])
    more = [f"{case.title}:\n\n{table(more_rows(case))}" for case in report.cases if more_names(case)]
    tables = [table(rows) for rows in (ratios, figures) if len(rows) > 1]
    return "\n\n".join([f"{machine}.", *tables, *more])


FIGURE_HEADINGS = [
    "",
    "ms, median",
    "quartiles",
    "min to max",
    "a second",
    "peak memory, MB",
    "answers beside the first's",
    "notes",
]


def figure_rows(case: CaseResult) -> list[list[str]]:
    return [FIGURE_HEADINGS, *(figure_cells(figures, case.unit) for figures in case.figures)]


def more_rows(case: CaseResult) -> list[list[str]]:
    """The rates, the further medians, and the ratios, each in a column."""
    names, ratios = more_names(case), ratio_columns(case)
    rows = [["", f"{case.unit} a second", "quartiles", *names, *ratios, "notes"]]
    for figures in case.figures:
        if figures.missing:
            empty = [""] * (2 + len(names) + len(ratios))
            rows.append([figures.name, *empty, f"not available: {figures.missing}"])
            continue
        slow, fast = (figures.rows / seconds for seconds in reversed(figures.quartiles))
        values = (number(figures.more[name]) if name in figures.more else "" for name in names)
        notes = ", ".join(note for note in (agreement(figures), *figures.notes) if note)
        own = (ratio_cell(each.get(figures.name)) for each in ratios.values())
        spread = f"{number(slow)} to {number(fast)}"
        rows.append([figures.name, number(figures.rate), spread, *values, *own, notes])
    return rows


def ratio_columns(case: CaseResult) -> dict[str, dict[str, Finding]]:
    """The ratios of a case by what they compare and to whom, and then by whose they are."""
    columns: dict[str, dict[str, Finding]] = {}
    for finding in case.findings:
        name, _, compared = finding.text.partition(" / ")
        columns.setdefault(f"/ {compared}", {})[name] = finding
    return columns


def ratio_cell(finding: Optional[Finding]) -> str:
    return f"{finding.value:.2f} ({finding.low:.2f} to {finding.high:.2f})" if finding else ""


def listed(case: CaseResult) -> list[Finding]:
    """The ratios that get a line each: those with a target, and those that have no column."""
    return [each for each in case.findings if each.met is not None or not more_names(case)]


def more_names(case: CaseResult) -> list[str]:
    return list(dict.fromkeys(name for figures in case.figures for name in figures.more))


def number(value: float) -> str:
    """To three figures at least."""
    return f"{value:,.0f}" if value >= 100 or value == 0 else f"{value:.3g}"


def figure_cells(figures: Figures, unit: str) -> list[str]:
    notes = list(figures.notes)
    if figures.missing:
        return [figures.name, "", "", "", "", "", "", f"not available: {figures.missing}"]
    if figures.answer_bytes:
        notes.insert(0, f"{figures.answer_bytes:,.0f} bytes an answer")
    if figures.first:
        notes.insert(0, f"the first time {milliseconds(figures.first)}")
    first, third = figures.quartiles
    return [
        figures.name,
        milliseconds(figures.median),
        f"{milliseconds(first)} to {milliseconds(third)}",
        f"{milliseconds(min(figures.seconds))} to {milliseconds(max(figures.seconds))}",
        f"{figures.rate:,.3g} {unit}" if figures.rate < 100 else f"{figures.rate:,.0f} {unit}",
        number(figures.memory) if figures.memory else "",
        agreement(figures),
        ", ".join(notes),
    ]


def agreement(figures: Figures) -> str:
    if figures.agreement is None:
        return ""
    mark = "DIFFERENT: " if figures.agrees is False else "may differ: " if figures.agrees is None else ""
    return mark + figures.agreement


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:,.2f}" if seconds < 0.1 else f"{seconds * 1000:,.0f}"


def finding_lines(case: CaseResult) -> list[str]:
    lines = []
    for finding in listed(case):
        name, value, spread, target, met = finding_cells(finding)
        lines.append(f"{name}: {value} ({spread})" + (f", target {target}: {met}" if target else ""))
    return lines


def finding_cells(finding: Finding) -> list[str]:
    met = {True: "met", False: "MISSED", None: ""}[finding.met]
    return [
        finding.text,
        f"{finding.value:.2f}",
        f"{finding.low:.2f} to {finding.high:.2f}",
        finding.target,
        met,
    ]


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def table(rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def with_tables(page: str, name: str, tables: str) -> str:
    """A page with the tables between `<!-- NAME -->` and `<!-- end of NAME -->`.

    Raises:
        ValueError: the page lacks these marks.
    """
    before, start, rest = page.partition(f"<!-- {name} -->")
    _, end, after = rest.partition(f"<!-- end of {name} -->")
    if not end:
        raise ValueError(f"the page has no marks <!-- {name} --> and <!-- end of {name} -->")
    return f"{before}{start}\n\n{tables}\n\n{end}{after}"


# Plot --------------------------------------------------------------------------------------------------------


def plot(report: Report, path: Path) -> None:
    """Draws each ratio as a bar with the quartiles of its rounds, and its target as a mark."""
    pyplot = import_pyplot()
    if pyplot is None:
        print("no plot: matplotlib is missing (pip install matplotlib)", file=sys.stderr)
        return
    ratios = [(case, finding) for case in report.cases for finding in case.findings]
    figure, axes = pyplot.subplots(figsize=(11, 1.6 + 0.62 * len(ratios)), layout="constrained")
    for place, (_, finding) in enumerate(ratios):
        draw_ratio(axes, place, finding)
    axes.axvline(1, color="grey", linewidth=1)
    names = [f"{case.name}\n{finding.text}" for case, finding in ratios]
    axes.set_yticks(range(len(ratios)), names, fontsize=8)
    axes.invert_yaxis()
    axes.set_xscale("log")
    ticks = [value for value in TICKS if value < 2 * max((f.value for _, f in ratios), default=1)]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("ratio (log scale); bars: medians, lines: quartiles of the rounds, marks: targets")
    where = report.machine.get("gpu") or f"{report.machine['cores']} cores of {report.machine['processor']}"
    axes.set_title(
        f"{report.name}: {where}, torch {report.machine['torch']}, {report.machine['date']}", fontsize=10
    )
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


TICKS = (0.2, 0.5, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


def draw_ratio(axes: Any, place: int, finding: Finding) -> None:
    colour = {True: "tab:green", False: "tab:red", None: "tab:blue"}[finding.met]
    axes.barh(place, finding.value, color=colour, height=0.6, alpha=0.8)
    axes.hlines(place, finding.low, finding.high, color="black", linewidth=2)
    axes.annotate(f" {finding.value:.2f}", (max(finding.value, finding.high), place), va="center", fontsize=8)
    target = finding.least if finding.least is not None else finding.most
    if target is not None:
        axes.plot([target], [place], marker="|", markersize=22, markeredgewidth=2.5, color="black")


def import_pyplot() -> Optional[Any]:
    try:
        import matplotlib
    except ImportError:
        return None
    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


if __name__ == "__main__":
    main()
