"""Checks the whole project with one command: style, types, tests and the quickstart.

Makes or reuses `.venv/`, prints a line for each step, keeps each step's output in `logs/sanity/`, and ends
with status 1 if any step failed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from examples.environment import LOGS, ROOT, Environment
from examples.steps import StepFailedError, run_step

EXTRAS = ("server", "explain", "test")


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
    Step("tests", ("-m", "pytest"), echo=True),
    Step("quickstart", ("examples/quickstart.py",)),
)
WITHOUT_SERVER = ("--ignore=unit_tests/server",)


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
        except StepFailedError as error:
            print(error if step.echo else f"{error.tail()}{error}")
            failed.append(step.name)
    return failed


def parse_arguments() -> argparse.Namespace:
    """The command line's options: `only`, names of steps, and `fast`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [step.name for step in STEPS]
    parser.add_argument(
        "--only",
        action="append",
        choices=names,
        metavar="STEP",
        help=f"one of {', '.join(names)}; repeatable",
    )
    parser.add_argument("--fast", action="store_true", help="leave out the tests that start a TorchServe")
    return parser.parse_args()


def choose_steps(only: Sequence[str] | None, fast: bool) -> list[Step]:
    """The steps named in `only`, in their usual order; all if it is empty."""
    steps = [step for step in STEPS if not only or step.name in only]
    if fast:
        steps = [
            replace(step, arguments=step.arguments + WITHOUT_SERVER) if step.name == "tests" else step
            for step in steps
        ]
    return steps


def main() -> int:
    """Bring the environment up to date, run the steps, and sum up."""
    options = parse_arguments()
    started = time.monotonic()
    os.chdir(ROOT)
    environment = Environment()
    steps = choose_steps(options.only, options.fast)
    try:
        environment.ensure(EXTRAS)
        failed = run_steps(environment, steps)
    except StepFailedError as error:
        print(f"{error.tail()}{error}")
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted")
        return 130
    seconds = time.monotonic() - started
    outcome = f"failed: {', '.join(failed)}" if failed else f"all {len(steps)} steps passed"
    print(f"\n{outcome} in {seconds:.0f} s; logs in {LOGS / 'sanity'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
