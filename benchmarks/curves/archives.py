"""The archives of the curves: networks of many classes, of many tokens, and of many bytes."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmarks.inputs import Inputs
from benchmarks.models import Unpacked, write_labels

MIB = 1 << 20
LAYER = 4 * MIB  # numbers of a tensor, of those that make an archive large
LARGE_FILE = """
import torch
from torch import nn

class Network(nn.Module):
    def __init__(self):
        super().__init__()
        sizes = {sizes!r}
        self.layers = nn.ParameterList([nn.Parameter(torch.empty(size), False) for size in sizes])

    def forward(self, images):
        return images.mean(dim=(2, 3)) @ torch.eye(3, 10)
"""


class Sorter(nn.Module):
    """The least network that has so many classes."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.fc = nn.Linear(48, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.fc(nn.functional.adaptive_avg_pool2d(images, 4).flatten(1))


def write_classifier(classes: int, folder: Path, seed: int) -> Unpacked:
    """An image classifier that does next to nothing but to have so many classes."""
    folder.mkdir(parents=True)
    torch.manual_seed(seed)
    torch.jit.trace(Sorter(classes).eval(), torch.rand(1, 3, 224, 224)).save(str(folder / "model.pt"))
    write_labels(folder, [f"class {index}" for index in range(classes)])
    manifest = {"modelName": "sorter", "handler": "image_classifier", "modelVersion": "1.0"}
    return Unpacked(folder, {**manifest, "serializedFile": "model.pt"})


def texts_of_tokens(inputs: Inputs, rows: int, tokens: int) -> list[bytes]:
    """Texts of so many tokens of that BERT, with [CLS] and [SEP]."""
    count = max(1, tokens - 2)
    return [" ".join(inputs.words(count)).encode() for _ in range(rows)]


def write_large(mebibytes: float, folder: Path, seed: int) -> Unpacked:
    """An image classifier whose weights have so many bytes, and the archive of it, FOLDER.mar.

    Weights are stored, not compressed: those of a network are noise. They repeat each 16 MiB, which
    no step from a file to a tensor minds, so that they are written without having all of them in memory.
    """
    folder.mkdir(parents=True)
    count = int(mebibytes * MIB) // 4
    sizes = [min(LAYER, count - start) for start in range(0, count, LAYER)]
    layer = folder.with_suffix(".layer")
    np.random.default_rng(seed).standard_normal(LAYER, np.float32).tofile(layer)
    mapped = [torch.from_file(str(layer), size=size, dtype=torch.float32) for size in sizes]
    torch.save({f"layers.{index}": numbers for index, numbers in enumerate(mapped)}, folder / "model.pt")
    layer.unlink()
    (folder / "network.py").write_text(LARGE_FILE.format(sizes=sizes))
    write_labels(folder, [f"class {index}" for index in range(10)])
    manifest = {"modelName": "large", "handler": "image_classifier", "modelVersion": "1.0"}
    manifest.update(modelFile="network.py", serializedFile="model.pt")
    with zipfile.ZipFile(f"{folder}.mar", "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)
        archive.writestr(
            "MAR-INF/MANIFEST.json",
            json.dumps({"runtime": "python", "model": manifest, "archiverVersion": "0.12.0"}),
        )
    return Unpacked(folder, manifest)
