"""How an archive asks to be served."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ts.runner import Archive, ArchiveError
from ts.runner.serving.settings import ServingSettings, serving_settings


def archive(**config: Any) -> Archive:
    return Archive(Path("cache/0"), Path(), {}, config, "a.mar")


def test_the_defaults_are_torchserves() -> None:
    assert serving_settings(archive()) == ServingSettings(1, 100, 1, 1, 100, 120, 120)


def test_an_archive_says_how_it_is_served() -> None:
    config = {
        "batchSize": 8,
        "maxBatchDelay": 0,
        "minWorkers": 2,
        "maxWorkers": 4,
        "jobQueueSize": 5,
        "responseTimeout": 6,
        "startupTimeout": 7,
    }
    assert serving_settings(archive(**config)) == ServingSettings(8, 0, 2, 4, 5, 6, 7)
    assert serving_settings(archive(**config), batch_size=3).batch_size == 3
    assert serving_settings(archive(minWorkers=3, maxWorkers=1)).max_workers == 3
    assert serving_settings(archive(minWorkers=0)).min_workers == 1


@pytest.mark.parametrize(("key", "value"), [("batchSize", 0), ("maxBatchDelay", -1), ("minWorkers", "two")])
def test_a_wrong_value_is_named(key: str, value: Any) -> None:
    with pytest.raises(
        ArchiveError, match=f"{key} in the settings of a.mar must be a whole number .*{value}"
    ):
        serving_settings(archive(**{key: value}))
