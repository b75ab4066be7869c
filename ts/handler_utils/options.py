"""Options of one request, such as `topk`: from form fields, keys of a JSON body, or `ts-<option>` headers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Optional, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from ts.handler_utils.errors import InvalidInput


class Options(BaseModel):
    """What one request may ask for; the same names are settings, which hold for every request."""

    model_config = ConfigDict(frozen=True)


class ImageClassifierOptions(Options):
    """Options of image_classifier."""

    topk: int = Field(default=5, ge=1, description="classes in an answer, best first")
    target: Optional[int] = Field(
        default=None, ge=0, description="index of the class that is explained; the most probable one if unset"
    )
    format: Literal["json", "heatmap"] = Field(
        default="json", description="of explanations: an attribution a value of the input, or a picture (PNG)"
    )


def _split_names(value: Any) -> Any:
    """Names as a form's field or a header holds them: comma separated, or a JSON list."""
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.lstrip().startswith("[") else value.split(",")
        except ValueError as error:
            raise ValueError(f"Input should be names separated by commas, or a JSON list: {error}") from error
    value = value if isinstance(value, (list, tuple)) else [value]
    names = [str(name) if isinstance(name, int) else name for name in value]
    return [name for name in names if name != ""]


Names = Annotated[tuple[str, ...], BeforeValidator(_split_names), Field(min_length=1)]


class ObjectDetectorOptions(Options):
    """Options of object_detector."""

    threshold: float = Field(
        default=0.5, ge=0, le=1, description="the lowest score of a detection in an answer"
    )
    topk: Optional[int] = Field(
        default=None, ge=1, description="detections in an answer, best first; all if unset"
    )
    classes: Optional[Names] = Field(
        default=None, description="labels or class indexes to look for; all if unset"
    )
    format: Literal["json", "coco", "overlay"] = Field(
        default="json",
        description="torchserve's JSON, COCO's results, or the photo with the detections drawn",
    )
    masks: bool = Field(default=False, description="add the masks of Mask R-CNN")
    keypoints: bool = Field(default=False, description="add the keypoints of Keypoint R-CNN")


class ImageSegmenterOptions(Options):
    """Options of image_segmenter."""

    format: Literal["json", "png", "rle", "overlay"] = Field(
        default="json",
        description="each pixel's class and probability, a palette PNG of class indexes, COCO's results with"
        " run-length encoded masks, or the photo with the classes drawn",
    )
    size: Literal["model", "original"] = Field(
        default="model", description="of the mask: the model's input, or the whole photo"
    )


Kind = TypeVar("Kind", bound=Options)


def read_options(kind: type[Kind], row: Any, header: Any, defaults: Mapping[str, Any]) -> Kind:
    """The options of one request.

    Args:
        kind: the options that there are.
        row: the request's row.
        header: gives a header of the request by its name, or None.
        defaults: the values of options that the request does not name.

    Raises:
        InvalidInput: a value is wrong; the message names the option, the value and what is allowed.
    """
    given = {name: _given(name, row, header) for name in kind.model_fields}
    try:
        return kind(**{**defaults, **{name: value for name, value in given.items() if value is not None}})
    except ValidationError as invalid:
        raise InvalidInput(f"Wrong option: {describe_problems(invalid)}") from invalid


def _given(name: str, row: Any, header: Any) -> Any:
    value = None
    while value is None and isinstance(row, Mapping):
        value = row.get(name)
        row = row.get("body") if row.get("data") is None else row["data"]
    value = header(f"ts-{name}") if value is None else value
    return value.decode("utf-8", errors="replace") if isinstance(value, (bytes, bytearray)) else value


def describe_problems(invalid: ValidationError, prefix: str = "") -> str:
    """What is wrong with values that pydantic refused: for each its name, what is allowed, and the value."""
    return "; ".join(
        f"{prefix}{'.'.join(map(str, problem['loc']))}: {problem['msg']}, but it is {problem['input']!r}"
        for problem in invalid.errors()
    )
