"""What becomes of a decoded image on its way to a model: resize, crop, scale, normalise."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from PIL import Image
from torchvision.models import get_model_weights, get_weight, list_models
from torchvision.transforms import functional as F
from torchvision.transforms.functional import InterpolationMode

from ts.handler_utils.images import to_channels

# What ImageNet's classifiers are trained with (torchvision's documentation of its models).
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class ImageTransform:
    """Makes an image into a tensor as torchvision's reference transforms do, each step left out unless asked for.

    Args:
        resize: length in pixels that the shorter side is scaled to, or (height, width).
        crop: side in pixels of the square that is cut from the middle, or its (height, width).
        interpolation: of the resize: nearest, bilinear, bicubic, box, hamming or lanczos.
        mean: for each channel, what is subtracted from values in [0, 1].
        std: for each channel, what they are divided by then.
        channels: 3 for RGB, 1 for grey.
    """

    def __init__(
        self,
        *,
        resize: int | Sequence[int] | None = None,
        crop: int | Sequence[int] | None = None,
        interpolation: str = "bilinear",
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        channels: int = 3,
    ) -> None:
        self.resize = resize
        self.crop = crop
        self.interpolation = interpolation
        self.mean = mean
        self.std = std
        self.channels = channels

    def __call__(self, image: Image.Image) -> torch.Tensor:
        """Transforms an image of any Pillow mode to a float32 tensor [channels, height, width]."""
        image = to_channels(image, self.channels)
        if self.resize is not None:
            image = F.resize(image, _size(self.resize), InterpolationMode(self.interpolation))
        if self.crop is not None:
            image = F.center_crop(image, _size(self.crop))
        tensor = F.to_tensor(image)
        if self.mean is None and self.std is None:
            return tensor
        return F.normalize(tensor, self._a_channel(self.mean or [0.0]), self._a_channel(self.std or [1.0]))

    def _a_channel(self, values: Sequence[float]) -> list[float]:
        """One value a channel: a single one serves all, and grey has the average of RGB's."""
        if len(values) == self.channels:
            return list(values)
        return [sum(values) / len(values)] * self.channels

    def replace(self, **changes: Any) -> ImageTransform:
        """The same transform with some arguments changed."""
        return ImageTransform(**{**vars(self), **changes})

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({arguments})"


def weights_of_preset(name: str) -> Any:
    """The member of a torchvision weights enum, such as "ResNet50_Weights.IMAGENET1K_V2".

    Raises:
        ValueError: torchvision has none of that name; the message names the nearest.
    """
    try:
        return get_weight(name)
    except (ValueError, KeyError):
        known = [str(weights) for model in list_models() for weights in get_model_weights(model)]
        nearest = difflib.get_close_matches(name, known, n=3)
        hint = f"; the nearest are {', '.join(nearest)}" if nearest else ""
        raise ValueError(f"torchvision has no weights of this name{hint}") from None


def preset_changes(preset: Any) -> Mapping[str, Any]:
    """The arguments of `ImageTransform` that say what a torchvision weights' own transforms do.

    Args:
        preset: a member of a torchvision weights enum.
    """
    transforms = preset.transforms()
    interpolation = getattr(transforms, "interpolation", InterpolationMode.BILINEAR)
    return {
        "resize": _single(getattr(transforms, "resize_size", None)),
        "crop": _single(getattr(transforms, "crop_size", None)),
        "interpolation": interpolation.value,
        "mean": getattr(transforms, "mean", None),
        "std": getattr(transforms, "std", None),
    }


def _single(size: Any) -> Any:
    """torchvision's presets hold the length of a side as a list of one."""
    return size[0] if isinstance(size, (list, tuple)) and len(size) == 1 else size


def _size(size: int | Sequence[int]) -> Any:
    return size if isinstance(size, int) else list(size)
