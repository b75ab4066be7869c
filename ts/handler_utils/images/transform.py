"""What becomes of a decoded image on its way to a model: resize, crop, scale, normalise."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import torch
from PIL import Image

from ts.handler_utils.images.center_crop import center_crop, crop_range, end_of_crop
from ts.handler_utils.images.eight_bits import to_8_bit
from ts.handler_utils.images.orientation import StoredImage, lies_on_its_side, turn_upright
from ts.handler_utils.images.pillow import to_channels, to_image, to_tensor
from ts.handler_utils.images.resizing import (
    Size,
    both_sides,
    letterbox_of,
    put_into_letterbox,
    resize_image,
    resize_opaque,
    resize_part,
    resize_values,
    resized_size,
    scales_tensors,
)

# What ImageNet's classifiers are trained with (torchvision's documentation of its models).
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

_LONG = 8  # times as long as wide: no photo is, a panorama included
_MANY_PIXELS = 2**23


class ImageTransform:
    """Makes an image into a tensor as torchvision's reference transforms do, each step left out unless asked for.

    Args:
        resize: length in pixels that the shorter side is scaled to, or (height, width).
        crop: side in pixels of the square that is cut from the middle, or its (height, width).
        interpolation: of the resize: nearest, bilinear, bicubic, box, hamming or lanczos.
        mean: for each channel, what is subtracted from values in [0, 1].
        std: for each channel, what they are divided by then.
        channels: 3 for RGB, 1 for grey.
        letterbox: length in pixels of both sides of an input, or its (height, width), that the whole photo is
            scaled to fit into; it takes the place of `resize` and `crop`. Bilinear scaling is then that without
            antialiasing, as the networks know it that are trained so.
        pad_value: of the border of a letterbox, from 0 to 255.
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
        letterbox: int | Sequence[int] | None = None,
        pad_value: int = 114,
    ) -> None:
        self.resize = resize
        self.crop = crop
        self.interpolation = interpolation
        self.mean = mean
        self.std = std
        self.channels = channels
        self.letterbox = letterbox
        self.pad_value = pad_value
        self._lent: tuple[list[Any], str] | None = None

    @property
    def transforms(self) -> list[Any]:
        """torchvision's transforms that do the same to an RGB image, as a `Compose` has them.

        As with a `Compose`, to change the list or one of its transforms is to change what this object does.
        """
        if self._lent is None:
            steps = self._steps()
            self._lent = steps, repr(steps)
        return self._lent[0]

    def changed(self) -> Any:
        """A `Compose` of the list `transforms`, where somebody has changed it; else None."""
        if self._lent is None or repr(self._lent[0]) == self._lent[1]:
            return None
        from torchvision.transforms import Compose

        return Compose(self._lent[0])

    def _steps(self) -> list[Any]:
        from torchvision import transforms  # which takes long to import

        mode = transforms.InterpolationMode(self.interpolation)
        steps: list[Any] = []
        if self.letterbox is not None:
            steps.append(lambda image: to_image(self.pixels(image)))
        elif self.resize is not None:
            steps.append(transforms.Resize(self.resize, mode))
        if self.letterbox is None and self.crop is not None:
            steps.append(transforms.CenterCrop(self.crop))
        steps += [] if self.channels == 3 else [transforms.Grayscale(self.channels)]
        steps.append(transforms.ToTensor())
        if self.mean is not None or self.std is not None:
            steps.append(transforms.Normalize(self.mean or [0.0], self.std or [1.0]))
        return steps

    def __call__(self, image: Image.Image) -> torch.Tensor:
        """Transforms an image of any Pillow mode to a float32 tensor [channels, height, width]."""
        changed = self.changed()
        return self.normalize(self.pixels(image)) if changed is None else changed(image)

    def takes_tensors(self, device: Any = "cpu") -> bool:
        """Whether `pixels` makes of a `StoredImage` what it makes of a Pillow image, or within 1 of 255."""
        if self.letterbox is not None or self.resize is None:
            return True
        return scales_tensors(self.interpolation, device)

    def pixels(self, image: Image.Image | StoredImage) -> torch.Tensor:
        """The first half of the transform: the pixels that the model gets, before they are normalised.

        Args:
            image: of any Pillow mode; or the values of a decoder, of as many channels as the transform has.

        Returns:
            uint8 [channels, height, width], not contiguous.
        """
        if self.letterbox is not None:
            values = self._whole(image)
            return put_into_letterbox(values, self.letterbox, self.interpolation, self.pad_value)
        if isinstance(image, StoredImage):
            return self._pixels_of_stored(image)
        values = to_tensor(self._pixels_of_image(image))
        return self._crop(values.expand(self.channels, -1, -1))

    def _pixels_of_image(self, image: Image.Image) -> Image.Image:
        """Scaled, and to be cropped. Grey becomes RGB afterwards, since there is less of it then."""
        image = to_8_bit(image)
        is_grey = self.channels == 1 or image.mode in ("1", "L", "LA")
        size = self._resized_size(image.size)
        if image.mode == "RGBA" and not is_grey and size != image.size and not self._crops_first(size):
            return resize_opaque(image, size, self.interpolation)
        image = to_channels(image, 1 if is_grey else 3)
        if self.crop is not None and self._crops_first(size):
            rows, columns = both_sides(self.crop)
            (left, right), (top, bottom) = crop_range(size[0], columns), crop_range(size[1], rows)
            return resize_part(image, size, (left, top, right, bottom), self.interpolation)
        return resize_image(image, size, self.interpolation)

    def _whole(self, image: Image.Image | StoredImage) -> torch.Tensor:
        if isinstance(image, StoredImage):
            return turn_upright(*image)
        return to_tensor(to_channels(to_8_bit(image), self.channels))

    def _resized_size(self, size: Size) -> Size:
        if self.letterbox is not None:
            return letterbox_of(size, self.letterbox)[:2]
        return size if self.resize is None else resized_size(self.resize, size)

    def _crops_first(self, scaled: Size) -> bool:
        """Whether only what the crop leaves is made of a scaled image: of one that is long, thin and large.

        Of others all is made: to be bit for bit what `Resize` and `CenterCrop` make.
        """
        return self.crop is not None and _is_long(scaled) and math.prod(scaled) > _MANY_PIXELS

    def _pixels_of_stored(self, image: StoredImage) -> torch.Tensor:
        """Scales before it turns, since there is less to turn then."""
        values, orientation = image
        if self.resize is None:
            return self._crop(turn_upright(values, orientation))
        height, width = values.shape[-2:]
        sideways = lies_on_its_side(orientation)
        size = resized_size(self.resize, (height, width) if sideways else (width, height))
        if self._crops_first(size):
            return self.pixels(to_image(turn_upright(values, orientation)))
        if self.crop is not None and orientation == 1:
            return self._resize_and_crop(values, size, self.crop)
        values = resize_values(values, size[::-1] if sideways else size, self.interpolation)
        return self._crop(turn_upright(values, orientation))

    def _resize_and_crop(self, values: torch.Tensor, size: Size, crop: int | Sequence[int]) -> torch.Tensor:
        """Leaves out what the resized image would have below the crop, and to the right of it."""
        (width, height), (rows, columns) = size, both_sides(crop)
        part = end_of_crop(width, columns), end_of_crop(height, rows)
        values = resize_values(values, size, self.interpolation, part)
        return center_crop(values, rows, columns, of=(height, width))

    def _crop(self, values: torch.Tensor) -> torch.Tensor:
        return values if self.crop is None else center_crop(values, *both_sides(self.crop))

    def largest_size(self, size: Size) -> Size:
        """Width and height of the largest image that is made of one of a width and height.

        An image that is no longer than photos are becomes as large as whoever set `resize` will have expected.
        """
        scaled = self._resized_size(size)
        return scaled if _is_long(scaled) and self.crop is None else size

    @property
    def shape(self) -> tuple[int, int, int] | None:
        """Channels, height and width of what comes out; None where they depend on the image."""
        fixed = self.letterbox or self.crop
        if fixed is None and not isinstance(self.resize, int):
            fixed = self.resize
        return None if fixed is None else (self.channels, *both_sides(fixed))

    def normalize(self, pixels: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
        """The second half of the transform.

        Args:
            pixels: uint8 [..., channels, height, width], as `pixels` returns it or a batch of such.
            out: where the result is written: float32 of the same shape.

        Returns:
            float32 of the same shape: values in [0, 1], less the mean, divided by the standard deviation.
        """
        values = torch.empty(pixels.shape, device=pixels.device) if out is None else out
        values.copy_(pixels).div_(255)
        if self.mean is not None:
            values.sub_(self._a_channel(self.mean, values.device))
        if self.std is not None:
            values.div_(self._a_channel(self.std, values.device))
        return values

    def _a_channel(self, values: Sequence[float], device: torch.device) -> torch.Tensor:
        """One value a channel: a single one serves all, and grey has the average of RGB's."""
        if len(values) != self.channels:
            values = [sum(values) / len(values)] * self.channels
        return _a_plane(tuple(values), device)

    def replace(self, **changes: Any) -> ImageTransform:
        """The same transform with some arguments changed."""
        return ImageTransform(**{**self._arguments(), **changes})

    def _arguments(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_lent"}

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self._arguments().items())
        return f"{type(self).__name__}({arguments})"


def is_ours(transform: Any) -> bool:
    """Whether a transform's steps may be taken in threads, and on tensors: nothing is known of a subclass's."""
    return type(transform) is ImageTransform


def weights_of_preset(name: str) -> Any:
    """The member of a torchvision weights enum, such as "ResNet50_Weights.IMAGENET1K_V2".

    Raises:
        ValueError: torchvision has none of that name; the message names the nearest.
    """
    from torchvision.models import get_model_weights, get_weight, list_models  # which take long to import

    try:
        return get_weight(name)
    except (ValueError, KeyError):
        known = [str(weights) for model in list_models() for weights in get_model_weights(model)]
        nearest = difflib.get_close_matches(name, known, n=3)
        hint = f"; the nearest are {', '.join(nearest)}" if nearest else ""
        raise ValueError(f"torchvision has no weights of this name{hint}") from None


def preset_changes(transforms: Any) -> Mapping[str, Any]:
    """The arguments of `ImageTransform` that say what a torchvision weights' own transforms do.

    Args:
        transforms: what the weights' `transforms()` returns.
    """
    interpolation = getattr(transforms, "interpolation", None)
    return {
        "resize": _single(getattr(transforms, "resize_size", None)),
        "crop": _single(getattr(transforms, "crop_size", None)),
        "interpolation": "bilinear" if interpolation is None else interpolation.value,
        "mean": getattr(transforms, "mean", None),
        "std": getattr(transforms, "std", None),
    }


def _is_long(size: Size) -> bool:
    return max(size) > _LONG * min(size)


def _single(size: Any) -> Any:
    """torchvision's presets hold the length of a side as a list of one."""
    return size[0] if isinstance(size, (list, tuple)) and len(size) == 1 else size


@cache
def _a_plane(values: tuple[float, ...], device: torch.device) -> torch.Tensor:
    """float32 [values, 1, 1]: kept, since to make it takes as long as to use it."""
    with torch.inference_mode(False):
        return torch.tensor(values, device=device).view(-1, 1, 1)
