"""The handlers that the fuzzing suite asks, and a bound of what they may take meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fuzzing import EXAMPLES, SEED, Fuzzed

ROOM = 6 << 30  # bytes of addresses that a test may ask for


@pytest.fixture(scope="session")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Fuzzed]:
    """Handlers by name, made when they are first asked for."""

    class Handlers(dict):
        def __missing__(self, name: str) -> Fuzzed:
            if name == "transformer":
                pytest.importorskip("tokenizers")
            self[name] = Fuzzed(name, tmp_path_factory.mktemp(name))
            return self[name]

    return Handlers()


@pytest.fixture(autouse=True)
def bounded_memory() -> Iterator[None]:
    """Bounds the addresses of this process, so that an input that costs too much fails instead of the machine."""
    if not sys.platform.startswith("linux"):
        yield
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    limit = pages * resource.getpagesize() + ROOM
    limits = [limit, *(value for value in before if value != resource.RLIM_INFINITY)]
    resource.setrlimit(resource.RLIMIT_AS, (min(limits), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(
        f"fuzzing: {EXAMPLES} examples a test, drawn by FUZZ_SEED={SEED} (FUZZ_EXAMPLES=5000: long)"
    )
