"""What `torch-model-runner quantize` does."""

from __future__ import annotations

import argparse
import json
from contextlib import nullcontext

from rich.console import Console

from ts.runner.commands import default_output
from ts.runner.fetching.reference import read_reference
from ts.runner.quantizing.plan import Plan
from ts.runner.quantizing.quantize import quantize_archive
from ts.runner.quantizing.report import Report
from ts.runner.render import accuracy_table
from ts.runner.streams import output_to_stderr

MOST_NAMED = 10  # inputs without an answer


def quantize(arguments: argparse.Namespace) -> int:
    """Writes an archive with the network in int8; 0 if its answers agree with those in float32, else 1."""
    plan = Plan(
        arguments.data,
        arguments.min_agreement,
        arguments.samples,
        arguments.seed,
        arguments.preset,
        arguments.column,
        tuple(arguments.left_float),
        arguments.bias,
    )
    out = arguments.output or default_output(arguments.archive, "int8")
    console = Console(stderr=True)
    with output_to_stderr() as stdout:
        said = f"quantizing {read_reference(arguments.archive)}"
        with console.status(said) if console.is_terminal else nullcontext():
            report = quantize_archive(
                arguments.archive, out, plan, force=arguments.force, max_size=arguments.max_size
            )
        if arguments.json:
            stdout.write(json.dumps(document(report), indent=2) + "\n")
        else:
            Console(file=stdout).print(accuracy_table(report.document()))
            stdout.write(told(report))
    return 0 if report.problem is None else 1


def document(report: Report) -> dict[str, object]:
    return {
        "archive": report.archive,
        "out": str(report.out),
        "problem": report.problem,
        **report.document(),
        "refused": dict(report.refused),
        "left_out": report.left_out,
    }


def told(report: Report) -> str:
    if report.problem is not None:
        lines = [f"{report.out} is not written: {report.problem}"]
    else:
        lines = [f"{report.out} is written"]
    if report.left_out:
        lines.append(f"left out: {', '.join(report.left_out)}")
    if report.refused or report.repeated:
        lines.append(f"inputs: {len(report.refused)} refused, {report.repeated} repeated")
    lines += [f"{name}: {problem}" for name, problem in report.refused[:MOST_NAMED]]
    return "\n  ".join(lines) + "\n"
