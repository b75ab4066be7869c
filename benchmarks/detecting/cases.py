"""The networks, and what is measured with each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.cases import CALIBRATION, NO_BACKBONE, OPENVINO, OURS, SMALL, Case, Goal, Writer, detecting
from benchmarks.inputs import Inputs
from benchmarks.models import Network, Unpacked, write_network

PHOTOS = (1, 4)  # in a batch
START = "start"


@dataclass(frozen=True)
class Detector:
    """One of torchvision's.

    Attributes:
        name: torchvision's.
        title: for the tables.
    """

    name: str
    title: str


FAMILY = (
    Detector("ssdlite320_mobilenet_v3_large", "SSDlite 320 MobileNetV3"),
    Detector("fasterrcnn_mobilenet_v3_large_320_fpn", "Faster R-CNN MobileNetV3 320"),
    Detector("fasterrcnn_mobilenet_v3_large_fpn", "Faster R-CNN MobileNetV3"),
    Detector("ssd300_vgg16", "SSD 300 VGG-16"),
    Detector("fasterrcnn_resnet50_fpn", "Faster R-CNN ResNet-50"),
    Detector("fasterrcnn_resnet50_fpn_v2", "Faster R-CNN ResNet-50 v2"),
    Detector("retinanet_resnet50_fpn", "RetinaNet ResNet-50"),
    Detector("retinanet_resnet50_fpn_v2", "RetinaNet ResNet-50 v2"),
    Detector("fcos_resnet50_fpn", "FCOS ResNet-50"),
    Detector("maskrcnn_resnet50_fpn", "Mask R-CNN ResNet-50"),
    Detector("keypointrcnn_resnet50_fpn", "Keypoint R-CNN ResNet-50"),
)


def cases(detector: Detector) -> list[Case]:
    """The start of a worker, and batches of few photos and of more, all of one archive.

    The start is first: it finds nothing that another has kept.
    """
    write = writer(detector)
    batches = [
        detecting(f"{detector.name}/{rows}", write, detector.title, rows, by_openvino=1.4) for rows in PHOTOS
    ]
    return [starting(detector, batches[0]), *batches]


def starting(detector: Detector, case: Case) -> Case:
    contenders = tuple(replace(each, fresh=True) for each in case.contenders)
    goals = (Goal(OURS, measure="time"), Goal(OPENVINO, (OURS,), measure="time"))
    title = f"object_detector, start of a worker up to its first answer, {detector.title}"
    name = f"{detector.name}/{START}"
    return replace(case, name=name, title=title, contenders=contenders, goals=goals, unit="starts")


def writer(detector: Detector) -> Writer:
    """Writes the archive of a network, unless that is there already."""
    network = Network(detector.name, "object_detector", NO_BACKBONE)

    def write(folder: Path, seed: int) -> Unpacked:
        note = folder.with_name("manifest.json")
        if not note.is_file():
            photos = Inputs(seed).jpegs(CALIBRATION, *SMALL)
            note.write_text(json.dumps(write_network(network, folder, seed, photos).manifest))
        return Unpacked(folder, json.loads(note.read_text()))

    return write


def chosen(names: Sequence[str]) -> list[tuple[Detector, Case]]:
    """The cases of these names, or of networks of these; all where there are none."""
    known = [(detector, case) for detector in FAMILY for case in cases(detector)]
    return [
        (detector, case)
        for detector, case in known
        if not names or detector.name in names or case.name in names
    ]


def is_start(case: Case) -> bool:
    """Whether it is workers' starts that a case times."""
    return case.name.endswith(f"/{START}")
