"""All checks, and how a reader or a program gets them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Callable

from rich.table import Table
from rich.text import Text

from ts import HANDLERS_VERSION
from ts.runner.doctor import machine, places
from ts.runner.doctor.check import NOTE, OK, WRONG, Check, NoAnswerError

CHECKS = (
    places.this_python,
    places.without_site,
    places.virtual_environment,
    places.torchserve_command,
    places.copies,
    places.archiver_command,
    machine.torch_and_torchvision,
    machine.devices,
    machine.decoders,
    machine.extras,
    machine.java,
)
STYLES = {OK: "green", NOTE: "yellow", WRONG: "red"}


def examine() -> list[Check]:
    """Makes every check; none takes longer than some processes that are given a minute each."""
    return [outcome(check) for check in CHECKS]


def outcome(check: Callable[[], Check]) -> Check:
    """What a check finds, even where that is that it cannot be made."""
    try:
        return check()
    except (NoAnswerError, OSError) as error:
        return Check(check.__name__.replace("_", " "), NOTE, f"cannot be told: {error}")


def is_well(checks: Sequence[Check]) -> bool:
    return all(check.state != WRONG for check in checks)


def table(checks: Sequence[Check]) -> Table:
    """A line a check, and below it what to do."""
    result = Table.grid(padding=(0, 2))
    result.add_column()
    result.add_column(no_wrap=True)
    result.add_column(overflow="fold")
    for check in checks:
        state = Text(check.state, style=STYLES[check.state])
        result.add_row(state, check.name, Text(check.found))
        if check.advice:
            result.add_row("", "", Text(f"-> {check.advice}", style=STYLES[check.state]))
    return result


def document(checks: Sequence[Check]) -> dict[str, Any]:
    """For --json."""
    return {
        "library": places.DISTRIBUTION,
        "version": HANDLERS_VERSION,
        "ok": is_well(checks),
        "checks": [asdict(check) for check in checks],
    }
