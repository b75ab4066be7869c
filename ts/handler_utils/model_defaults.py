"""What a model's own files say of how it is to be used: less than what the archive and its settings say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Callable, Optional

from ts.handler_utils.parts import Part


class ModelDefaults(Part):
    """What is known of a handler's model beside its weights; whoever loads the model sets it.

    Attributes:
        transform: arguments of `ts.handler_utils.images.transform.ImageTransform`, over which settings win.
        photo_transform: what the model brings along in the place of an `ImageTransform`: it makes an upright
            photo, uint8 [3, H, W], into a float tensor [C, H, W], called by several threads at the same time.
        tokenizer: what the model brings along to make texts into tokens: a `SubwordTokenizer`.
        labels: by class index (a string); index_to_name.json wins over them.
        activation: what makes the model's outputs into answers: "softmax", "sigmoid" or "none", over which the
            setting of that name wins; None if nothing is known.
        output: the reader of a detector's outputs (`ts.handler_utils.detection.readers`), such as "detr", over
            which the setting of that name wins; None to have it found out.
        folder: of a saved model of Hugging Face's; None of any other.
        missing: names of the weights that such a folder has not, which are random.
    """

    transform: Mapping[str, Any] = MappingProxyType({})
    photo_transform: Optional[Callable[[Any], Any]] = None
    tokenizer: Any = None
    labels: Optional[dict[str, str]] = None
    activation: Optional[str] = None
    output: Optional[str] = None
    folder: Optional[Path] = None
    missing: frozenset[str] = frozenset()
