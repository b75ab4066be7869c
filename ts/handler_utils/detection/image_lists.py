"""How a detector takes a batch: as a list of images, which may differ in size, or as one stacked tensor."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from typing import Any, Callable

import torch

from ts.handler_utils.detection.detections import read_detections
from ts.handler_utils.errors import ModelFault

_TORCHVISION = "torchvision.models.detection."


def takes_list(model: Any) -> bool:
    """Whether a model takes a list of images [C, H, W], rather than one tensor [N, C, H, W].

    It does if the first argument of its `forward` is declared to be a list (TorchScript always declares it), or if
    it is not declared and the model is one of torchvision's detectors.
    """
    if isinstance(model, torch.jit.ScriptModule):
        schema: Any = model.forward.schema  # type: ignore[attr-defined]  # the stubs lack it
        return str(schema.arguments[1].type) == "List[Tensor]"
    model = getattr(model, "_orig_mod", model)  # what torch.compile wraps
    declared = _first_annotation(getattr(model, "forward", model))
    if declared is None:
        return any(base.__module__.startswith(_TORCHVISION) for base in type(model).__mro__)
    return re.search(r"\b(list|sequence|iterable)\b", declared, re.IGNORECASE) is not None


def takes_one_image(model: Any) -> bool:
    """Whether a model takes one image [C, H, W] at a time, as ONNX exports of torchvision's detectors do."""
    is_onnx = not isinstance(model, torch.nn.Module) and hasattr(model, "get_inputs")
    shapes = [item.shape for item in model.get_inputs()] if is_onnx else []
    return len(shapes) == 1 and len(shapes[0]) == 3


def detect_one_by_one(
    model: Callable[[torch.Tensor], Any], images: Iterable[torch.Tensor], read: Callable[[Any], list[Any]]
) -> list[Any]:
    """Runs a model that takes one image [C, H, W] on each of several.

    Args:
        model: returns the detections in its image.
        images: tensors [C, H, W].
        read: takes the detections out of what the model returns, a list of one.
    """
    return [found for image in images for found in read(model(image))]


def detect_in_stacks(
    model: Callable[[torch.Tensor], Any],
    images: torch.Tensor | Sequence[torch.Tensor],
    read: Callable[[Any], list[Any]] = read_detections,
) -> Any:
    """Runs a model that takes one tensor [N, C, H, W] on images of any sizes, those of one size together.

    Args:
        model: returns the detections in each image of its batch.
        images: one tensor [N, C, H, W], or N tensors [C, H, W].
        read: takes the detections in each image out of what the model returns.

    Returns:
        What the model returns, where all images have one size; else the detections in each image.

    Raises:
        ModelFault: the model returned other than the detections in as many images as it was given.
    """
    if isinstance(images, torch.Tensor):
        return model(images)
    groups: dict[torch.Size, list[int]] = {}
    for index, image in enumerate(images):
        groups.setdefault(image.shape, []).append(index)
    outputs = [model(torch.stack([images[index] for index in indexes])) for indexes in groups.values()]
    if len(outputs) == 1:
        return outputs[0]
    found: dict[int, Any] = {}
    for indexes, output in zip(groups.values(), outputs):
        of_images = read(output)
        if len(of_images) != len(indexes):
            raise ModelFault(f"the model returned detections in {len(of_images)} of {len(indexes)} images")
        found.update(zip(indexes, of_images))
    return [found[index] for index in range(len(images))]


def _first_annotation(function: Any) -> str | None:
    """How the first parameter of a function is declared, as text; None if it is not."""
    parameters = list(inspect.signature(function).parameters.values()) if callable(function) else []
    declared = [p.annotation for p in parameters[:1] if p.annotation is not inspect.Parameter.empty]
    return str(declared[0]) if declared else None
