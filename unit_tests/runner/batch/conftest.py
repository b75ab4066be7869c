"""Archives whose handlers obey the files that they are asked."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest

from unit_tests.runner.batch.scenario import HANDLER, write


@pytest.fixture
def archive(tmp_path: Path) -> Callable[..., Path]:
    """`archive(source, **settings)` writes an archive; without a source its handler obeys."""
    return lambda source=HANDLER, **config: write(tmp_path, source, **config)
