"""Our image_classifier gives a photo the same JSON by REST, in every form, and in the runner."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Callable

import pytest

from ts.runner import Model
from ts.runner.samples.asking import about_model
from ts.runner.samples.curl import example_request

Load = Callable[[str], Model]
TOP_LABELS = {
    "chelsea.png": "Egyptian cat",
    "coffee.png": "espresso",
    "rocket.jpg": "missile",
    "china.jpg": "palace",
    "flower.jpg": "daisy",
}

pytestmark = pytest.mark.usefixtures("efficientnet_lite0")


@pytest.mark.parametrize("name", TOP_LABELS)
def test_a_photo_gets_one_answer_everywhere(live: Any, load: Load, photos: list[Path], name: str) -> None:
    (photo,) = [path for path in photos if path.name == name]
    (ours,) = load("efficientnet_lite0").predict([photo])
    raw = live.predict("efficientnet_lite0", data=photo.read_bytes())
    form = live.predict("efficientnet_lite0", files={"data": photo.read_bytes()})
    assert ours.status == raw.status == form.status == 200
    assert ours.response == raw.response == form.response
    assert len(ours.response) == 5
    assert next(iter(ours.response)) == TOP_LABELS[name]


def test_topk_by_form_field_is_topk_by_option(live: Any, load: Load, photos: list[Path]) -> None:
    photo = photos[-1]
    (ours,) = load("efficientnet_lite0").predict([photo], options={"topk": 3})
    form = live.predict("efficientnet_lite0", files={"data": photo.read_bytes()}, data={"topk": "3"})
    assert len(ours.response) == 3
    assert ours.response == form.response


def test_what_is_no_photo_gets_one_answer_everywhere(live: Any, load: Load) -> None:
    (ours,) = load("efficientnet_lite0").predict([b"no photo"])
    theirs = live.predict("efficientnet_lite0", data=b"no photo")
    assert ours.status == theirs.status == 400
    assert ours.response == theirs.response


def test_the_curl_line_for_images_works_as_pasted(live: Any) -> None:
    about = about_model(live.server.management_url, "efficientnet_lite0", "1.0")
    line = example_request(live.server.url, "efficientnet_lite0", about)
    assert line is not None
    result = subprocess.run(
        ["sh", "-c", line], capture_output=True, text=True, env={**os.environ, "no_proxy": "*"}
    )
    assert result.returncode == 0, result.stderr
    assert len(json.loads(result.stdout)) == 5
