"""The archives that are served, as folders, and the requests that they are asked."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional

import torch
from PIL import Image

from benchmarks.processes.namespace import ROOT
from examples.assets import CHELSEA, COFFEE, REUTERS_TEST, ROCKET, fetch_all
from examples.image_classifier.archive import build_archive as build_photo
from examples.text_classifier.archive import build_archive as build_text
from examples.text_classifier.archive import read_documents

STORE = ROOT / "model_store"  # where the examples put archives
ECHO_BYTES = 100
PHOTO_BYTES = 51_000
TEXTS = 64

# Answers tell how many rows their batch has, before what was asked.
ECHO = """
import time

class Echo:
    def initialize(self, context):
        pass

    def handle(self, data, context):
        time.sleep({seconds})
        rows = b"%d rows: " % len(data)
        return [rows + bytes(row.get("data") or row["body"]) for row in data]
"""


@dataclass(frozen=True)
class Served:
    """An archive and its requests.

    Attributes:
        name: Of the model.
        folder: The archive.
        batch_size: Its `batchSize`.
        content_type: Of the requests.
        bodies: Files.
        tells: Whether answers hold the request, and the size of their batch.
        beside: What the same server has too, to be warmed up by: it answers more often than the model can.
    """

    name: str
    folder: Path
    batch_size: int
    content_type: str
    bodies: list[Path]
    tells: bool = False
    beside: Optional[Served] = None

    def requests(self) -> dict[str, Any]:
        """As the load generator is told."""
        tokens = [body.read_text() for body in self.bodies] if self.tells else []
        return {
            "path": f"/predictions/{self.name}",
            "content_type": self.content_type,
            "bodies": [str(body) for body in self.bodies],
            "tokens": tokens,
        }


def settings(batch_size: int, workers: int = 1) -> dict[str, Any]:
    return {"minWorkers": workers, "maxWorkers": workers, "batchSize": batch_size, "maxBatchDelay": 10}


def write_echo(folder: Path, batch_size: int, *, seconds: float = 0, workers: int = 1) -> Served:
    """An archive whose handler sleeps, and says what it was asked."""
    archive = folder / "echo"
    (archive / "MAR-INF").mkdir(parents=True)
    model = {"modelName": "echo", "handler": "echo.py", "modelVersion": "1.0", "configFile": "config.yaml"}
    manifest = {"runtime": "python", "model": model, "archiverVersion": "0.12.0"}
    (archive / "MAR-INF" / "MANIFEST.json").write_text(json.dumps(manifest))
    (archive / "echo.py").write_text(ECHO.format(seconds=seconds))
    (archive / "config.yaml").write_text(json.dumps(settings(batch_size, workers)))
    texts = [f"{number:0{ECHO_BYTES}d}".encode() for number in range(64)]
    return Served(
        "echo", archive, batch_size, "application/octet-stream", write_bodies(folder, texts), tells=True
    )


def write_slow(folder: Path, batch_size: int, *, workers: int = 1) -> Served:
    """An archive whose handler takes 100 ms a batch, whatever its size, and computes nothing."""
    return write_echo(folder, batch_size, seconds=0.1, workers=workers)


def write_photo(folder: Path, batch_size: int, *, workers: int = 1) -> Served:
    """The example's EfficientNet-Lite0, and photos of about 51 kB."""
    archive = unpack("efficientnet_lite0", build_photo, folder, settings(batch_size, workers))
    photos = [jpeg(path) for path in fetch_all([CHELSEA, COFFEE, ROCKET])]
    return Served("efficientnet_lite0", archive, batch_size, "image/jpeg", write_bodies(folder, photos))


def write_text(folder: Path, batch_size: int, *, workers: int = 1) -> Served:
    """The example's classifier of news, and news."""
    archive = unpack(
        "reuters_r8", build_text, folder, {**settings(batch_size, workers), "handler": {"ngrams": 2}}
    )
    # A Counter has 0 for the words that it does not know, where a dictionary fails in torchserve's own handler.
    vocabulary = archive / "source_vocab.pt"
    torch.save(Counter(torch.load(vocabulary)), vocabulary)
    (documents,) = fetch_all([REUTERS_TEST])
    texts = [text.encode() for text in read_documents(documents)[0][:TEXTS]]
    return Served("reuters_r8", archive, batch_size, "text/plain", write_bodies(folder, texts))


def unpack(name: str, build: Callable[[Path], Path], folder: Path, config: dict[str, Any]) -> Path:
    """Unpacks an example's archive, which is built if need be, with other settings."""
    packed = STORE / f"{name}.mar"
    if not packed.is_file():
        build(STORE)
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(folder / name)
    (folder / name / "model-config.yaml").write_text(json.dumps(config))
    return folder / name


def jpeg(path: Path) -> bytes:
    """A photo as a JPEG of 51 kB at most, by the highest quality that gives such."""
    with Image.open(path) as photo:
        image = photo.convert("RGB")
    for quality in range(95, 20, -1):
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        if buffer.tell() <= PHOTO_BYTES:
            break
    return buffer.getvalue()


def write_bodies(folder: Path, bodies: Sequence[bytes]) -> list[Path]:
    place = folder / "bodies"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    paths = [place / f"{number:03d}" for number in range(len(bodies))]
    for path, body in zip(paths, bodies):
        path.write_bytes(body)
    return paths
