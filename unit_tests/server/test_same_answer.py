"""The runner's contract: what a handler is given and what a client gets are the same as with a live TorchServe."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable

import pytest
from live_handlers import ACTIONS

from ts.runner import Answer, Model

Load = Callable[[str], Model]
RAW = b"\xff\xd8 raw"


def assert_same_echo(live: Answer, ours: Answer) -> None:
    """The same but for headers that only a network client sends, such as Host."""
    found, expected = ours.response, live.response
    headers, all_headers = found.pop("headers"), expected.pop("headers")
    assert found == expected
    assert {key: all_headers.get(key) for key in headers} == headers


def test_a_raw_body(live: Any, load: Load) -> None:
    (ours,) = load("echo").predict([RAW])
    assert_same_echo(live.predict("echo", data=RAW), ours)


@pytest.mark.parametrize("value", [{"a": [1, 2.5, None], "data": "x"}, [1, 2], {}])
def test_a_json_body(live: Any, load: Load, value: Any) -> None:
    (ours,) = load("echo").predict([value])
    assert_same_echo(live.predict("echo", json=value), ours)


@pytest.mark.parametrize("text", ['{"a": "\u00e9"}', "{bad", "", "3"])
def test_a_json_file(live: Any, load: Load, tmp_path: Path, text: str) -> None:
    path = tmp_path / "request.json"
    path.write_text(text, encoding="utf-8")
    (ours,) = load("echo").predict([path])
    headers = {"Content-Type": "application/json"}
    assert_same_echo(live.predict("echo", data=text.encode(), headers=headers), ours)


@pytest.mark.parametrize("text", ["h\u00e9llo", ""])
def test_a_text(live: Any, load: Load, text: str) -> None:
    (ours,) = load("echo").predict([text])
    headers = {"Content-Type": "text/plain"}
    assert_same_echo(live.predict("echo", data=text.encode(), headers=headers), ours)


@pytest.mark.parametrize(
    ("value", "part"),
    [
        (RAW, ("photo", RAW)),
        ("h\u00e9llo", ("text", "h\u00e9llo".encode(), "text/plain")),
        ({"a": 1}, ("request", b'{"a": 1}', "application/json")),
    ],
)
def test_options_are_a_form(live: Any, load: Load, value: Any, part: tuple) -> None:
    (ours,) = load("echo").predict([value], options={"topk": 3, "format": "png"})
    form = live.predict("echo", files={"data": part}, data={"topk": "3", "format": "png"})
    assert_same_echo(form, ours)


@pytest.mark.parametrize(
    "headers",
    [
        {"ts_request_sequence_id": "s1", "X-Own": "\u00e9"},
        {"explain": "True", "url_path": "x", "describe": "True"},
        {"Content-Type": "application/json; charset=utf-8"},
        {"content-type": "text/csv"},
    ],
)
def test_further_headers(live: Any, load: Load, headers: dict[str, str]) -> None:
    (ours,) = load("echo").predict([b"[1]"], headers=headers)
    sent = {name: value.encode("latin-1") for name, value in headers.items()}
    assert_same_echo(live.predict("echo", data=b"[1]", headers=sent), ours)


def test_an_explanation(live: Any, load: Load) -> None:
    (ours,) = load("echo").predict([RAW], explain=True)
    assert_same_echo(live.predict("echo", data=RAW, explain=True), ours)
    assert ours.response["explain"] == "True"


def test_a_description(live: Any, load: Load) -> None:
    ours = without_nulls(load("echo").describe().response)
    theirs = live.describe("echo")
    headers, all_headers = ours.pop("headers"), theirs.pop("headers")
    assert ours == theirs
    assert headers == {"describe": ["str", "True"]} == {"describe": all_headers["describe"]}


def without_nulls(value: Any) -> Any:
    """As the frontend writes a description, which it parses and formats anew."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return value


@pytest.mark.parametrize("action", ACTIONS)
def test_every_result_and_error(live: Any, load: Load, action: str) -> None:
    (ours,) = load("actor").predict([action.encode()])
    assert_same_answer(live.predict("actor", data=action.encode()), ours)


def test_a_streamed_answer(live: Any, load: Load) -> None:
    (ours,) = load("actor").predict([b"stream"])
    theirs = live.predict("actor", data=b"stream")
    first = ours.intermediate[0]
    assert (theirs.status, theirs.content_type) == (first.status, first.content_type)
    assert theirs.headers["X-Model"] == first.headers["X-Model"] == "actor"
    assert theirs.body == b"".join(part.body for part in (*ours.intermediate, ours))
    assert theirs.body == b'one{\n  "two": 2\n}three'


def test_continuous_batching(live: Any, load: Load) -> None:
    headers = {"X-Own": "h"}
    ours = load("counting").predict([b"4", b"2"], headers=headers)
    with ThreadPoolExecutor(2) as pool:
        theirs = pool.map(lambda body: live.predict("counting", data=body, headers=headers), [b"4", b"2"])
    assert [b"".join(part.body for part in (*answer.intermediate, answer)) for answer in ours] == [
        answer.body for answer in theirs
    ]
    assert [answer.body for answer in ours] == [b"1h "] * 2


def assert_same_answer(live: Answer, ours: Answer) -> None:
    assert ours.status == live.status
    assert ours.content_type == live.content_type
    assert ours.headers == live.headers
    if ours.reason is None:  # else the frontend writes a phrase of its own
        assert ours.phrase == live.phrase
    if ours.content_type == "application/json":
        assert ours.response == live.response
    else:
        assert ours.body == live.body


@pytest.mark.parametrize(
    "actions",
    [
        ["str", "status", "type"],
        ["str", "numpy", "dict"],
        ["status", "str", "400"],
        ["str", "too few", "dict"],
        ["value", "str", "status"],
    ],
)
def test_rows_of_a_batch(live: Any, load: Load, actions: list[str]) -> None:
    ours = load("actor3").predict([action.encode() for action in actions])
    with ThreadPoolExecutor(len(actions)) as pool:
        theirs = list(pool.map(lambda action: live.predict("actor3", data=action.encode()), actions))
    for live_answer, our_answer in zip(theirs, ours):
        assert_same_answer(live_answer, our_answer)


def test_a_folder_is_served_without_writing_in_it(live: Any, load: Load, archives: dict[str, Path]) -> None:
    (ours,) = load("own").predict([b"x"])
    assert ours.response == live.predict("own", data=b"x").response
    names = [path.name for path in sorted(archives["own"].rglob("*"))]
    assert names == ["MAR-INF", "MANIFEST.json", "image_classifier.py"]


def test_a_function_of_a_file_below(live: Any, load: Load) -> None:
    (ours,) = load("function").predict([b"x"])
    start, *calls = live.predict("function", data=b"x").response  # other tests have called it, too
    assert ours.response == [start, calls[-1]] == ["None", "[{'body': bytearray(b'x')}]"]


def test_the_archives_own_file_wins_over_a_default_handler(live: Any, load: Load) -> None:
    (ours,) = load("own").predict([b"x"])
    assert ours.response == live.predict("own", data=b"x").response == "the archive's own"
