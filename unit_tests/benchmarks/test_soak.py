"""What a soak takes for right, wrong and lost, and for level; unit_tests/server has a whole one."""

from __future__ import annotations

import io
import itertools
import json
from collections import Counter
from unittest.mock import Mock

import pytest
from PIL import Image

from benchmarks.soak import Soaked, text
from benchmarks.soaking.asked import BOUNDARY, OPTIONS, Asked, Asking, empty_png, form
from benchmarks.soaking.clients import CUT, LOST, RIGHT, WRONG, Answered, Expected, Tally, same
from benchmarks.soaking.workers import WorkerHistory, growth, is_level

MB = 1_000_000
GOOD, BAD = Asked("cats", "a cat", b"cat"), Asked("cats", "no cat", b"dog", status=400)
LARGE = Asked("cats", "too large", b"dog", status=413, may_be_cut=True)


@pytest.fixture(scope="module")
def asking():
    return Asking(seed=1)


@pytest.fixture
def expect(monkeypatch):
    """`expect({request: answer})` is what those requests are answered alone."""

    def expect(answers):
        client = Mock(ask=answers.__getitem__)
        monkeypatch.setattr("benchmarks.soaking.clients.Client", Mock(return_value=client))
        return Expected(list(answers), "http://127.0.0.1")

    return expect


@pytest.mark.parametrize(
    ("asked", "found", "verdict"),
    [
        (GOOD, Answered(200, b'{"cat": 0.5, "dog": 0.25}'), RIGHT),
        (GOOD, Answered(200, b'{"cat": 0.5000001, "dog": 0.25}'), RIGHT),
        (GOOD, Answered(200, b'{"cat": 0.501, "dog": 0.25}'), WRONG),
        (GOOD, Answered(200, b'{"cat": 0.5}'), WRONG),
        (GOOD, Answered(200, b'{"cow": 0.5, "dog": 0.25}'), WRONG),
        (GOOD, Answered(200, b""), WRONG),
        (GOOD, Answered(400, b'{"message": "no"}'), WRONG),
        (GOOD, Answered(503, b""), LOST),
        (GOOD, Answered(CUT, b"refused"), LOST),
        (BAD, Answered(400, b'{"message": "no"}'), RIGHT),
        (BAD, Answered(400, b'{"message": "another"}'), WRONG),
        (BAD, Answered(200, b'{"cat": 0.5, "dog": 0.25}'), WRONG),
        (BAD, Answered(500, b""), LOST),
    ],
)
def test_an_answer_is_held_against_that_to_the_request_alone(expect, asked, found, verdict):
    cat = Answered(200, b'{"cat": 0.5, "dog": 0.25}')
    expected = expect({GOOD: cat, BAD: Answered(400, b'{"message": "no"}')})
    assert expected.verdict(asked, found) == verdict


@pytest.mark.parametrize(
    ("found", "verdict"),
    [(Answered(413, b""), RIGHT), (Answered(CUT, b""), RIGHT), (Answered(200, b""), WRONG)],
)
def test_a_body_that_is_too_large_may_be_cut_off(expect, found, verdict):
    assert expect({LARGE: Answered(CUT, b"broken pipe")}).verdict(LARGE, found) == verdict


def test_a_request_that_is_not_answered_as_it_is_to_be_stops_the_soak(expect):
    with pytest.raises(RuntimeError, match="cats was to answer a cat by 200: 503 b'failed'"):
        expect({GOOD: Answered(503, b"failed")})


@pytest.mark.parametrize(
    ("body", "other", "is_same"),
    [
        (b"\xff\x00", b"\xff\x00", True),
        (b"\xff\x00", b"\xff\x01", False),
        (b"[[1.0, 0.5]]", b"[[1.0, 0.500001]]", True),
        (b"[[1.0, 0.5]]", b"[[1.0, 0.5], []]", False),
        (b"[1]", b"[1.0]", False),
        (b"[1]", b"[2]", False),
        (b"[true]", b"[1]", False),
    ],
)
def test_numbers_may_be_rounded_and_nothing_else(body, other, is_same):
    assert same(body, other) is is_same


