from __future__ import annotations

from typing import Any

import pytest

from ts.runner.answering import device
from ts.runner.errors import DeviceError


@pytest.fixture(params=[0, 2])
def gpus(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(device, "cuda_devices", lambda: request.param)
    return request.param


def test_auto_takes_the_first_gpu_if_there_is_one(gpus: int) -> None:
    assert device.gpu_id("auto", {}) == (0 if gpus else None)


def test_auto_follows_an_archive_that_asks_for_the_cpu(gpus: int) -> None:
    assert device.gpu_id("auto", {"deviceType": "cpu"}) is None


def test_cpu_takes_no_gpu(gpus: int) -> None:
    assert device.gpu_id("cpu", {}) is None


def test_a_gpu_is_chosen_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "cuda_devices", lambda: 2)
    assert device.gpu_id("cuda:1", {}) == 1
    assert device.gpu_id("cuda", {}) == 0


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cuda:2", "device 'cuda:2' is not available: torch sees 2 CUDA devices"),
        ("gpu", "device 'gpu' is unknown: it may be auto, cpu or cuda:N"),
        ("cuda:-1", "is unknown"),
    ],
)
def test_another_device_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, message: str) -> None:
    monkeypatch.setattr(device, "cuda_devices", lambda: 2)
    with pytest.raises(DeviceError, match=message):
        device.gpu_id(name, dict[str, Any]())
