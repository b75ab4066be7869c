"""Misspelt names, and those that were meant."""

from __future__ import annotations

from typing import Optional

import pytest

from ts.utils.model_config import KNOWN_KEYS, misspelt_keys
from ts.utils.spelling import are_swapped, distance, nearest


@pytest.mark.parametrize(
    ("one", "other", "steps"),
    [
        ("topk", "topk", 0),
        ("tokp", "topk", 1),
        ("topkk", "topk", 1),
        ("tpk", "topk", 1),
        ("tapk", "topk", 1),
        ("", "abc", 3),
        ("ca", "abc", 3),  # of the unrestricted distance it would be 2
        ("threshhodl", "threshold", 2),
    ],
)
def test_the_distance_counts_letters_and_swaps(one: str, other: str, steps: int) -> None:
    assert distance(one, other) == distance(other, one) == steps


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("tokp", "topk"),
        ("top_k", "topk"),
        ("TOPK", "topk"),
        ("treshhold", "threshold"),
        ("tok", "topk"),
        ("ok", None),
        ("greeting", None),
        ("x" * 100, None),
        ("", None),
    ],
)
def test_one_or_two_letters_may_be_wrong(name: str, meant: Optional[str]) -> None:
    assert nearest(name, ["topk", "threshold", "format"]) == meant
    assert nearest(name, []) is None


def test_swapped_letters() -> None:
    assert are_swapped("tokp", "topk")
    assert not are_swapped("topk", "topk")
    assert not are_swapped("date", "data")


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("batchsize", "batchSize"),
        ("batch_size", "batchSize"),
        ("maxBatchdelay", "maxBatchDelay"),
        ("minWorker", "minWorkers"),
        ("Handler", "handler"),
        ("micro_batch", None),
        ("deviceId", "deviceIds"),
        ("model_name", None),
        ("tokenizer", None),
    ],
)
def test_keys_of_model_config_yaml(key: str, meant: Optional[str]) -> None:
    assert misspelt_keys({key: 1, "minWorkers" if key != "minWorker" else "x": 2}) == (
        {key: meant} if meant else {}
    )


def test_what_is_known_is_right_and_what_is_there_twice_is_somebodys_own() -> None:
    assert misspelt_keys(dict.fromkeys(KNOWN_KEYS)) == {}
    assert misspelt_keys({"batchSize": 1, "batch_size": 2, 3: 4}) == {}
