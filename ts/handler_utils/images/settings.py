"""Settings and options of the handlers for images."""

from __future__ import annotations

import json
from typing import Annotated, Any, ClassVar, Literal, Optional, Union

from PIL import Image
from pydantic import AfterValidator, BeforeValidator, Field, PositiveFloat, PositiveInt, field_validator

from ts.handler_utils.images.formats import DEFAULT_FORMATS, check_formats
from ts.handler_utils.images.limits import MAX_ASPECT, MAX_PIXELS, MAX_SCANS, ImageLimits
from ts.handler_utils.images.transform import preset_changes, weights_of_preset
from ts.handler_utils.requests.options import Options
from ts.handler_utils.settings import ClassifierSettings, HandlerSettings, WarmedUpSettings

Size = Union[PositiveInt, Annotated[list[PositiveInt], Field(min_length=2, max_length=2)]]
Interpolation = Literal["nearest", "bilinear", "bicubic", "box", "hamming", "lanczos"]


class VisionSettings(WarmedUpSettings):
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
        default=MAX_PIXELS,
        ge=1,
        description="width times height of the largest image that is decoded: once in a JPEG of one scan or a PNG,"
        " 4 times in WebP and AVIF, 3 times in a CMYK JPEG, 16 times in a run-length coded BMP, else twice; for a"
        " JPEG of more than 10 scans, a fifth of their number",
    )
    max_aspect: float = Field(
        default=MAX_ASPECT, ge=1, description="longer side by shorter side of the thinnest image that is read"
    )
    max_scans: int = Field(
        default=MAX_SCANS, ge=1, description="scans of a JPEG, such as a progressive one, that is decoded"
    )
    formats: Annotated[list[str], AfterValidator(check_formats), Field(min_length=1)] = Field(
        default=list(DEFAULT_FORMATS), description="what images are read, by Pillow's names of their formats"
    )

    decoder: Literal["auto", "torchvision", "torchcodec", "pillow", "nvjpeg"] = Field(
        default="auto",
        description="of JPEG: auto is the first of torchvision, torchcodec and pillow that works; pillow gives the"
        " pixels of torchserve, the others' differ by 1 of 255 here and there once scaled; nvjpeg uses a GPU",
    )
    scaled_decode: bool = Field(
        default=False,
        description="decode a JPEG in 1/2, 1/4 or 1/8 of its size, where `resize` asks for less",
    )
    threads: Optional[int] = Field(
        default=None,
        ge=1,
        description="images that are read at the same time; as many as there are CPUs if unset",
    )

    @field_validator("preset")
    @classmethod
    def _preset_exists(cls, name: str | None) -> str | None:
        if name is not None:
            weights_of_preset(name)
        return name

    def limits(self) -> ImageLimits:
        """The limits of the images that are read."""
        names = ("max_pixels", "max_aspect", "max_scans", "formats")
        given = {name: getattr(self, name) for name in names}
        if "max_pixels" not in self.model_fields_set and Image.MAX_IMAGE_PIXELS is None:
            given["max_pixels"] = None  # TorchServe's limit_max_image_pixels=false, or a handler's own module
        return ImageLimits(**given)

    transform_names: ClassVar[tuple[str, ...]] = (
        "resize",
        "crop",
        "interpolation",
        "mean",
        "std",
        "channels",
    )

    def transform_changes(self) -> dict[str, Any]:
        """The arguments of `ImageTransform` that these settings give."""
        changes = dict(preset_changes(weights_of_preset(self.preset).transforms())) if self.preset else {}
        names = self.transform_names
        given = {name: getattr(self, name) for name in names if name in self.model_fields_set}
        return {**changes, **given}


class ImageClassifierOptions(Options):
    """Options of image_classifier."""

    handler_attributes: ClassVar[frozenset[str]] = frozenset({"topk"})

    topk: int = Field(default=5, ge=1, description="classes in an answer, best first")
    threshold: Optional[float] = Field(
        default=None, ge=0, le=1, description="the least probability of a class in an answer; any if unset"
    )
    target: Optional[int] = Field(
        default=None, ge=0, description="index of the class that is explained; the most probable one if unset"
    )
    format: Literal["json", "heatmap"] = Field(
        default="json", description="of explanations: an attribution a value of the input, or a picture (PNG)"
    )


