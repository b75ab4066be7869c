"""What a model's own files say of how it is to be used: less than what the archive and its settings say."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Optional

from ts.handler_utils.parts import Part


class ModelDefaults(Part):
    """What is known of a handler's model beside its weights; whoever loads the model sets it.

    Attributes:
        transform: arguments of `ts.handler_utils.images.transform.ImageTransform`, over which settings win.
        labels: by class index (a string); index_to_name.json wins over them.
        activation: what makes the model's outputs into answers: "softmax", "sigmoid" or "none", over which the
            setting of that name wins; None if nothing is known.
    """

    transform: Mapping[str, Any] = MappingProxyType({})
    labels: Optional[dict[str, str]] = None
    activation: Optional[str] = None
