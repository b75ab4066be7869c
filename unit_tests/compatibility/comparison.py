"""Whether two answers to one request are the same."""

from __future__ import annotations

import base64
import json
import math
from typing import Any


def assert_same(found: Any, expected: Any, place: str = "") -> None:
    """Numbers within 1e-4, all else equal; dictionaries in the same order."""
    if isinstance(expected, dict):
        assert isinstance(found, dict), f"{place}: {found!r} is not {expected!r}"
        assert list(found) == list(expected), place
        for key in expected:
            assert_same(found[key], expected[key], f"{place}.{key}")
    elif isinstance(expected, list):
        assert isinstance(found, list), f"{place}: {found!r} is not {expected!r}"
        assert len(found) == len(expected), f"{place}: {found!r} is not {expected!r}"
        for index, pair in enumerate(zip(found, expected)):
            assert_same(*pair, f"{place}[{index}]")
    elif isinstance(expected, float) and type(found) in (float, int):
        assert math.isclose(found, expected, abs_tol=1e-4), f"{place}: {found} is not {expected}"
    else:
        assert (found, type(found)) == (expected, type(expected)), place


def opened(row: dict[str, Any]) -> dict[str, Any]:
    """The answer to a row, with its body as a value: JSON, text or bytes.

    Of an error its status and its message stay: 0.12 fails a whole batch, whose clients TorchServe's frontend
    tells the same in its own words.
    """
    if "message" in row:
        return row
    body: Any = base64.b64decode(row["body"])
    try:
        body = body.decode()
        body = json.loads(body)
    except ValueError:
        pass
    if row["status"] >= 400 and isinstance(body, dict) and {"code", "type", "message"} == body.keys():
        return {"status": row["status"], "message": body["message"]}
    return {**row, "body": body}
