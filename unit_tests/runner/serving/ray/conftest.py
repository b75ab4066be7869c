"""Archives, and what a helper of Ray's would otherwise do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable

import pytest

from unit_tests.runner.serving.ray.scenario import HANDLER, write


@pytest.fixture
def archive(tmp_path: Path) -> Callable[..., Path]:
    """`archive(name, source, **settings)` writes an archive; without a source its handler obeys."""
    return lambda name="obeys", source=HANDLER, **config: write(tmp_path, name, source, **config)


@pytest.fixture
def body() -> Callable[[Any], Any]:
    """The JSON of a reply."""
    return lambda reply: json.loads(reply.body)
