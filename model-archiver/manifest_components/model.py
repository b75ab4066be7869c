"""The manifest's `model` part."""

from __future__ import annotations

import json
import os
from typing import Any


class Model:
    """What the manifest says of a model; files are named by their base name, absent parts are left out.

    Args:
        model_name: The model's name.
        serialized_file: Weights or a serialized program.
        handler: The value by which TorchServe imports the handler.
        model_file: Python file of an eager model.
        model_version: The model's version.
        extensions: Free text, kept for archives that carry it.
        requirements_file: `requirements.txt`.
        config_file: `model-config.yaml`.
        source_vocab: Vocabulary file of a text handler.

    Attributes:
        model_dict: The part as it goes into the manifest.
    """

    def __init__(
        self,
        model_name: str,
        serialized_file: str | None,
        handler: str,
        model_file: str | None = None,
        model_version: str | None = None,
        extensions: str | None = None,
        requirements_file: str | None = None,
        config_file: str | None = None,
        source_vocab: str | None = None,
    ) -> None:
        self.model_name = model_name
        self.serialized_file = _base_name(serialized_file)
        self.handler = os.path.basename(handler)
        self.model_file = model_file
        self.model_version = model_version
        self.extensions = extensions
        self.requirements_file = requirements_file
        self.config_file = _base_name(config_file)
        self.source_vocab = _base_name(source_vocab)
        self.model_dict = self.__to_dict__()

    def __to_dict__(self) -> dict[str, Any]:
        parts = {
            "serializedFile": self.serialized_file,
            "handler": self.handler,
            "modelFile": _base_name(self.model_file),
            "modelVersion": self.model_version,
            "extensions": self.extensions,
            "requirementsFile": _base_name(self.requirements_file),
            "configFile": self.config_file,
            "sourceVocab": self.source_vocab,
        }
        return {"modelName": self.model_name, **{key: value for key, value in parts.items() if value}}

    def __str__(self) -> str:
        return json.dumps(self.model_dict)

    __repr__ = __str__


def _base_name(path: str | None) -> str | None:
    return os.path.basename(path) if path else None
