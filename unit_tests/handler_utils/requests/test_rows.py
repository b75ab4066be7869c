"""Rows of a batch that fail: each is found, whatever the error says of them."""

from __future__ import annotations

from typing import Any

import pytest

from ts.handler_utils.errors import RowErrors
from ts.handler_utils.requests.rows import answer_rows


@pytest.mark.parametrize("named", [{}, {7: ValueError("bad")}], ids=["no row", "a row that there is not"])
def test_an_error_that_names_no_row_of_the_batch_is_every_rows(named: dict[int, Exception]) -> None:
    def run(indexes: Any) -> Any:
        raise RowErrors(named)

    first, second = answer_rows(run, [0, 1])
    assert isinstance(first, RowErrors)
    assert isinstance(second, RowErrors)


def test_an_error_that_names_too_many_rows_leaves_out_those_that_there_are() -> None:
    bad = ValueError("bad")

    def run(indexes: Any) -> Any:
        if 1 in indexes:
            raise RowErrors({1: bad, 9: ValueError("no such row")})
        return list(indexes)

    assert answer_rows(run, [0, 1, 2]) == [0, bad, 2]
