"""Which tests are slow, and which ones pytest-xdist gives to one process."""

from __future__ import annotations

from typing import Any

import pytest

# They start processes, build packages or compile models: torchserve_sanity.py --fast leaves them out, and in a
# whole run they begin first, since a long one that began last would have one process busy while others wait.
SLOW = (
    "unit_tests/server",
    "unit_tests/runner/serving",
    "unit_tests/runner/batch",
    "unit_tests/packaging",
    "unit_tests/examples",
    "unit_tests/compatibility",
    "unit_tests/handler_utils/models/formats",
    "unit_tests/benchmarks",
    "unit_tests/runner/exporting",
    "unit_tests/runner/comparing",
    "unit_tests/runner/packing",
    "unit_tests/runner/quantizing",
    "unit_tests/runner/answering/test_model_formats.py",
    "unit_tests/runner/test_main.py",
    "unit_tests/model_archiver/writing",
    "unit_tests/handler_utils/images",
    "unit_tests/handler_utils/text",
    "unit_tests/fuzzing",
    "unit_tests/pages",
    "unit_tests/test_idle_threads.py",
)
# Their tests share servers or archives that take many seconds to make, and so one process of pytest-xdist.
TOGETHER = (
    "unit_tests/server/handlers",
    "unit_tests/examples",
    "unit_tests/compatibility",
    "unit_tests/runner/comparing",
)
ONE_SERVER = "the server of unit_tests/server/conftest.py"
SERVED_THERE = (
    "unit_tests/server/engines",
    "unit_tests/server/test_archives_by_url.py",
    "unit_tests/server/test_compare.py",
    "unit_tests/server/test_embedder.py",
    "unit_tests/server/test_image_classifier.py",
    "unit_tests/server/test_model_formats.py",
    "unit_tests/server/test_same_answer.py",
    "unit_tests/server/test_serve_command.py",
)


def rank(item: pytest.Item) -> int:
    """The place of a test in the order of a run."""
    return next((place for place, path in enumerate(SLOW) if item.nodeid.startswith(path)), len(SLOW))


def mark(item: pytest.Item) -> None:
    """Marks a test as slow, where it is, and as long, where it asks a Ray cluster."""
    if rank(item) < len(SLOW):
        item.add_marker(pytest.mark.slow)
    if "on_ray" in getattr(item, "fixturenames", ()):  # the fixtures that start one
        item.add_marker(pytest.mark.long)


def group_of(nodeid: str) -> str:
    """What runs in one process with a test: what shares its servers or archives, or its module."""
    if nodeid.startswith(SERVED_THERE):
        return ONE_SERVER
    return next((path for path in TOGETHER if nodeid.startswith(path)), nodeid.partition("::")[0])


def scheduler(config: pytest.Config, log: Any) -> Any:
    """Of pytest-xdist: gives whole groups to processes, in the order of `rank`."""
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    return ByGroup(config, log)
