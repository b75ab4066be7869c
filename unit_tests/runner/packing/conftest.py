"""Weights of torchvision, as torch's cache has them once they were downloaded; and photos."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest
import torch
from torchvision.models import get_model_weights

from ts.handler_utils.models.formats.architecture import build


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hub")


@pytest.fixture
def cached(hub: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """`cached(name, **arguments)` puts random weights of a network where its default ones would be; and returns
    their path. Nothing is downloaded meanwhile."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("nothing is to be downloaded")

    monkeypatch.setenv("TORCH_HOME", str(hub))
    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    (hub / "hub" / "checkpoints").mkdir(parents=True, exist_ok=True)

    def put(name: str, **arguments: object) -> Path:
        url = get_model_weights(name).DEFAULT.url
        path = hub / "hub" / "checkpoints" / url.rpartition("/")[2]
        if not path.exists():
            torch.manual_seed(0)
            torch.save(build(name, arguments).state_dict(), path)
        return path

    return put
