"""Detectors exported to ONNX for images of one size, which photos then are brought to."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Optional

from ts.handler_utils.configuration import Configuration, is_default_handler
from ts.handler_utils.images.settings import ObjectDetectorSettings
from ts.handler_utils.model_defaults import ModelDefaults
from ts.handler_utils.models.formats.batches import ChunkedModel
from ts.handler_utils.models.formats.onnx import OnnxModel

logger = logging.getLogger(__name__)


def scaling_for(handler: Any, model: Any) -> Mapping[str, Any]:
    """What a detector's photos are scaled by, where no setting says so and the model takes one size.

    YOLO's exports, which return one tensor, get photos in a letterbox, as they were trained; others scaled to the
    size as they are.

    Args:
        handler: whose settings count.
        model: what was loaded.

    Returns:
        Arguments of an `ImageTransform`; none for other models and handlers, and for subclasses, which may scale
        photos themselves.
    """
    settings, size = Configuration.of(handler).settings, fixed_size(model)
    if size is None or not (isinstance(settings, ObjectDetectorSettings) and is_default_handler(handler)):
        return {}
    if settings.model_fields_set & {"resize", "letterbox", "preset"}:
        return {}
    output = settings.output or ModelDefaults.of(handler).output
    is_yolo = output.lower().startswith("yolo") if output else len(model.get_outputs()) == 1
    name = "letterbox" if is_yolo else "resize"
    logger.info(
        "the model takes images of %dx%d: handler.%s is %s, unless model-config.yaml has another",
        *(size[1], size[0]),
        name,
        list(size),
    )
    return {name: list(size)}


def fixed_size(model: Any) -> Optional[tuple[int, int]]:
    """Height and width of the only images [N, C, H, W] that an ONNX model takes; None of another."""
    if not isinstance(model.model if isinstance(model, ChunkedModel) else model, OnnxModel):
        return None
    shapes = [item.shape for item in model.get_inputs()]
    sides = shapes[0][2:] if len(shapes) == 1 and len(shapes[0]) == 4 else []
    return (sides[0], sides[1]) if sides and all(isinstance(side, int) for side in sides) else None
