"""What a handler does beside its answers is done as often as with torchserve 0.12's own handlers."""

from __future__ import annotations

from typing import Any

import pytest
from cases import HANDLERS
from comparison import opened

PLACES = HANDLERS["effects"].PLACES


@pytest.mark.parametrize("place", PLACES)
def test_a_batch_that_fails_has_its_effects_once(answers: dict[str, Any], place: str) -> None:
    ours, theirs = (answers[whose][f"effects in {place}"] for whose in ("ours", "theirs"))
    (found,), (wanted,) = ours["batches"][2], theirs["batches"][2]
    assert opened(found) == opened(wanted)
    assert ours["metrics"] == theirs["metrics"]
