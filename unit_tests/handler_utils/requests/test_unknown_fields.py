"""Fields and headers that a default handler would overlook: what is meant by them is said."""

from __future__ import annotations

from typing import Any, Callable

import pytest
from tiny_archives import TINY, photo

from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.requests.unknown_fields import check_fields
from ts.torch_handler.image_classifier import ImageClassifier

OPTIONS = dict.fromkeys(("topk", "target", "format")).keys()


@pytest.mark.parametrize("name", ["topk3", "topK", "top_k", "TOPK", "formt", "Target", "targets"])
@pytest.mark.parametrize("place", ["form", "body", "header"])
def test_a_misspelt_option_is_named_with_the_one_that_is_meant(name: str, place: str) -> None:
    row = {"form": {name: b"5"}, "body": {"body": {name: 5}}, "header": {}}[place]
    headers = {f"ts-{name}": "5"} if place == "header" else {}
    if headers and name.lower() in OPTIONS:  # headers have no case
        check_fields(OPTIONS, row, headers)
        return
    meant = next(option for option in OPTIONS if option[:3] == name[:3].lower())
    with pytest.raises(InvalidInput, match=rf"Wrong option: there is no .*{name}.*{meant}"):
        check_fields(OPTIONS, row, headers)


@pytest.mark.parametrize(
    "row",
    [
        {"data": b"a", "topk": b"5"},
        {"data": b"a", "user": b"7", "request_id": b"abc"},
        {"body": {"data": "a", "client": {"name": "x"}}},
        {"name": "input-0", "shape": [1], "datatype": "BYTES", "parameters": {}, "data": [1]},
        [1.0],
    ],
)
def test_fields_of_the_clients_own_are_left_alone(row: Any) -> None:
    check_fields(OPTIONS, row, {"Host": "x", "content-type": "image/jpeg", "ts-topk": "3"})


@pytest.mark.parametrize("name", ["data2", "file", "second"])
def test_a_second_file_is_not_overlooked(name: str) -> None:
    with pytest.raises(InvalidInput, match=name):
        check_fields(OPTIONS, {"data": b"a", name: photo("red")}, {})


def test_a_default_handler_refuses_and_a_subclass_does_not(make_context: Callable, tmp_path: Any) -> None:
    archive = TINY["classifier"]
    row = {"data": photo("red"), "topk3": b"5"}
    own = type("ImageClassifier", (ImageClassifier,), {"__module__": __name__})
    found = []
    for kind in (ImageClassifier, own):
        context = make_context(archive.write(tmp_path), modelFile="model.py")
        handler = kind()
        handler.initialize(context)
        found.append(handler.handle([dict(row), {"data": photo("red")}], context))
    (refused, other), (answered, same) = found
    assert refused["code"] == 400
    assert "did you mean topk?" in refused["message"]
    assert other == answered == same


def test_a_request_of_many_fields_is_refused_before_they_are_compared() -> None:
    row = {"body": {f"name{index}": 1 for index in range(101)}}
    with pytest.raises(InvalidInput, match="The request has 101 fields, and at most 100 make sense"):
        check_fields({"topk": 1}.keys(), row, {})


def test_a_long_name_is_like_no_option() -> None:
    check_fields({"topk": 1}.keys(), {"data": b"", "topk" * 20_000: "1"}, {})


def test_a_long_name_is_told_cut_short() -> None:
    with pytest.raises(InvalidInput) as refused:
        check_fields({"topk": 1}.keys(), {"data": b""}, {"ts-" + "a" * 10_000: "1"})
    assert len(refused.value.message) < 400
