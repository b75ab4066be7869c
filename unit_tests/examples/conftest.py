"""Fixtures of the examples' tests."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import pytest
from at_hand import or_skip
from PIL import Image
from rich.console import Console

from examples.assets import ASSETS, Asset, fetch, fetch_all

FetchOrSkip = Callable[[Asset], Path]


@pytest.fixture(scope="session")
def fetch_or_skip() -> FetchOrSkip:
    """Brings a real asset from the cache, or skips the test where it is neither there nor to be had."""

    return lambda asset: or_skip(fetch, asset)


@pytest.fixture(scope="session")
def model_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the examples build their archives, each once; folders `pictures` and `photos` are beside it."""
    from examples import example, photos

    or_skip(fetch_all, ASSETS)
    folder = tmp_path_factory.mktemp("examples")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(example, "MODEL_STORE", folder / "model_store")
        patch.setattr(example, "PICTURES", folder / "pictures")
        patch.setattr(photos, "PHOTOS", folder / "photos")
        yield folder / "model_store"


@dataclass(frozen=True)
class Shown:
    """What an example printed, a string a line with single spaces, and the pictures that it wrote, by name."""

    lines: list[str]
    pictures: dict[str, Image.Image]


@pytest.fixture(scope="session")
def show(model_store: Path) -> Callable[..., Shown]:
    """Shows an example as quickstart does."""

    def run(example) -> Shown:
        output = io.StringIO()
        paths = example.show(Console(file=output, width=120))
        lines = [" ".join(line.split()) for line in output.getvalue().splitlines()]
        return Shown(lines, {path.name: Image.open(path) for path in paths})

    return run
