"""What tests of several benchmarks share."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.workers.processes import installed_torchserve


@pytest.fixture(scope="session")
def torchserve() -> Path:
    """The site-packages that torchserve is installed in."""
    try:
        return installed_torchserve()
    except FileNotFoundError as error:
        pytest.skip(str(error))
