"""The section `handler:` of model-config.yaml, checked when the model loads."""

from __future__ import annotations

import difflib
import logging
from typing import Annotated, Any, Literal, Optional, TypeVar, Union

from pydantic import ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError, field_validator

from ts.handler_utils.image_transform import preset_changes, weights_of_preset
from ts.handler_utils.options import (
    ImageClassifierOptions,
    ImageSegmenterOptions,
    ObjectDetectorOptions,
    Options,
    describe_problems,
)

logger = logging.getLogger(__name__)

Settings = TypeVar("Settings", bound="HandlerSettings")

Size = Union[PositiveInt, Annotated[list[PositiveInt], Field(min_length=2, max_length=2)]]
Interpolation = Literal["nearest", "bilinear", "bicubic", "box", "hamming", "lanczos"]


class HandlerSettings(Options):
    """What every handler can be told. A key that is no setting is left alone: subclasses have their own."""

    model_config = ConfigDict(extra="allow", frozen=True)

    profile: bool = Field(default=False, description="report the time of each hook as a metric")
    model_class: Optional[str] = Field(
        default=None, description="the model's class, where the model file defines several"
    )


class VisionSettings(HandlerSettings):
    """How images are read and made into tensors; what is not set stays as the handler has it."""

    resize: Optional[Size] = Field(
        default=None, description="pixels of the shorter side after scaling, or [height, width]"
    )
    crop: Optional[Size] = Field(
        default=None, description="pixels of the square cut from the middle, or [height, width]"
    )
    interpolation: Optional[Interpolation] = Field(default=None, description="how images are scaled")
    mean: Optional[list[float]] = Field(
        default=None,
        min_length=1,
        max_length=3,
        description="subtracted from values in [0, 1], a channel each",
    )
    std: Optional[list[PositiveFloat]] = Field(
        default=None, min_length=1, max_length=3, description="what values are divided by, a channel each"
    )
    channels: Optional[Literal[1, 3]] = Field(default=None, description="1: grey, 3: RGB")
    preset: Optional[str] = Field(
        default=None,
        description="torchvision weights whose transforms to take: ResNet50_Weights.IMAGENET1K_V2",
    )
    exif: bool = Field(default=True, description="turn images upright, as their EXIF orientation says")
    max_pixels: Optional[int] = Field(
        default=None, ge=1, description="width times height of the largest image that is decoded"
    )

    @field_validator("preset")
    @classmethod
    def _preset_exists(cls, name: str | None) -> str | None:
        if name is not None:
            weights_of_preset(name)
        return name

    def transform_changes(self) -> dict[str, Any]:
        """The arguments of `ImageTransform` that these settings give."""
        changes = dict(preset_changes(weights_of_preset(self.preset))) if self.preset else {}
        names = ("resize", "crop", "interpolation", "mean", "std", "channels")
        given = {name: getattr(self, name) for name in names if name in self.model_fields_set}
        return {**changes, **given}


class ImageClassifierSettings(VisionSettings, ImageClassifierOptions):
    """Settings of image_classifier."""


class ObjectDetectorSettings(VisionSettings, ObjectDetectorOptions):
    """Settings of object_detector."""

    stack: Optional[bool] = Field(
        default=None,
        description="give the model one tensor [N, C, H, W], not a list of images; found out if unset",
    )


class ImageSegmenterSettings(VisionSettings, ImageSegmenterOptions):
    """Settings of image_segmenter."""


def read_settings(kind: type[Settings], config: dict[str, Any] | None) -> Settings:
    """Reads the settings of a handler from its archive's model-config.yaml.

    Args:
        kind: the handler's settings class.
        config: the whole file as a dictionary; None stands for no file.

    Raises:
        ValueError: a value is wrong; the message names the key, the value and what is allowed.
    """
    section = (config or {}).get("handler") or {}
    if not isinstance(section, dict):
        raise ValueError(f"model-config.yaml: `handler` must be a mapping of settings: {section!r}")
    try:
        return kind(**section)
    except ValidationError as invalid:
        raise ValueError(f"model-config.yaml: {describe_problems(invalid, 'handler.')}") from invalid


def warn_of_unknown_keys(settings: HandlerSettings) -> None:
    """Warns of each key that a default handler does not know, with the nearest that it does."""
    known = list(type(settings).model_fields)
    for key in settings.model_extra or {}:
        nearest = difflib.get_close_matches(key, known, n=1)
        hint = f"; did you mean `{nearest[0]}`?" if nearest else f" (settings: {', '.join(known)})"
        logger.warning("model-config.yaml: handler.%s is not a setting of this handler%s", key, hint)