def test_memory_is_level_if_the_last_quarter_is_no_more_than_5_percent_or_20_mb_above_the_third():
    def samples(third, last):
        return [100 * MB] * 20 + [third] * 10 + [last] * 10

    assert growth(samples(500 * MB, 530 * MB)) == 30 * MB
    assert is_level(samples(200 * MB, 220 * MB))
    assert not is_level(samples(200 * MB, 221 * MB))
    assert is_level(samples(1000 * MB, 1050 * MB))
    assert not is_level(samples(1000 * MB, 1051 * MB))
    assert is_level(samples(500 * MB, 100 * MB))
    assert is_level([1, 2, 3])  # too few to say


def soaked(wrong=0, lost=0, kills=0, pids=(1,), resident=(100 * MB,) * 8):
    tally = Tally()
    for verdict, count in ((RIGHT, 9), (WRONG, wrong), (LOST, lost)):
        for _ in range(count):
            tally.add(GOOD, Answered(200, b"x"), verdict)
    return Soaked(tally, {"cats": WorkerHistory([*pids], [*resident])}, kills, 1.0)


@pytest.mark.parametrize(
    ("found", "problems"),
    [
        (soaked(), []),
        (soaked(wrong=2), ["2 answers were wrong"]),
        (soaked(lost=1), ["1 requests were lost, and 8 for each of 0 kills are the most"]),
        (soaked(lost=8, kills=1, pids=(1, 2)), []),
        (
            soaked(lost=9, kills=1, pids=(1, 2)),
            ["9 requests were lost, and 8 for each of 1 kills are the most"],
        ),
        (soaked(pids=(1, 2)), ["workers were started again 1 times, and killed 0 times"]),
        (
            soaked(resident=[100 * MB] * 6 + [200 * MB] * 2),
            ["the memory of cats grew by 100 MB from the third quarter to the last"],
        ),
    ],
)
def test_what_is_not_as_it_should_be_is_a_sentence(found, problems):
    assert found.problems() == problems


def test_a_report_is_a_table_with_examples_of_what_went_wrong():
    found = soaked(wrong=1)
    report = {"requests": 10, "clients": 2, "seconds": 1, "kills": 0, "seed": 7, "models": found.rows()}
    lines = text({**report, "examples": found.tally.examples, "problems": found.problems()}).splitlines()
    assert lines[0] == "10 requests by 2 clients in 1 s, 0 workers killed, seed 7"
    assert lines[1].split()[:5] == ["model", "requests", "right", "wrong", "lost"]
    assert lines[2].split()[:5] == ["cats", "10", "9", "1", "0"]
    assert lines[3:] == ["wrong: cats, a cat: 200 b'x'", "1 answers were wrong"]


def test_one_request_in_ten_is_bad_and_all_models_are_asked_alike(asking):
    drawn = list(itertools.islice(asking.draws(seed=3), 4000))
    assert 0.08 < sum(asked.status != 200 for asked in drawn) / len(drawn) < 0.12
    assert all(900 < count < 1100 for count in Counter(asked.model for asked in drawn).values())
    assert drawn == list(itertools.islice(asking.draws(seed=3), 4000))


def test_every_option_is_asked_for_in_every_form(asking):
    for model, options in OPTIONS.items():
        names = [asked.name for asked in asking.good if asked.model == model]
        for option in options:
            said = " ".join(f"{key}={value}" for key, value in option.items())
            for way in ("raw", "form", "JSON"):
                assert any(name.endswith(f"{said}, {way}") for name in names), (model, option, way)


def test_a_form_is_read_as_it_was_written():
    import email.parser

    head = f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n".encode()
    parts = (
        email.parser.BytesParser().parsebytes(head + form({"data": b"\xff\x00"}, {"topk": "2"})).get_payload()
    )
    assert [part.get_param("name", header="content-disposition") for part in parts] == ["data", "topk"]
    assert [part.get_payload(decode=True) for part in parts] == [b"\xff\x00", b"2"]


def test_an_empty_png_claims_its_size():
    assert Image.open(io.BytesIO(empty_png(400, 300))).size == (400, 300)


def test_json_requests_hold_what_they_are_to_hold(asking):
    bodies = [asked.body for asked in asking.good if asked.name.endswith("JSON")]
    assert all({"data"} <= json.loads(body).keys() for body in bodies)
