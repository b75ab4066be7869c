"""A live TorchServe loads each common format, and answers as the runner does; one request each."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import pytest

from ts.runner import Model

Load = Callable[[str], Model]

pytestmark = pytest.mark.usefixtures("efficientnet_lite0")


@pytest.mark.parametrize("kind", ["pth", "safetensors", "torchscript", "exported"])
def test_efficientnet_lite0_answers_as_the_eager_archive_in_the_runner(
    live: Any, load: Load, photos: list[Path], kind: str
) -> None:
    (expected,) = load("efficientnet_lite0").predict([photos[0]])
    found = live.predict(f"lite0_{kind}", data=photos[0].read_bytes())
    assert found.status == 200
    assert list(found.response) == list(expected.response)
    assert found.response == pytest.approx(expected.response, abs=1e-4)


@pytest.mark.parametrize("name", ["resnet_by_name", "u2netp_onnx"])
def test_an_architecture_and_onnx_answer_as_in_the_runner(
    live: Any, load: Load, photos: list[Path], archives: dict[str, Path], name: str
) -> None:
    if name not in archives:
        pytest.skip("needs onnxruntime")
    (expected,) = load(name).predict([photos[0]])
    found = live.predict(name, data=photos[0].read_bytes())
    assert found.status == 200
    assert found.response == pytest.approx(expected.response, abs=1e-4)
