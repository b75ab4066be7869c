"""`torch-model-runner compare` asks a live TorchServe, whose requests are then what a client sends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from ts.runner.main import main


def compare(capfd: pytest.CaptureFixture[str], *arguments: Any) -> tuple[int, Any]:
    capfd.readouterr()
    code = main(["compare", "--json", "--device", "cpu", *map(str, arguments)])
    out, err = capfd.readouterr()
    return code, json.loads(out) if code < 2 else err


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    Image.radial_gradient("L").convert("RGB").save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


@pytest.fixture(autouse=True)
def signals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ts.runner.main.unwind_on_signals", lambda: None)


@pytest.mark.parametrize("options", [[], ["--option", "normalize=true"], ["--batch-size", "2"]])
def test_an_archive_and_a_server_that_serves_it(
    capfd: pytest.CaptureFixture[str], live: Any, archives: dict[str, Path], photo: Path, options: list[str]
) -> None:
    url = live.server.url
    code, document = compare(capfd, archives["vectors"], photo, photo, "--old", url, *options)
    assert (code, document["counts"]) == (0, {"same": 1})
    assert {tuple(row["statuses"]) for row in document["results"]} == {(200, 200)}
    assert document["old"] == url


def test_two_models_of_a_server(capfd: pytest.CaptureFixture[str], live: Any, photo: Path) -> None:
    url = live.server.url
    old, new = f"{url}/predictions/vectors/1.0", f"{url}/predictions/echo"
    code, document = compare(capfd, photo, "--old", old, "--new", new)
    assert code == 1
    assert document["results"][0]["statuses"] == [200, 200]
    assert document["results"][0]["why"] is None


def test_a_model_that_the_server_does_not_know(
    capfd: pytest.CaptureFixture[str], live: Any, photo: Path
) -> None:
    url = live.server.url
    code, error = compare(
        capfd, photo, "--old", f"{url}/predictions/vectors", "--new", f"{url}/predictions/vector"
    )
    assert (code, error) == (
        2,
        f"torch-model-runner: {url}/predictions/vector has no such model: 404 Model not found: vector; its name"
        " there may be another: add /predictions/NAME\n",
    )
