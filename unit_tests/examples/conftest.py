"""Fixtures of the examples' tests."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest

from examples.assets import Asset, AssetError, fetch

FetchOrSkip = Callable[[Asset], Path]


@pytest.fixture(scope="session")
def fetch_or_skip() -> FetchOrSkip:
    """Brings a real asset from the cache, or skips the test where it is neither there nor to be had."""

    def fetch_one(asset: Asset) -> Path:
        try:
            return fetch(asset)
        except AssetError as error:
            pytest.skip(f"{asset.name} is not in the cache and cannot be fetched: {error}")

    return fetch_one
