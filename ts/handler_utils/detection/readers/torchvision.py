"""What torchvision's detectors return: a dictionary an image; exported to ONNX, the tensors of a single one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

from ts.handler_utils.detection.detections import Detections, read_detections
from ts.handler_utils.detection.readers.registry import Reader, Tensors, reads
from ts.handler_utils.detection.readers.tensors import listed_tensors


@reads("torchvision")
class Flattened(Reader):
    """The boxes, labels and scores of one image, in any order; labels are integers.

    The dictionaries of images are no tensors: `as_dictionaries` knows them.
    """

    layout = (
        "a list of dictionaries with boxes, labels and scores, one an image; or, of a single image, boxes [n, 4],"
        " labels [n], which are integers, and scores [n]"
    )
    normalized = False

    def tensors(self, output: Any) -> Optional[Tensors]:
        listed = listed_tensors(output)
        boxes = [tensor for tensor in listed if tensor.dim() == 2 and tensor.shape[1] == 4]
        vectors = [tensor for tensor in listed if tensor.dim() == 1]
        labels = [tensor for tensor in vectors if not tensor.is_floating_point()]
        scores = [tensor for tensor in vectors if tensor.is_floating_point()]
        masks = [tensor for tensor in listed if tensor.dim() == 4]
        found = [boxes, labels, scores, masks]
        if [len(tensors) for tensors in found[:3]] != [1, 1, 1] or sum(map(len, found)) != len(listed):
            return None
        return tuple(tensors[0] for tensors in found if tensors)

    def detections(self, tensors: Tensors) -> list[Detections]:
        return [dict(zip(("boxes", "labels", "scores", "masks"), tensors))]


def as_dictionaries(output: Any) -> Optional[list[Detections]]:
    """The detections in each image, of an output that has a dictionary an image; None of another."""
    pair = isinstance(output, tuple) and len(output) == 2 and isinstance(output[1], (list, tuple))
    images = output[1] if pair else output
    if isinstance(images, (list, tuple)) and all(isinstance(image, Mapping) for image in images):
        return read_detections(output)
    return None
