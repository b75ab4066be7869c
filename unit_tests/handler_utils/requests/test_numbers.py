"""Numbers of strangers: read where they are numbers, and refused in one sentence where not."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np
import pytest
import torch

from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.requests.numbers import decode_json, numbers_of, read_numbers
from ts.torch_handler.base_handler import BaseHandler


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[1, 2.5]", [1, 2.5]),
        (b'{"a": null}', {"a": None}),
        (bytearray(b"\xef\xbb\xbf[true]"), [True]),
        ('"\\u00e9"', "é"),
    ],
)
def test_json_is_read(text: Any, value: Any) -> None:
    assert decode_json(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1,]",
        "NaN",
        "[Infinity]",
        "[1e999]",
        "1" + "0" * 400,
        "[" * 100_000,
        '"\\ud800"',
        "\ud800",
        b"\xff",
    ],
)
def test_what_rfc_8259_does_not_allow_is_no_json(text: Any) -> None:
    with pytest.raises(InvalidInput, match=r"^The request is not JSON: ") as refused:
        decode_json(text)
    assert refused.value.error_code == 400


def test_numbers_are_a_tensor_of_the_shape_and_type_that_they_have() -> None:
    assert read_numbers([[1, 2], [3, 4]]).dtype == torch.int64
    assert read_numbers([[1, 2.5]]).tolist() == [[1.0, 2.5]]
    assert read_numbers([1, 2], torch.float32).dtype == torch.float32
    assert read_numbers(7).shape == ()
    assert read_numbers(np.ones((2, 3))).shape == (2, 3)


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (True, "not a value of type bool"),
        (None, "not a value of type NoneType"),
        ("7", "not a value of type str"),
        ({"a": 1}, "not a value of type dict"),
        ([], "hold no number: their shape is [0]"),
        ([[], []], "hold no number: their shape is [2, 0]"),
        ([[1, 2], [3]], "cannot be read as a tensor: "),
        (["a"], "cannot be read as a tensor: "),
        ([None], "cannot be read as a tensor: "),
        ([{"a": 1}], "cannot be read as a tensor: "),
        ([10**19], "cannot be read as a tensor: "),
        ([10**400], "cannot be read as a tensor: "),
        ([float("nan")], "hold NaN, infinity, or a number too large for torch.float32"),
        ([-float("inf"), 1], "hold NaN, infinity, or a number too large for torch.float32"),
        ([1e300], "hold NaN, infinity, or a number too large for torch.float32"),
    ],
)
def test_what_is_no_number_is_a_400(payload: Any, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_numbers(payload)
    assert refused.value.error_code == 400
    assert message in refused.value.message


@pytest.mark.parametrize("levels", [65, 100, 900])  # Python's own parser, TorchServe's, goes to some 990
def test_lists_that_are_nested_deeper_than_tensors_are_refused(levels: int) -> None:
    deep: Any = 1.0
    for _ in range(levels):
        deep = [deep]
    with pytest.raises(InvalidInput, match="cannot be read as a tensor"):
        read_numbers(deep)


def test_a_lack_of_memory_is_not_the_clients_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(torch, "as_tensor", fail)
    with pytest.raises(MemoryError):
        read_numbers([1.0])


def test_a_row_holds_lists_or_json_of_them() -> None:
    for row in ({"data": [1, 2]}, {"body": b"[1, 2]"}, {"data": "[1, 2]"}, {"body": {"data": [1, 2]}}):
        assert numbers_of(row) == [1, 2]


def test_what_a_subclass_has_made_of_its_rows_is_left_as_it_is() -> None:
    assert numbers_of([True]) == [True]
    assert numbers_of(b"[1]") == [1]


@pytest.mark.parametrize("neighbour", [[0.5], [1], [True]])
def test_a_number_is_what_it_is_alone_whatever_its_neighbours_are(
    neighbour: Any, make_context: Callable
) -> None:
    handler, context = BaseHandler(), make_context()
    handler.model, handler.device, handler.initialized = torch.nn.Identity(), torch.device("cpu"), True
    for number in (0, 7, 2**24 + 1, 2**62 + 1):
        answers = handler.handle([{"data": [number]}, {"data": neighbour}], context)
        assert str(answers) == str([[number], neighbour])  # 0 is not 0.0, as JSON has it
