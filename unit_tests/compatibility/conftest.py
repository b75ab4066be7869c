"""Archives of handlers as people write them, answered by torchserve 0.12's own handlers and by this library's."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable

import pytest
from other_process import run

HERE = Path(__file__).parent
DRIVER = (HERE / "driver.py").read_text()

sys.path.append(str(HERE))  # for `cases`, and for `samples`, which the handlers' files import


@pytest.fixture(scope="session")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder of each case's archive."""
    from cases import CASES, pack

    root = tmp_path_factory.mktemp("compatibility")
    folders = {name: root / name.replace(" ", "_").replace(",", "") for name in CASES}
    for name, (handler, case) in CASES.items():
        pack(folders[name], handler, case)
    return folders


@pytest.fixture(scope="session")
def answers(
    upstream: Callable[..., Any], archives: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """What both libraries answer: `answers["theirs"][case]`, `answers["ours"][case]`, as driver.py has it."""
    from cases import CASES

    cases = {name: [str(archives[name]), str(CASES[name][0]), name] for name in CASES}
    arguments = {"cases": cases, "helpers": str(HERE)}
    with ThreadPoolExecutor() as pool:
        theirs = pool.submit(upstream, DRIVER, **arguments)
        ours = pool.submit(run, DRIVER, arguments, tmp_path_factory.mktemp("ours"))
    assert str(Path(ours.result()["ts"]).parent) != str(Path(theirs.result()["ts"]).parent)
    return {"theirs": theirs.result()["results"], "ours": ours.result()["results"]}
