"""Transforms of torchvision and timm as the arguments of an `ImageTransform` that does the same."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from ts.handler_utils.images.transform import ImageTransform, preset_changes

ALLOWED = (
    "Resize, CenterCrop, Grayscale(1), ToTensor (or PILToTensor, ToImage with ConvertImageDtype, ToDtype) and"
    " Normalize"
)

# What presets of torchvision are that make one image into what a model takes.
_PRESETS = ("ImageClassification", "SemanticSegmentation", "ObjectDetection")

_USUAL = ("resize", "crop", "interpolation", "mean", "std")

# What makes an image a tensor: of values in [0, 1], or of whole numbers.
_TO_FLOAT = ("ToTensor", "MaybeToTensor")
_TO_WHOLE = ("PILToTensor", "ToImage", "ToImageTensor", "ToPureTensor", "Identity")


class UnknownStep(ValueError):
    """A transform that an `ImageTransform` cannot do; the message names the step."""


def transform_arguments(transform: Any) -> dict[str, Any]:
    """What an `ImageTransform` has to be made with to do what another transform does.

    Args:
        transform: an `ImageTransform`; a member of a torchvision weights enum, or its transforms; or a `Compose`
            (torchvision's v1 and v2, timm's `create_transform`), an `nn.Sequential` or a list of steps.

    Returns:
        `resize`, `crop`, `interpolation`, `mean` and `std`, and `channels` where it is 1.

    Raises:
        UnknownStep: a step of it cannot be described so.
    """
    if isinstance(transform, ImageTransform):
        return _own_arguments(transform)
    transform = _made(transform)
    if type(transform).__name__ in _PRESETS:
        return {name: _plain(value) for name, value in preset_changes(transform).items()}
    described = _Described()
    for step in _steps(transform):
        described.add(step)
    return described.arguments()


def as_callable(transform: Any) -> Any:
    """What makes a Pillow image into a tensor, of all that `transform_arguments` takes; None of None."""
    transform = _made(transform)
    if isinstance(transform, (list, tuple)):
        from torchvision.transforms import Compose

        return Compose(transform)
    return transform


def _made(transform: Any) -> Any:
    """The transforms of a member of a weights enum, which makes them when it is asked."""
    if hasattr(transform, "meta"):
        transform = transform.transforms
    return transform() if isinstance(transform, (functools.partial, type)) else transform


def _own_arguments(transform: ImageTransform) -> dict[str, Any]:
    """What an `ImageTransform` was made with, but for what few handlers have a setting for and it does not do."""
    plain = vars(ImageTransform())
    given = {name: value for name, value in vars(transform).items() if not name.startswith("_")}
    return {name: given[name] for name in given if name in _USUAL or given[name] != plain[name]}


def _steps(transform: Any) -> Iterator[Any]:
    """The steps of a transform, those of its parts written out."""
    below = getattr(transform, "transforms", transform)
    if isinstance(below, (list, tuple, torch.nn.Sequential)):
        for step in below:
            yield from _steps(step)
    else:
        yield transform


class _Described:
    """Arguments of an `ImageTransform`, gathered from steps in their order."""

    def __init__(self) -> None:
        self._found: dict[str, Any] = {
            "resize": None,
            "crop": None,
            "interpolation": "bilinear",
            "mean": None,
            "std": None,
        }
        self._seen: list[str] = []
        self._is_scaled = False

    def arguments(self) -> dict[str, Any]:
        if not self._is_scaled:
            raise UnknownStep(
                "the transform leaves values of 0 to 255: end it with ToTensor, or with ToDtype(torch.float32,"
                " scale=True)"
            )
        return self._found

    def add(self, step: Any) -> None:
        name = type(step).__name__
        adds = getattr(self, f"_add_{name.lower()}", None)
        if name in _TO_FLOAT:
            self._is_scaled = True
        elif name in _TO_WHOLE or name == "RGB":
            pass
        elif adds is None:
            raise UnknownStep(_unknown(step, name))
        else:
            self._check_order(name)
            adds(step)
        self._seen.append(name)

    def _check_order(self, name: str) -> None:
        later = {"Resize": ("Resize", "CenterCrop", "Normalize"), "CenterCrop": ("CenterCrop", "Normalize")}
        for other in later.get(name, ("Normalize",)):
            if other in self._seen:
                raise UnknownStep(f"the transform has {name} after {other}: the order is {ALLOWED}")

    def _add_resize(self, step: Any) -> None:
        if getattr(step, "max_size", None) is not None:
            raise UnknownStep("the transform's Resize has a max_size, which no setting stands for")
        mode = getattr(step.interpolation, "value", step.interpolation)
        self._found["interpolation"] = "nearest" if mode == "nearest-exact" else mode
        self._found["resize"] = _whole(step.size)

    def _add_centercrop(self, step: Any) -> None:
        size = _whole(step.size)
        is_square = isinstance(size, list) and size[0] == size[1]
        self._found["crop"] = size[0] if is_square else size

    def _add_grayscale(self, step: Any) -> None:
        if step.num_output_channels != 1:
            raise UnknownStep("the transform makes three channels of grey, which no setting stands for")
        self._found["channels"] = 1

    def _add_convertimagedtype(self, step: Any) -> None:
        if not step.dtype.is_floating_point:
            raise UnknownStep(f"the transform makes values {step.dtype}: models take float32")
        self._is_scaled = True

    def _add_todtype(self, step: Any) -> None:
        dtypes = step.dtype.values() if isinstance(step.dtype, Mapping) else [step.dtype]
        if any(dtype is not None and dtype.is_floating_point for dtype in dtypes):
            if not step.scale and not self._is_scaled:
                raise UnknownStep("the transform's ToDtype leaves values of 0 to 255: give it scale=True")
            self._is_scaled = True

    def _add_normalize(self, step: Any) -> None:
        if not self._is_scaled:
            raise UnknownStep("the transform normalizes values of 0 to 255: put ToTensor before Normalize")
        self._found["mean"], self._found["std"] = _numbers(step.mean), _numbers(step.std)


def _unknown(step: Any, name: str) -> str:
    training = (
        " It belongs to training: give the transform of evaluation."
        if name.startswith(
            ("Random", "ColorJitter", "AutoAugment", "TrivialAugment", "AugMix", "GaussianNoise")
        )
        else ""
    )
    shown = " ".join(repr(step).split())
    shown = name if "object at 0x" in shown or len(shown) > 80 else shown
    return f"the transform's step {shown} has no setting that stands for it, as have {ALLOWED}.{training}"


def _whole(size: Any) -> Any:
    """A length of a side, or a list of height and width."""
    sizes = [int(side) for side in size] if isinstance(size, (list, tuple)) else [int(size)]
    return sizes[0] if len(sizes) == 1 else sizes


def _numbers(values: Sequence[float] | torch.Tensor | Iterable[float]) -> list[float]:
    """Numbers in the fewest digits that stand for them, in float32 for a tensor's."""
    if isinstance(values, torch.Tensor):
        return [float(str(value)) for value in np.atleast_1d(values.numpy())]
    return [float(value) for value in values]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
