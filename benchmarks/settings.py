"""Says what each setting that trades accuracy for speed gains and costs, with real weights on real photos.

    python benchmarks/settings.py [--device cpu|cuda] [--photos FOLDER] [--rounds N] [--json FILE] [--plot FILE]

The network is EfficientNet-Lite0 of examples/image_classifier; its weights and the photos are fetched by
examples/assets.py. Each photo is asked about twice: as it is, and enlarged until its shorter side has 1500 pixels,
about what phones send. Every setting is compared with no setting at all, in one run, and no setting with
torchserve's own handler. Needs torchserve.
"""

from __future__ import annotations

import argparse
import io
import random
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.cases import Case, Contender, Goal, versus_both
from benchmarks.measuring.in_turn import Plan, measure
from benchmarks.measuring.machine import describe, no_openvino
from benchmarks.models import Unpacked, write_labels
from benchmarks.report import plot, text
from benchmarks.results import Report
from benchmarks.workers.processes import installed_torchserve
from examples.assets import EFFICIENTNET_LITE0, PHOTOS, fetch, fetch_all
from examples.image_classifier.archive import HERE, imagenet_labels

NONE = "no setting"
SHORTER_SIDE = 1500
SUFFIXES = {".jpg", ".jpeg", ".png"}
ALL_CLASSES = {"topk": 1000}  # so that the change of every probability is seen
COMPILE = {"pt2": {"compile": {"enable": True}}}


def main(arguments: Optional[Sequence[str]] = None) -> Report:
    options = parse_arguments(arguments)
    photos = load_photos(options.photos)
    plan = Plan(installed_torchserve(), options.device, options.rounds, options.seed, batches=1)
    report = Report(f"settings-{options.device}", describe(plan.seed, plan.rounds), [])
    for case in cases(photos, options.device):
        with tempfile.TemporaryDirectory(prefix="settings-benchmark-") as folder:
            report.cases.append(measure(case, plan, Path(folder)))
    print(text(report))
    if options.json:
        report.write(options.json)
    if options.plot:
        plot(report, options.plot)
    return report


def parse_arguments(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Says what settings gain and cost on real photos.")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="default: %(default)s")
    parser.add_argument("--photos", type=Path, help="folder of more photos")
    parser.add_argument(
        "--rounds", type=int, default=5, help="how often each is timed (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 31), help="default: a random one")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="file for a plot; needs matplotlib")
    return parser.parse_args(arguments)


def cases(photos: list[Any], device: str) -> list[Case]:
    def case(name: str, what: str, contenders: tuple[Contender, ...], compare: str) -> Case:
        goals = tuple(Goal(contender.name, (contenders[0].name,)) for contender in contenders[1:])
        title = f"EfficientNet-Lite0, {len(photos)} real photos in one batch, {what}"
        draw = lambda _, rows: photos[:rows]  # noqa: E731
        return Case(name, title, len(photos), draw, write_example, contenders, goals, compare)

    return [
        case("default", "no setting beside torchserve", versus_both(), "labels"),
        case("settings", "settings beside none", settings(device), "probabilities"),
    ]


def write_example(folder: Path, _: int) -> Unpacked:
    """Writes the archive of the example, unpacked: the same by any seed."""
    folder.mkdir(parents=True)
    shutil.copy(HERE / "model.py", folder / "efficientnet.py")
    shutil.copy(fetch(EFFICIENTNET_LITE0), folder / "model.pt")
    write_labels(folder, list(imagenet_labels().values()))
    manifest = {"modelName": "efficientnet_lite0", "handler": "image_classifier"}
    return Unpacked(folder, {**manifest, "modelFile": "efficientnet.py", "serializedFile": "model.pt"})


def settings(device: str) -> tuple[Contender, ...]:
    """No setting, and each of those that a device has."""
    shared = [
        contender("memory_format: channels_last", memory_format="channels_last"),
        contender("scaled_decode: true", scaled_decode=True),
        contender("decoder: torchvision", decoder="torchvision"),
        contender("decoder: torchcodec", decoder="torchcodec"),
        contender("threads: 1", threads=1),
        contender("micro_batch: 6", micro_batch=6),
        contender("pt2: compile", COMPILE),
        replace(contender("engine: openvino", engine="openvino"), missing=no_openvino),
        contender("precision: bfloat16", precision="bfloat16"),
        contender("precision: float16", precision="float16"),
    ]
    own = [contender("decoder: nvjpeg", decoder="nvjpeg")] if device == "cuda" else []
    return (contender(NONE), *shared, *own)


def contender(name: str, config: Optional[dict[str, Any]] = None, **handler: Any) -> Contender:
    config = {**(config or {}), "handler": {**ALL_CLASSES, **handler}}
    return Contender(name, "ours", config=config, exact=None if name == NONE else False)


def load_photos(folder: Optional[Path]) -> list[Any]:
    """JPEGs of the examples' photos and of those in a folder: each as it is, and enlarged."""
    paths = [*fetch_all(PHOTOS)]
    if folder:
        paths.extend(path for path in sorted(folder.iterdir()) if path.suffix.lower() in SUFFIXES)
    images = [Image.open(path).convert("RGB") for path in paths]
    return [jpeg(image) for image in images] + [jpeg(enlarged(image)) for image in images]


def enlarged(image: Image.Image) -> Image.Image:
    factor = max(1.0, SHORTER_SIDE / min(image.size))
    size = round(image.width * factor), round(image.height * factor)
    return image.resize(size, Image.Resampling.LANCZOS)


def jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "jpeg", quality=92)
    return file.getvalue()


if __name__ == "__main__":
    main()
