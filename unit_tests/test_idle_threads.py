"""What OpenMP reads of the environment, when a process imports torch."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys

import pytest


def spin_count(command: list[str], **environment: str) -> str:
    """As GNU's OpenMP itself says it, when it starts."""
    inherited = {
        name: value for name, value in os.environ.items() if name not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
    }
    environment = {**inherited, **environment, "OMP_DISPLAY_ENV": "verbose"}
    said = subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, check=True
    )
    found = re.search(r"GOMP_SPINCOUNT = '(\d+)'", said.stderr)
    if found is None:
        pytest.skip("this torch is not built on GNU's OpenMP")
    return found[1]


IMPORT = ["-c", "import ts, torch"]


def test_idle_threads_soon_sleep():
    assert spin_count(IMPORT) == "20000"


def test_in_a_worker_of_torchserve_too():
    worker = importlib.util.find_spec("ts.model_service_worker")
    if worker is None:
        pytest.skip("torchserve is not installed: pip install torchserve")
    assert spin_count([worker.origin, "--help"]) == "20000"


@pytest.mark.parametrize("environment", [{"GOMP_SPINCOUNT": "77"}, {"OMP_WAIT_POLICY": "active"}], ids=str)
def test_the_environment_has_the_last_word(environment):
    alone = spin_count(["-c", "import torch"], **environment)
    assert spin_count(IMPORT, **environment) == alone != "20000"
