"""Photos as a saved model takes them: prepared by the image processor that its folder describes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from ts.handler_utils.images.limits import ImageLimits
from ts.handler_utils.models.huggingface.library import import_transformers, offline
from ts.utils.documents import one_line

FILES = ("preprocessor_config.json", "processor_config.json")

# Neither square nor of even sides, so that a processor which turns, pads or crops shows it.
_SAMPLE = (97, 61)

_SIZES = ("size", "crop_size", "pad_size")


class FolderTransform:
    """What transformers' own image processor makes of one photo, as its pipelines do: `processor(photo)`.

    Its steps are not mapped onto `ImageTransform`, since processors do what that does not (limit the longer side,
    enlarge before they crop), and resize by other arithmetic: bicubic values would differ by up to 30 of 255.

    Args:
        folder: of the saved model.
        limits: of what photos are scaled to.
        trust_remote_code: let the folder's own Python files make the processor.

    Raises:
        ValueError: the folder describes no processor, or one whose photos the model could not be given alone.
    """

    def __init__(self, folder: Path, limits: ImageLimits, *, trust_remote_code: bool = False) -> None:
        if not any((folder / name).is_file() for name in FILES):
            raise ValueError(
                f"The saved model has no {FILES[0]}, which says how photos are prepared: save its image processor"
                " beside it (save_pretrained)"
            )
        transformers = import_transformers()
        try:
            with offline():
                self._processor = transformers.AutoImageProcessor.from_pretrained(
                    folder, local_files_only=True, trust_remote_code=trust_remote_code
                )
        except Exception as error:  # transformers' own may be of any kind
            raise ValueError(f"{FILES[0]} describes no image processor: {one_line(error)}") from error
        self._check_sizes(limits)
        self._check_sample()

    def __call__(self, photo: Image.Image) -> torch.Tensor:
        """What the model gets of an upright photo in RGB: float32 [3, height, width]."""
        return self._features(photo)["pixel_values"][0]

    @property
    def name(self) -> str:
        """Of the image processor, without what tells by which library it computes."""
        return type(self._processor).__name__.removesuffix("Fast").removesuffix("Pil")

    def _features(self, photo: Image.Image) -> Any:
        return self._processor(images=[photo], return_tensors="pt")

    def _check_sizes(self, limits: ImageLimits) -> None:
        """A few bytes of JSON could ask for images of any size."""
        sides = [side for name in _SIZES for side in _numbers(getattr(self._processor, name, None))]
        side = max(sides, default=0)
        if limits.max_pixels is not None and side * side > limits.max_pixels:
            raise ValueError(
                f"{FILES[0]} scales photos to {side} pixels a side, and handler.max_pixels in model-config.yaml"
                f" is {limits.max_pixels}"
            )

    def _check_sample(self) -> None:
        try:
            features = self._features(Image.new("RGB", _SAMPLE, "grey"))
            pixels = features["pixel_values"]
            is_fit = isinstance(pixels, torch.Tensor) and pixels.dim() == 4 and pixels.is_floating_point()
        except Exception as error:
            raise ValueError(f"The image processor of {FILES[0]} fails: {one_line(error)}") from error
        if not is_fit:
            raise ValueError(f"The image processor of {FILES[0]} makes no images [N, C, H, W] of photos")
        if not features.get("pixel_mask", torch.ones(1)).all():
            raise ValueError(
                f"{FILES[0]} pads photos to one size (pad_size), which is not supported: remove pad_size"
            )

    def __repr__(self) -> str:
        return f"{type(self._processor).__name__}({self._processor.to_json_string()})"


def _numbers(value: Any) -> Iterator[int]:
    """The numbers in a size, which transformers keeps in objects of several kinds."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        yield int(value)
    elif hasattr(value, "values") or isinstance(value, (list, tuple)):
        for item in value.values() if hasattr(value, "values") else value:
            yield from _numbers(item)
    elif hasattr(value, "__dict__"):
        yield from _numbers(vars(value))