class ImageClassifierSettings(VisionSettings, ClassifierSettings, ImageClassifierOptions):
    """Settings of image_classifier."""


class LayerExplainedSettings(VisionSettings):
    """Settings of the handlers that are explained by a layer."""

    explain_layer: Optional[str] = Field(
        default=None, description="the model's layer to explain by: backbone.layer4; no explanations if unset"
    )
    max_answer_pixels: int = Field(
        default=12_600_000,
        ge=1,
        description="width times height of the largest mask or picture in an answer; of a segmenter's photo that"
        " is no JPEG, they count twice",
    )


def _split_names(value: Any) -> Any:
    """Names as a form's field or a header holds them: comma separated, or a JSON list."""
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.lstrip().startswith("[") else value.split(",")
        except (ValueError, RecursionError) as error:
            raise ValueError(f"Input should be names separated by commas, or a JSON list: {error}") from error
    value = value if isinstance(value, (list, tuple)) else [value]
    names = [str(name) if isinstance(name, int) else name for name in value]
    return [name for name in names if name != ""]


def _not_a_number(value: Any) -> Any:
    if isinstance(value, (int, float)):  # how many there are, say, which is a key of a handler's own
        raise ValueError(
            "Input should be a list of labels and class indexes, or text with commas between them"
        )
    return value


Names = Annotated[tuple[str, ...], BeforeValidator(_split_names), Field(min_length=1, max_length=10_000)]


class ObjectDetectorOptions(Options):
    """Options of object_detector."""

    handler_attributes: ClassVar[frozenset[str]] = frozenset({"threshold"})

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
    target: Optional[int] = Field(
        default=None,
        ge=0,
        description="index of the class that is explained; that of the best detection if unset",
    )


class ObjectDetectorSettings(LayerExplainedSettings, ObjectDetectorOptions):
    """Settings of object_detector."""

    max_drawn: int = Field(default=300, ge=1, description="detections that are drawn in a picture")
    max_mask_pixels: int = Field(
        default=200_000_000,
        ge=1,
        description="pixels of the masks in an answer: detections times those of the photo",
    )

    mixed_precision: ClassVar[bool] = True  # boxes need float32

    max_pixels: Optional[int] = (
        Field(  # a model gets whole photos in float32: 12 bytes a pixel, more than once
            default=MAX_PIXELS // 2, ge=1, description=VisionSettings.model_fields["max_pixels"].description
        )
    )

    classes: Annotated[Optional[Names], BeforeValidator(_not_a_number)] = Field(
        default=None, description=ObjectDetectorOptions.model_fields["classes"].description
    )
    transform_names: ClassVar[tuple[str, ...]] = (
        *VisionSettings.transform_names,
        "letterbox",
        "pad_value",
    )

    letterbox: Optional[Size] = Field(
        default=None,
        description="pixels of both sides of the model's input, or [height, width], that the whole photo is scaled"
        " to fit into, centred, in the place of `resize`",
    )
    pad_value: int = Field(
        default=114, ge=0, le=255, description="of the border around a photo in a letterbox"
    )
    output: Optional[str] = Field(
        default=None,
        description="what the model returns: torchvision, detr, rtdetr, yolov5, yolov8, ...; found out if unset",
    )
    normalized: Optional[bool] = Field(
        default=None,
        description="whether the model's boxes are fractions of its input, and not its pixels; found out if unset",
    )
    nms_iou: Optional[float] = Field(
        default=None,
        ge=0,
        le=1,
        description="from which intersection over union on two boxes of a class are of one object, of models that"
        " leave both in: 0.45 for yolov5 and ssd, 0.5 for retinanet, 0.7 for yolov8 if unset",
    )
    max_boxes: int = Field(
        default=300, ge=1, description="boxes of a photo that are left of such a model's, the best"
    )
    stack: Optional[bool] = Field(
        default=None,
        description="give the model one tensor [N, C, H, W], not a list of images; found out if unset",
    )


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
    target: Optional[int] = Field(
        default=None,
        ge=0,
        description="index of the class that is explained; the one of most pixels if unset",
    )


class ImageSegmenterSettings(LayerExplainedSettings, ImageSegmenterOptions):
    """Settings of image_segmenter."""

    max_rows: int = Field(default=16, ge=1, description=HandlerSettings.model_fields["max_rows"].description)
