"""Which tests are slow, and which ones pytest-xdist gives to one process."""

from __future__ import annotations

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
# Fixtures of a whole run, each a set of archives or servers with them, made in seconds: by one process, once.
MADE_ONCE = ("archives", "served", "model_store")


def share_out(items: list[pytest.Item]) -> None:
    """Marks each test with its group and, where it is, as slow, and brings the slow ones to the front."""
    ranks = {}
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item)))
        module = module_of(item)
        ranks[item] = next((rank for rank, path in enumerate(SLOW) if module.startswith(path)), len(SLOW))
        if ranks[item] < len(SLOW):
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: ranks[item])


def group_of(item: pytest.Item) -> str:
    definitions = item._fixtureinfo.name2fixturedefs  # type: ignore[attr-defined]
    for name in MADE_ONCE:
        if name in definitions and definitions[name][-1].scope == "session":
            return f"{definitions[name][-1].baseid}:{name}"
    return module_of(item)


def module_of(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]
