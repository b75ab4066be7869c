"""Environments in which `ts` is torchserve's own, or this library's."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from benchmarks.processes.venvs import ROOT, make_venv

SAY = "import sys; print('noted' in sys.modules)"


@pytest.mark.parametrize("ours", [True, False])
def test_each_process_imports_the_module_that_is_given(ours: bool, tmp_path: Path) -> None:
    module = tmp_path / "noted.py"
    module.write_text("")
    for name, given in (("with", module), ("without", None)):
        python = make_venv(tmp_path / name, ours, given)
        said = subprocess.run([python, "-c", SAY], check=True, capture_output=True, text=True, cwd=tmp_path)
        assert said.stdout.strip() == str(given is not None)
    searched = subprocess.run(
        [python, "-c", "import sys; print(*sys.path, sep='\\n')"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert (str(ROOT) in searched.stdout.splitlines()) is ours
