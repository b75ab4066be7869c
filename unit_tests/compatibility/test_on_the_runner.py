"""The same handlers, answered by `ts.runner` from their archives, as far as its calls can express the requests."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

import pytest
from cases import CASES, expected
from comparison import assert_same

from ts.runner import Answer, load_archive


def request_of(row: dict[str, Any]) -> Optional[tuple[Any, dict[str, Any], bool]]:
    """A row as `Model.predict` takes it: the input, its options, and whether to explain; None if it cannot."""
    headers = dict(row.get("headers", {}))
    explain = headers.pop("explain", "False") == "True"
    options = {key: value for key, value in row.items() if key not in ("headers", "body", "data")}
    payloads = [row[key] for key in ("data", "body") if row.get(key) not in (None, {})]
    of_a_form = "body" not in row and not any(isinstance(value, str) for value in options.values())
    fits = len(payloads) == 1 and not headers and "id" not in row and (of_a_form or not options)
    return (payloads[0], options, explain) if fits else None


def calls_of(case: dict[str, Any]) -> Optional[list[tuple[list[Any], dict[str, Any], bool]]]:
    """For each batch the inputs, options and whether to explain; None if a batch has requests of other forms."""
    calls = []
    for batch in case["batches"]:
        requests = [request_of(row) for row in batch]
        if None in requests or any(request[1:] != requests[0][1:] for request in requests):
            return None
        calls.append(([request[0] for request in requests], *requests[0][1:]))
    return None if {"envelope", "own test"} & case.keys() else calls


RUNNABLE = {
    name: calls for name, calls in ((name, calls_of(case)) for name, (_, case) in CASES.items()) if calls
}


@pytest.mark.parametrize("name", RUNNABLE)
def test_a_handler_answers_as_on_torchserves_own(
    answers: dict[str, Any], archives: dict[str, Path], name: str
) -> None:
    wanted = expected(CASES[name][1], answers["theirs"][name])
    with load_archive(archives[name], device="cpu") as model:
        for number, (inputs, options, explain) in enumerate(RUNNABLE[name]):
            found = model.predict(inputs, options=options, explain=explain, batch_size=len(inputs))
            assert [row.status for row in found] == [row["status"] for row in wanted[number]]
            assert_same(
                [opened(row) for row in found], [comparable(row) for row in wanted[number]], f"{number}"
            )


def opened(answer: Answer) -> dict[str, Any]:
    body = answer.response
    if answer.status >= 400 and isinstance(body, dict) and "message" in body:
        return {"status": answer.status, "message": body["message"]}
    return {"status": answer.status, "content_type": answer.content_type or "", "body": body}


def comparable(row: dict[str, Any]) -> dict[str, Any]:
    return row if "message" in row else {key: row[key] for key in ("status", "content_type", "body")}
