"""Photos, for the tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from quantizable import save_photos


@pytest.fixture(scope="session")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("noise")
    save_photos(folder)
    return folder
