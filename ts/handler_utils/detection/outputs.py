"""A detector's output, read as its archive says or as it looks."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Optional

import torch

from ts.handler_utils.configuration import Configuration
from ts.handler_utils.detection.readers.registry import Found, Reader, choose_reader, find_reader, read_as
from ts.handler_utils.detection.readers.torchvision import as_dictionaries
from ts.handler_utils.model_defaults import ModelDefaults
from ts.handler_utils.parts import Part

logger = logging.getLogger(__name__)

# Pixels that no box of a whole output stays within, so that such boxes are fractions of the image.
_FRACTIONS = 2.0


class DetectorOutputs(Part):
    """Reads what the model of an `ObjectDetector` returns."""

    _told: Optional[type[Reader]] = None  # of which reader the log has been told

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
        dictionaries = as_dictionaries(output) if name in (None, "torchvision") else None
        if dictionaries is not None:
            return [Found(detections) for detections in dictionaries]
        reader, tensors = read_as(name, output) if name else self._found_out(output)
        images = reader.detections(tensors)
        normalized = self._are_fractions(reader, [image["boxes"] for image in images])
        nms_iou = reader.nms_iou and (self._setting("nms_iou") or reader.nms_iou)
        return [Found(image, normalized, nms_iou) for image in images]

    def read_one_by_one(self, output: Any) -> list[Any]:
        """As `read`, but of what already are detections in pixels, as torchvision's are, just these."""
        return [
            image if image.normalized or image.nms_iou else image.detections for image in self.read(output)
        ]

    def _found_out(self, output: Any) -> tuple[Reader, Any]:
        reader = choose_reader(output)
        if type(reader) is not self._told:
            self._told = type(reader)
            logger.info("the detector's output is read as %s: %s", type(reader).__name__, reader.layout)
        return reader, reader.tensors(output)

    def _are_fractions(self, reader: Reader, boxes: Sequence[torch.Tensor]) -> bool:
        told = self._setting("normalized")
        if told is not None:
            return bool(told)
        if reader.normalized is not None:
            return reader.normalized
        values = torch.cat([image.flatten() for image in boxes])
        return bool((values[values.isfinite()].abs() <= _FRACTIONS).all())

    def _setting(self, name: str) -> Any:
        return getattr(Configuration.of(self.handler).settings, name, None)
