"""The manifest's `model` part."""

from __future__ import annotations

import json
import os


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
        parts = {
            "modelName": model_name,
            "serializedFile": _base_name(serialized_file),
            "handler": _base_name(handler),
            "modelFile": _base_name(model_file),
            "modelVersion": model_version,
            "extensions": extensions,
            "requirementsFile": _base_name(requirements_file),
            "configFile": _base_name(config_file),
            "sourceVocab": _base_name(source_vocab),
        }
        self.model_dict = {key: value for key, value in parts.items() if value}

    def __str__(self) -> str:
        return json.dumps(self.model_dict)


def _base_name(path: str | None) -> str | None:
    return os.path.basename(path) if path else None
