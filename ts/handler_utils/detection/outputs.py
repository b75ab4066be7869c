"""A detector's output, read as its archive says or as it looks."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Optional

import torch

from ts.handler_utils.configuration import Configuration
from ts.handler_utils.detection.detections import Detections
from ts.handler_utils.detection.readers.registry import Found, Reader, choose_reader, find_reader, read_as
from ts.handler_utils.detection.readers.tensors import are_fractions, are_probabilities
from ts.handler_utils.detection.readers.torchvision import as_dictionaries
from ts.handler_utils.model_defaults import ModelDefaults
from ts.handler_utils.parts import Part

logger = logging.getLogger(__name__)


class DetectorOutputs(Part):
    """Reads what the model of an `ObjectDetector` returns."""

    _told: Optional[str] = None  # of which reader the log has been told

    def check_settings(self) -> None:
        """Refuses a setting `output` that names no reader.

        Raises:
            ValueError: there is none of this name; the message has the nearest.
        """
        name = self._setting("output")
        try:
            if name is not None:
                find_reader(name)
        except ValueError as error:
            Configuration.of(self.handler).refuse("output", f"handler.output: {error}")

    def read(self, output: Any) -> list[Found]:
        """The detections in each image of a batch.

        Args:
            output: what the model returned; or a list of what `read_one_by_one` made of it.

        Raises:
            TypeError: it is of another form than the setting `output` says, or than any reader knows.
        """
        if isinstance(output, list) and any(isinstance(image, Found) for image in output):
            return [image if isinstance(image, Found) else Found(image) for image in output]
        name = self._setting("output") or ModelDefaults.of(self.handler).output
        nms_iou = self._setting("nms_iou")
        dictionaries = as_dictionaries(output) if name in (None, "torchvision") else None
        if dictionaries is not None:
            return [Found(detections, nms_iou=nms_iou) for detections in dictionaries]
        reader, tensors = read_as(name, output) if name else self._found_out(output)
        images = reader.detections(tensors)
        _check_scores(reader, images)
        normalized = self._are_fractions(reader, [image["boxes"] for image in images])
        return [Found(image, normalized, reader.nms_iou if nms_iou is None else nms_iou) for image in images]

    def read_one_by_one(self, output: Any) -> list[Any]:
        """As `read`, but of what already are detections in pixels, as torchvision's are, just these."""
        return [
            image.detections if image == Found(image.detections) else image for image in self.read(output)
        ]

    def _found_out(self, output: Any) -> tuple[Reader, Any]:
        reader = choose_reader(output)
        if reader.name != self._told:
            self._told = reader.name
            logger.info("the detector's output is read as %s: %s", reader.name, reader.layout)
        return reader, reader.tensors(output)

    def _are_fractions(self, reader: Reader, boxes: Sequence[torch.Tensor]) -> bool:
        told = self._setting("normalized")
        if told is not None:
            return bool(told)
        if reader.normalized is not None:
            return reader.normalized
        return are_fractions(torch.cat([image.flatten() for image in boxes]))

    def _setting(self, name: str) -> Any:
        return getattr(Configuration.of(self.handler).settings, name, None)


def _check_scores(reader: Reader, images: Sequence[Detections]) -> None:
    """Refuses what cannot be what the reader is for.

    Raises:
        TypeError: scores are no probabilities.
    """
    scores = torch.cat([image["scores"] for image in images])
    if not are_probabilities(scores):
        least, greatest = (value.item() for value in scores[scores.isfinite()].aminmax())
        raise TypeError(
            f"the detector's scores are from {least:.4g} to {greatest:.4g}, not from 0 to 1, as {reader.name}"
            f" reads them ({reader.layout}): set handler.output in model-config.yaml to what it returns, or export"
            " it with a sigmoid or softmax at its end"
        )
