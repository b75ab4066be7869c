"""Real networks in every format give, in the runner, the answers of the eager archive."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from devices import DEVICES

from ts.runner import load_archive

Archives = dict[str, Path]


@pytest.fixture(autouse=True)
def in_whole_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """By default a GPU's convolutions round their inputs to TF32, which moves probabilities by some 0.001."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


def answers(archive: Path, photos: list[Path], device: str) -> list:
    """The answers to photos, one by one and then three at once."""
    with load_archive(archive, device=device) as model:
        found = model.predict(photos, batch_size=1) + model.predict(photos, batch_size=3)
    assert [answer.status for answer in found] == [200] * len(found)
    return [answer.response for answer in found]


@pytest.fixture(scope="session")
def four(photos: list[Path]) -> list[Path]:
    return photos[:4]


@pytest.fixture(scope="session")
def eager(efficientnet_lite0: Path, four: list[Path]) -> list:
    return answers(efficientnet_lite0, four, "cpu")


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("kind", ["pth", "bin", "safetensors", "torchscript", "exported", "exported_for_two"])
def test_efficientnet_lite0_answers_the_same(
    kind: str, device: str, format_archives: Archives, eager: list, four: list[Path]
) -> None:
    found = answers(format_archives[f"lite0_{kind}"], four, device)
    assert [list(answer) for answer in found] == [
        list(answer) for answer in eager
    ]  # the same labels in order
    assert found == [pytest.approx(answer, abs=1e-4) for answer in eager]


def test_an_architecture_by_name_answers_as_the_model_file_does(
    format_archives: Archives, four: list[Path]
) -> None:
    by_name = answers(format_archives["resnet_by_name"], four, "cpu")
    by_file = answers(format_archives["resnet_by_file"], four, "cpu")
    assert by_name == [pytest.approx(answer, abs=1e-6) for answer in by_file]


@pytest.mark.parametrize("device", DEVICES)
def test_u2netp_as_onnx_answers_as_its_class_does(
    device: str, format_archives: Archives, four: list[Path]
) -> None:
    """The ONNX file is for batches of one: three photos at once are answered in chunks."""
    if "u2netp_onnx" not in format_archives:
        pytest.skip("needs onnxruntime")
    onnx = answers(format_archives["u2netp_onnx"], four, device)
    eager = answers(format_archives["u2netp_eager"], four, device)
    assert onnx == [pytest.approx(answer, abs=1e-4) for answer in eager]
