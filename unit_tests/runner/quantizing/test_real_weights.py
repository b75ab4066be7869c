"""EfficientNet-Lite0 with its ImageNet weights, in int8, on parts of real photos."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from at_hand import or_skip
from PIL import Image

from examples.image_classifier.archive import build_archive
from ts.runner import load_archive
from ts.runner.quantizing import Plan, quantize_archive

for package, extra in (("openvino", "openvino"), ("nncf", "quantize")):
    pytest.importorskip(package, reason=f"needs {package}: pip install 'torchserve-handlers[{extra}]'")

pytestmark = pytest.mark.slow


def save_parts(photos: list[Path], folder: Path, count: int) -> None:
    """Parts of photos, half to whole of their width and height."""
    drawn = random.Random(0)
    for index in range(count):
        photo = Image.open(photos[index % len(photos)]).convert("RGB")
        width, height = (int(size * drawn.uniform(0.5, 1)) for size in photo.size)
        left, top = drawn.randint(0, photo.width - width), drawn.randint(0, photo.height - height)
        photo.crop((left, top, left + width, top + height)).save(folder / f"{index:02}.png", compress_level=1)


def test_scores_change_little_and_the_network_is_half_of_its_size(photos: list[Path], tmp_path: Path) -> None:
    archive = or_skip(build_archive, tmp_path)
    (tmp_path / "parts").mkdir()
    save_parts(photos, tmp_path / "parts", 60)
    # Of such parts the network is often unsure itself.
    plan = Plan(
        [str(tmp_path / "parts")], min_agreement=0.5, preset="mixed", left_float=("ends", "depthwise")
    )
    report = quantize_archive(archive, tmp_path / "int8.mar", plan)
    assert report.problem is None
    assert report.judgement.inputs == 50
    assert report.judgement.mean_change < 1e-3
    assert report.sizes["int8"] < report.sizes["float32"] / 1.8
    with load_archive(tmp_path / "int8.mar", device="cpu") as model:
        (coffee,) = model.predict([photos[1]])
    assert next(iter(coffee.response)) == "espresso"
