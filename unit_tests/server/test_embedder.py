"""Vectors out of a live TorchServe: those of the runner, as JSON and as bytes."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from tiny_archives import photo

PHOTO = photo("orange")


def test_a_vector_as_json_and_as_bytes(live, load):
    (ours,) = load("vectors").predict([PHOTO])
    listed = live.predict("vectors", data=PHOTO)
    assert listed.response == pytest.approx(ours.response)
    assert np.linalg.norm(listed.response) == pytest.approx(1)
    raw = live.predict("vectors", data=PHOTO, headers={"ts-format": "float32"})
    assert raw.content_type == "application/octet-stream"
    assert np.frombuffer(raw.body, "<f4") == pytest.approx(np.array(listed.response), abs=1e-7)
    form = live.predict("vectors", files={"data": PHOTO}, data={"format": "base64"})
    assert base64.b64decode(form.response) == raw.body


def test_a_wrong_option_and_an_explanation_are_refused(live):
    assert live.predict("vectors", data=PHOTO, headers={"ts-format": "list"}).status == 400
    refused = live.predict("vectors", data=PHOTO, explain=True)
    assert (refused.status, refused.response["message"]) == (400, "Embedder gives no explanations")


def test_a_description_tells_the_length_of_vectors(live):
    assert live.describe("vectors")["dimension"] == 3
