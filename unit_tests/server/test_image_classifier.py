"""Our image_classifier gives a photo the same JSON by REST, in every form, and in the runner."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, Callable

import pytest

from ts.runner import Model
from ts.runner.curl import example_request

Load = Callable[[str], Model]
PHOTOS = ["kitten.jpg", "Cat.jpg", "Dog1.jpg", "croco.jpg", "persons.jpg"]


@pytest.mark.parametrize("name", PHOTOS)
def test_a_photo_gets_one_answer_everywhere(live: Any, load: Load, shared_data: Path, name: str) -> None:
    photo = shared_data / "images" / name
    (ours,) = load("classifier").predict([photo])
    raw = live.predict("classifier", data=photo.read_bytes())
    form = live.predict("classifier", files={"data": photo.read_bytes()})
    assert ours.status == raw.status == form.status == 200
    assert ours.response == raw.response == form.response
    assert len(ours.response) == 5


def test_topk_by_form_field_is_topk_by_option(live: Any, load: Load, shared_data: Path) -> None:
    photo = shared_data / "images" / "kitten.jpg"
    (ours,) = load("classifier").predict([photo], options={"topk": 3})
    form = live.predict("classifier", files={"data": photo.read_bytes()}, data={"topk": "3"})
    assert len(ours.response) == 3
    assert ours.response == form.response


def test_what_is_no_photo_gets_one_answer_everywhere(live: Any, load: Load) -> None:
    (ours,) = load("classifier").predict([b"no photo"])
    theirs = live.predict("classifier", data=b"no photo")
    assert ours.status == theirs.status == 400
    assert ours.response == theirs.response


def test_the_curl_line_for_images_works_as_pasted(live: Any) -> None:
    line = example_request(live.server.url, "classifier", "image_classifier")
    result = subprocess.run(
        ["sh", "-c", f"{line} --fail --silent --noproxy '*'"], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert '"' in result.stdout
