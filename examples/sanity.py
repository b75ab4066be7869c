"""Checks the whole project with one command: style, types, tests and the examples.

Makes or reuses `.venv/`, prints a line for each step, keeps each step's output in `logs/sanity/`, and ends
with status 1 if any step failed. With `--oldest` it runs the tests that torch matters to, in `.venv-oldest/`, with
the oldest torch that the project supports.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from examples.environment import LOGS, OLDEST_TORCH, OLDEST_TORCH_NEWEST_PYTHON, ROOT, Environment
from examples.installing import SetupError
from examples.steps import StepFailedError, run_step

EXTRAS = (
    "server",
    "explain",
    "codec",
    "coco",
    "onnx",
    "openvino",
    "quantize",
    "tokenizers",
    "timm",
    "transformers",
    "ray",
    "parquet",
    "test",
    "docs",
    "dev",
)
FURNITURE = "unit_tests/furniture"
PACKAGE = "unit_tests/packaging/test_distributions.py"  # builds the sdist and the wheel
# A process for each CPU; what shares a server or an archive runs in one of them, in the order of sharing_out.py.
EACH_CPU = ("--numprocesses=logical", "--dist=loadscope", "--no-loadscope-reorder", "--durations=20")
COVERAGE = ("--cov", "--cov-report=term:skip-covered", "--cov-report=html:logs/coverage")
# Some cases and rounds of a benchmark, beside the kept run; a warning, since machines are noisy, and no failure.
BRIEFLY = ("--only", "preprocess-500x375", "classifier-mobilenet", "texts", "--rounds", "3")


@dataclass(frozen=True)
class Step:
    """One check: a name, and the arguments that the environment's Python runs it with."""

    name: str
    arguments: tuple[str, ...]
    echo: bool = False


STEPS = (
    Step("assets", ("-m", "examples.assets")),
    Step("lint", ("-m", "ruff", "check", "--output-format=concise", ".")),
    Step("format", ("-m", "ruff", "format", "--check", ".")),
    Step("types", ("-m", "mypy")),
    Step("docs", ("-m", "mkdocs", "build", "--strict")),
    Step("workflows", ("-m", "pytest", FURNITURE), echo=True),
    Step("package", ("-m", "pytest", PACKAGE), echo=True),
    Step("tests", ("-m", "pytest", f"--ignore={FURNITURE}", f"--ignore={PACKAGE}", *EACH_CPU), echo=True),
    Step("quickstart", ("examples/quickstart.py",)),
    Step("custom_handler", ("examples/custom_handler/ask.py",)),
    Step("speed", ("benchmarks/handlers.py", *BRIEFLY, "--against", "benchmarks/runs/handlers-cpu.json")),
)
FAST_STEPS = ("lint", "format", "types", "tests")
FAST_TESTS = ("-m", "not slow and not long")
LONG_TESTS = ("-m", "long")
# Windows runs neither TorchServe nor the embedded engine, and has no processes to fork, namespaces or signals.
ON_WINDOWS = tuple(
    f"unit_tests/{folder}"
    for folder in ("handler_utils", "model_archiver", "subclasses", "torch_handler", "utils")
)
# What they test is the same with any torch.
OF_ANY_TORCH = tuple(
    f"--ignore=unit_tests/{folder}"
    for folder in (
        "benchmarks",
        "model_archiver",
        "packaging",
        "pages",
        "runner/batch",
        "runner/predict",
        "runner/serving/ray",
        "server/engines",
    )
)


def run_steps(environment: Environment, steps: Sequence[Step]) -> list[str]:
    """Run every step, whether or not those before it failed.

    Returns:
        The names of the steps that failed.
    """
    failed = []
    for step in steps:
        log = LOGS / "sanity" / f"{step.name}.log"
        try:
            run_step(step.name, [environment.python, *step.arguments], log, echo=step.echo)
            print("".join(f"        {line}" for line in warnings_in(log)), end="")
        except StepFailedError as error:
            print(error if step.echo else f"{error.tail()}{error}")
            failed.append(step.name)
    return failed


def warnings_in(log: Path) -> list[str]:
    """The lines by which a step that passed warns of something."""
    with log.open(encoding="utf-8", errors="replace") as lines:
        return [line for line in lines if line.startswith("warning: ")]


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line's options: `only`, names of steps, `oldest`, `long`, `fast` and `coverage`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [step.name for step in STEPS]
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--only",
        action="append",
        choices=names,
        metavar="STEP",
        help=f"one of {', '.join(names)}; repeatable",
    )
    what.add_argument(
        "--oldest", action="store_true", help=f"the tests alone, with {' and '.join(OLDEST_TORCH[:2])}"
    )
    what.add_argument(
        "--long", action="store_true", help="the tests alone that take longest, and that the others leave out"
    )
    parser.add_argument(
        "--fast",
        action="store_true",
        help=f"{', '.join(FAST_STEPS)} alone, without tests that start servers, build packages or compile models",
    )
    parser.add_argument(
        "--coverage",
        action="store_true",
        help="measure what the tests run, and fail below pyproject.toml's share",
    )
    options = parser.parse_args(arguments)
    if options.oldest and sys.version_info[:2] > OLDEST_TORCH_NEWEST_PYTHON:
        parser.exit(2, f"{python_too_new()}\n")
    return options


def python_too_new() -> str:
    """A sentence for a user whose Python the oldest torch was never built for."""
    here, newest = (".".join(map(str, v)) for v in (sys.version_info[:2], OLDEST_TORCH_NEWEST_PYTHON))
    return f"{OLDEST_TORCH[0]} has no build for Python {here}: run --oldest with Python {newest} or older"


def choose_environment(oldest: bool) -> Environment:
    """The environment of the newest torch, or of the oldest."""
    return Environment(ROOT / ".venv-oldest", OLDEST_TORCH) if oldest else Environment()


def choose_steps(options: argparse.Namespace) -> list[Step]:
    """The steps that the command line asks for, in their usual order; with `oldest` or `long`, the tests alone."""
    wanted = options.only or (FAST_STEPS if options.fast else [step.name for step in STEPS])
    if options.oldest or options.long:
        wanted = ["tests"]
    steps = [step for step in STEPS if step.name in wanted]
    return [with_tests(step, options) if step.name == "tests" else step for step in steps]


def with_tests(step: Step, options: argparse.Namespace) -> Step:
    """The step of the tests, with those that the command line asks for."""
    more = (
        *(FAST_TESTS if options.fast else ()),
        *(LONG_TESTS if options.long else ()),
        *(OF_ANY_TORCH if options.oldest else ()),
        *(COVERAGE if options.coverage else ()),
        *(ON_WINDOWS if os.name == "nt" else ()),
    )
    # By names of their own, so that their logs stand beside that of the newest torch's tests.
    name = "tests-oldest" if options.oldest else "tests-long" if options.long else step.name
    return replace(step, name=name, arguments=step.arguments + more)


def main() -> int:
    """Bring the environment up to date, run the steps, and sum up."""
    options = parse_arguments()
    started = time.monotonic()
    os.chdir(ROOT)
    environment = choose_environment(options.oldest)
    steps = choose_steps(options)
    try:
        environment.ensure(EXTRAS)
        failed = run_steps(environment, steps)
    except StepFailedError as error:
        print(f"{error.tail()}{error}")
        return 1
    except SetupError as error:
        print(error)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted")
        return 130
    seconds = time.monotonic() - started
    outcome = f"failed: {', '.join(failed)}" if failed else f"all {len(steps)} steps passed"
    print(f"\n{outcome} in {seconds:.0f} s; logs in {LOGS / 'sanity'}")
    return 1 if failed else 0
