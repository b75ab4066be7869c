"""What is looked at while a handler answers with a module that is to be packed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Optional

import torch

from ts.handler_utils.configuration import is_default_handler
from ts.runner.answering.model import Model
from ts.runner.answering.payload import Input
from ts.runner.errors import ArchiveError
from ts.runner.exporting.recording import recorded_calls
from ts.utils.spelling import nearest

# By how much pixels may differ, of 255: rounded to whole numbers or not, and where a bicubic resize overshoots.
ON_AVERAGE, AT_MOST = 0.5, 32.0


def check_settings(model: Model) -> None:
    """Refuses a setting that a default handler does not know.

    Raises:
        ArchiveError: there is one; the message names the nearest.
    """
    if model.handler is None or not is_default_handler(model.handler):
        return
    settings = model.handler.settings
    for key in settings.model_extra or {}:
        meant = nearest(key, type(settings).model_fields)
        hint = f"; did you mean {meant}?" if meant else ""
        raise ArchiveError(f"handler {model.archive.handler!r} has no setting {key!r}{hint}")


def classes_in(handler: str, outputs: Sequence[Any]) -> Optional[int]:
    """How many classes a classifier or a segmenter tells apart, by its outputs; None if they do not show."""
    output = outputs[0] if outputs else None
    dimensions = {"image_classifier": 2, "text_classifier": 2, "image_segmenter": 4}.get(handler)
    if not isinstance(output, torch.Tensor) or output.ndim != dimensions or output.shape[1] == 1:
        return None
    return int(output.shape[1])


def check_transform(model: Model, inputs: Sequence[Input], transform: Any) -> None:
    """Whether a handler makes of images what a transform of torchvision or timm does.

    Args:
        model: the handler.
        inputs: encoded images.
        transform: makes a Pillow image into a tensor; None is not compared.

    Raises:
        ArchiveError: it makes something else of one.
    """
    if transform is None:
        return
    for value in inputs:
        data = value.read_bytes() if isinstance(value, Path) else value
        if not isinstance(data, (bytes, bytearray)):
            continue
        ours, theirs = _first_image(model, value), transform(_image(bytes(data)))
        if ours.shape != theirs.shape:
            raise ArchiveError(
                f"the handler makes a tensor {list(ours.shape)} of the sample, and the transform"
                f" {list(theirs.shape)}"
            )
        differences = (
            (ours - theirs).abs() * 255 * min(getattr(model.handler.image_processing, "std", None) or [1])
        )
        if differences.mean() > ON_AVERAGE or differences.max() > AT_MOST:
            raise ArchiveError(
                f"the handler makes other pixels of the sample than the transform: they differ by"
                f" {differences.mean():.1f} of 255 on average, and by up to {differences.max():.1f}"
            )


def _first_image(model: Model, value: Input) -> torch.Tensor:
    """What the model gets of an input at first: half of one, it may be asked again in its own type."""
    with recorded_calls(model.handler) as calls:
        model.predict([value], batch_size=1)
    return calls[0].inputs[0][0].detach().cpu().float()


def _image(data: bytes) -> Any:
    from PIL import Image, ImageOps

    return ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
