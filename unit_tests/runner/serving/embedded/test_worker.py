"""Where the workers of an archive run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ts.runner import Archive
from ts.runner.answering import device
from ts.runner.serving.embedded import worker
from ts.runner.serving.embedded.worker import WorkerOptions, chosen_device


def options(index: int = 0, wanted: str = "auto") -> WorkerOptions:
    return WorkerOptions(source="a.mar", origin="a.mar", root="", index=index, device=wanted)


def archive(**config: Any) -> Archive:
    return Archive(Path("a.mar"), Path(), {}, config)


@pytest.fixture
def three_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (device, worker):
        monkeypatch.setattr(module, "cuda_devices", lambda: 3)


@pytest.mark.usefixtures("three_gpus")
def test_workers_take_the_gpus_in_turn() -> None:
    assert [chosen_device(options(index), archive()) for index in range(4)] == [
        "cuda:0",
        "cuda:1",
        "cuda:2",
        "cuda:0",
    ]
    assert [chosen_device(options(index), archive(deviceIds=[2, 1])) for index in range(3)] == [
        "cuda:2",
        "cuda:1",
        "cuda:2",
    ]


@pytest.mark.usefixtures("three_gpus")
def test_a_device_that_is_named_is_taken() -> None:
    assert chosen_device(options(1, "cuda:2"), archive()) == "cuda:2"
    assert chosen_device(options(1, "cpu"), archive()) == "cpu"
    assert chosen_device(options(1), archive(deviceType="cpu")) == "auto"  # which is the CPU, then


def test_without_a_gpu_it_is_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "cuda_devices", lambda: 0)
    assert chosen_device(options(), archive()) == "auto"
