"""The tour of all handlers: what they answer, the pictures, and what to type next."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from PIL import Image

from examples import tour
from examples.tour import curl_line, load_example, next_commands, run
from examples.tour_options import SHOWN


@pytest.mark.parametrize("folder", SHOWN)
def test_what_is_shown_is_an_example_in_a_folder_of_its_name(folder: str) -> None:
    assert load_example(folder).folder == folder


def test_the_tour_writes_the_pictures_and_says_what_to_type_next(
    model_store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tour, "PICTURES", model_store.parent / "pictures")
    monkeypatch.chdir(model_store.parent)
    assert run(["image_classifier", "object_detector"], serve=False) == 0
    output = capsys.readouterr().out
    _, _, after = output.partition("Pictures:\n")
    pictures, _, commands = after.partition("Type next:\n")
    names = ["image_classifier-chelsea", "image_classifier-coffee", "object_detector-coffee", "all"]
    assert pictures.split() == [f"pictures/{name}.png" for name in names]
    assert Image.open("pictures/all.png").size[0] == 1440
    assert "torch-model-runner predict model_store/efficientnet_lite0.mar" in commands
    assert "--option format=overlay --save pictures/found" in commands
    assert "--architecture" not in commands


def test_a_network_by_name_is_asked_without_an_archive(model_store: Path) -> None:
    commands = next_commands([load_example("network_by_name")])
    weights = model_store / "tf_efficientnet_lite0.safetensors"
    assert f"predict --architecture timm/tf_efficientnet_lite0 --weights {weights} " in commands[1]


def test_serving_gives_a_curl_line_for_each_archive_and_serves_them_all(
    model_store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tour, "PICTURES", model_store.parent / "pictures")
    served: list[str] = []
    monkeypatch.setattr(tour, "run_command", lambda arguments: served.extend(arguments) or 0)
    assert run(["image_classifier", "text_classifier"], serve=True) == 0
    names = ["efficientnet_lite0", "reuters_r8"]
    assert served == [
        "serve",
        "--engine",
        "torchserve",
        *(str(model_store / f"{name}.mar") for name in names),
    ]
    output = capsys.readouterr().out
    assert [output.count(f"curl http://127.0.0.1:8080/predictions/{name} ") for name in names] == [1, 1]


def test_a_curl_line_sends_what_the_example_asks_first() -> None:
    text = shlex.split(curl_line(load_example("text_classifier")))
    assert text[:2] == ["curl", "http://127.0.0.1:8080/predictions/reuters_r8"]
    assert text[2:5] == ["-H", "Content-Type: text/plain", "-d"]
    assert text[5].startswith("Oil prices rose")
    photo = shlex.split(curl_line(load_example("image_segmenter")))
    assert photo[2] == "-T"
    assert Path(photo[3]).name == "chelsea.png"
