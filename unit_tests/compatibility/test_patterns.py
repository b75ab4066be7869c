"""Handlers in the manner of torchserve's public examples answer as they do on torchserve 0.12's own handlers.

A case is an archive, and the batches of requests that its handler gets one after the other: see handlers/. Where
0.12 has no right answer to give, the case has an entry `expected`, with the reason.
"""

from __future__ import annotations

from typing import Any

import pytest
from cases import CASES, expected
from comparison import assert_same, opened

COMPARED = [name for name, (_, case) in CASES.items() if "own test" not in case]


@pytest.mark.parametrize("name", COMPARED)
def test_a_handler_answers_as_on_torchserves_own(answers: dict[str, Any], name: str) -> None:
    ours, theirs = answers["ours"][name], answers["theirs"][name]
    assert "error" not in ours, ours["error"]
    found = [[opened(row) for row in batch] for batch in ours["batches"]]
    wanted = expected(CASES[name][1], theirs)
    assert statuses(found) == statuses(wanted), ours["log"]
    for number, pair in enumerate(zip(found, wanted)):
        assert_same(*pair, f"batch {number}")


@pytest.mark.parametrize("name", COMPARED)
def test_a_handler_reports_the_metrics_that_it_does_on_torchserves_own(
    answers: dict[str, Any], name: str
) -> None:
    ours, theirs = answers["ours"][name], answers["theirs"][name]
    assert "error" not in ours, ours["error"]
    assert ours["metrics"] == theirs["metrics"]
    assert ours["streamed"] == theirs["streamed"]


def statuses(batches: Any) -> list[list[int]]:
    return [[row["status"] for row in batch] for batch in batches]
