"""What a TorchServe serves under load: archives as folders, with the requests that they are asked."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import torch

from benchmarks.cases import CALIBRATION, MOBILENET, SMALL
from benchmarks.engines.archives import Served, settings, write_bodies
from benchmarks.inputs import Inputs
from benchmarks.models import Unpacked, write_bag_of_words, write_network

INPUTS = 64
NOTHING = """
class Nothing:
    def initialize(self, context):
        pass

    def handle(self, data, context):
        return [b"{}"] * len(data)
"""


def write_photos(folder: Path, seed: int, batch_size: int, config: dict[str, Any]) -> Served:
    """MobileNetV3-small (TorchScript) with random weights, and photos of about 500x375."""
    photos = Inputs(seed).jpegs(INPUTS, *SMALL)
    unpacked = write_network(MOBILENET, folder / "archive", seed, photos[:CALIBRATION])
    return serve(unpacked, folder, batch_size, config, "image/jpeg", photos)


def write_news(folder: Path, seed: int, batch_size: int, config: dict[str, Any]) -> Served:
    """A bag of words with random weights, and made-up news."""
    inputs = Inputs(seed)
    texts = inputs.texts(INPUTS)
    unpacked = write_bag_of_words(inputs.vocabulary(texts), folder / "archive", seed)
    # A Counter has 0 for the words that it does not know, where a dictionary fails in torchserve's own handler.
    vocabulary = unpacked.folder / "source_vocab.pt"
    torch.save(Counter(torch.load(vocabulary)), vocabulary)
    return serve(unpacked, folder, batch_size, config, "text/plain", [text.encode() for text in texts])


def doing_nothing(served: Served, folder: Path) -> Served:
    """The same requests, to a handler that looks at none of them: what TorchServe itself can do."""
    archive = folder / "archive"
    archive.mkdir(parents=True)
    (archive / "nothing.py").write_text(NOTHING)
    unpacked = Unpacked(archive, {"modelName": "nothing", "handler": "nothing.py", "modelVersion": "1.0"})
    bodies = [body.read_bytes() for body in served.bodies]
    return serve(unpacked, folder, served.batch_size, {}, served.content_type, bodies)


def serve(
    unpacked: Unpacked,
    folder: Path,
    batch_size: int,
    config: dict[str, Any],
    content_type: str,
    bodies: list[bytes],
) -> Served:
    """Makes a folder an archive, as torch-model-archiver's format `no-archive` does."""
    archive = unpacked.folder
    (archive / "model-config.yaml").write_text(json.dumps({**settings(batch_size), **config}))
    model = {**unpacked.manifest, "configFile": "model-config.yaml"}
    (archive / "MAR-INF").mkdir()
    manifest = {"runtime": "python", "model": model, "archiverVersion": "0.12.0"}
    (archive / "MAR-INF" / "MANIFEST.json").write_text(json.dumps(manifest))
    return Served(model["modelName"], archive, batch_size, content_type, write_bodies(folder, bodies))
