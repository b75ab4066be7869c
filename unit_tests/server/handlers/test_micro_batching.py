"""A handler whose `handle` is a MicroBatching, on a live TorchServe: every request has its own answer."""

from __future__ import annotations

from typing import Any, Callable

import pytest

COLOURS = ["red", "green", "blue", "yellow", "purple"]


def test_micro_batches_answer_as_one_batch(
    served: Any, image: Callable[[str], bytes], alone: Callable
) -> None:
    photos = [image(colour) for colour in COLOURS]
    for answer, photo in zip(served.together("micro", [{"data": photo} for photo in photos]), photos):
        assert answer.status == 200
        assert answer.response == pytest.approx(alone(photo), abs=1e-6)


def test_the_parts_are_as_large_as_they_are_to_be(served: Any, image: Callable[[str], bytes]) -> None:
    requests = [{"data": image(colour), "headers": {"count": "yes"}} for colour in COLOURS]
    assert sorted(answer.response for answer in served.together("micro", requests)) == [1, 2, 2, 2, 2]


def test_options_stay_with_their_requests(
    served: Any, image: Callable[[str], bytes], alone: Callable
) -> None:
    topks = [1, 2, 3, 2, 1]
    photos = [image(colour) for colour in COLOURS]
    requests = [{"data": photo, "headers": {"ts-topk": str(topk)}} for photo, topk in zip(photos, topks)]
    for _ in range(4):
        for answer, photo, topk in zip(served.together("micro", requests), photos, topks):
            assert answer.response == pytest.approx(alone(photo, topk=topk), abs=1e-6)


def test_a_corrupt_image_fails_alone_and_the_next_batch_is_answered(
    served: Any, image: Callable[[str], bytes], alone: Callable
) -> None:
    photos = [image("red"), b"no photo", image("green"), image("blue"), b""]
    for _ in range(2):
        answers = served.together("micro", [{"data": photo} for photo in photos])
        assert [answer.status for answer in answers] == [200, 400, 200, 200, 400]
        for position in (0, 2, 3):
            assert answers[position].response == pytest.approx(alone(photos[position]), abs=1e-6)
