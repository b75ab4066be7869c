"""Workers share the CPUs that there are, also in a container."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ts.runner.serving.embedded import threads
from ts.runner.serving.embedded.threads import cpu_limit, threads_of_a_worker, usable_cpus


@pytest.fixture
def cgroup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where Linux tells of a container's limits; there are 8 CPUs."""
    monkeypatch.setattr(threads, "CGROUP", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    return tmp_path


@pytest.mark.usefixtures("cgroup")
def test_all_workers_together_leave_one_cpu() -> None:
    assert [threads_of_a_worker(workers) for workers in (1, 2, 3, 4, 12)] == [7, 3, 2, 1, 1]


@pytest.mark.parametrize(
    ("text", "limit", "cpus"),
    [("max 100000\n", None, 8), ("250000 100000\n", 2.5, 3), ("5000 100000\n", 0.05, 1)],
)
def test_a_containers_limit_counts(cgroup: Path, text: str, limit: float, cpus: int) -> None:
    (cgroup / "cpu.max").write_text(text)
    assert (cpu_limit(), usable_cpus()) == (limit, cpus)
    assert threads_of_a_worker(1) == max(1, cpus - 1)


@pytest.mark.parametrize(
    ("quota", "limit", "cpus"), [("-1", None, 8), ("400000", 4.0, 4), ("3200000", 32.0, 8)]
)
def test_so_does_one_of_the_first_version(cgroup: Path, quota: str, limit: float, cpus: int) -> None:
    (cgroup / "cpu").mkdir()
    (cgroup / "cpu" / "cpu.cfs_quota_us").write_text(f"{quota}\n")
    (cgroup / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert (cpu_limit(), usable_cpus()) == (limit, cpus)
