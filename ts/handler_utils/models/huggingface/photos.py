"""Photos as a saved model takes them: prepared by the image processor that its folder describes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable

import torch
from PIL import Image

from ts.handler_utils.images.limits import ImageLimits
from ts.handler_utils.images.pillow import to_image, to_tensor
from ts.handler_utils.images.resizing import resized_size
from ts.handler_utils.models.huggingface.library import import_transformers, offline
from ts.utils.documents import one_line

FILES = ("preprocessor_config.json", "processor_config.json")

# Width and height: neither square nor of even sides, so that a processor which turns, pads or crops shows it.
_SAMPLES = ((97, 61), (331, 500))

# Whose `_preprocess` resizes by `resize`, `size` and `resample` before all else.
_RESIZES_FIRST = "TorchvisionBackend."

_SIZES = ("size", "crop_size", "pad_size")


class FolderTransform:
    """What transformers' own image processor makes of one photo, as its pipelines do: `processor(photo)`.

    Its steps are not mapped onto `ImageTransform`, since processors do what that does not (limit the longer
    side, enlarge before they crop), and resize by other arithmetic: of bicubic values, 3 in 1000 would differ.
    Instead the processor gets what it takes fastest, where samples show that it makes the same of it: pixels
    that its own `resize` has scaled as decoders leave them, in a fifth of the time; or else the pixels as they
    are; or an image of Pillow's.

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
        self._limits = limits
        self._check_sizes()
        self._prepare = self._fastest_way()

    def __call__(self, photo: torch.Tensor) -> torch.Tensor:
        """What the model gets of a photo.

        Args:
            photo: uint8 [3, height, width], upright, in RGB; in memory best [height, width, 3].

        Returns:
            A float tensor [3, height, width] of the model's size.

        Raises:
            InvalidInput: the photo is so long that it would become too large (413).
        """
        size = getattr(self._processor, "size", None) or {}
        shortest = size.get("shortest_edge")
        if shortest and not size.get("longest_edge"):
            height, width = photo.shape[-2:]
            self._limits.check_scaled(resized_size(int(shortest), (width, height)))
        return self._prepare(photo)["pixel_values"][0]

    @property
    def name(self) -> str:
        """Of the image processor, without what tells by which library it computes."""
        return type(self._processor).__name__.removesuffix("Fast").removesuffix("Pil")

    def _scaled_first(self, photo: torch.Tensor) -> Any:
        processor = self._processor
        if not type(processor)._preprocess.__qualname__.startswith(_RESIZES_FIRST) or not processor.do_resize:
            raise TypeError(f"{self.name} has steps of its own")
        scaled = processor.resize(photo[None], size=processor.size, resample=processor.resample)
        return self._as_pixels(scaled[0], do_resize=False)

    def _as_pixels(self, photo: torch.Tensor, **options: Any) -> Any:
        return self._processor(
            images=[photo], return_tensors="pt", input_data_format="channels_first", **options
        )

    def _as_image(self, photo: torch.Tensor) -> Any:
        return self._processor(images=[to_image(photo)], return_tensors="pt")

    def _fastest_way(self) -> Callable[[torch.Tensor], Any]:
        """How the processor is given photos, so that it makes of each what it makes of an image of Pillow's."""
        samples = [to_tensor(Image.effect_noise(size, 90).convert("RGB")) for size in _SAMPLES]
        expected = [self._checked(sample) for sample in samples]
        for way in (self._scaled_first, self._as_pixels):
            with suppress(Exception):  # transformers' own may be of any kind
                found = [way(sample)["pixel_values"] for sample in samples]
                if all(map(torch.equal, found, expected)):
                    return way
        return self._as_image

    def _check_sizes(self) -> None:
        """A few bytes of JSON could ask for images of any size."""
        sides = [side for name in _SIZES for side in _numbers(getattr(self._processor, name, None))]
        side, most = max(sides, default=0), self._limits.max_pixels
        if most is not None and side * side > most:
            raise ValueError(
                f"{FILES[0]} scales photos to {side} pixels a side, and handler.max_pixels in model-config.yaml"
                f" is {most}"
            )

    def _checked(self, sample: torch.Tensor) -> torch.Tensor:
        """What the processor makes of an image [3, H, W]: images [1, C, H, W], with nothing to tell of them."""
        try:
            features = self._as_image(sample)
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
        return pixels

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
