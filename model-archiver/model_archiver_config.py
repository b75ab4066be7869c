"""What one archive is made of."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, field, fields

from .manifest_components.manifest import RuntimeType

__all__ = ["ModelArchiverConfig", "RuntimeType"]

ARCHIVE_FORMATS = ("default", "zip-store", "tgz", "no-archive")


@dataclass
class ModelArchiverConfig:
    """One packing job; the fields are the command line's options.

    Attributes:
        model_name: Name of the model and of the archive; letters, digits, `_`, `-` and `.`.
        handler: A default handler's name, `file.py`, `file.py:function` or `package.module[:function]`.
        version: The model's version, as the manifest shows it.
        serialized_file: Weights, TorchScript, `torch.export` program or ONNX file.
        model_file: Python file that defines the model's class, for eager models.
        extra_files: Paths, folders and patterns; one comma separated string or a sequence of them.
        runtime: `python`, `python3` or `LSP` (TorchServe's C++ backend).
        export_path: Existing folder that the archive goes to; by default the working directory at construction.
        archive_format: `default`, `zip-store`, `tgz` or `no-archive`.
        force: Replace an archive of the same name.
        requirements_file: `requirements.txt` that TorchServe installs for the model.
        config_file: `model-config.yaml`.
        no_check: Say as a warning, and not as an error, what TorchServe could not load.
        architecture: A network of torchvision by name, or timm/NAME, in place of a serialized file; its handler
            may be "", which stands for the one that serves its kind.
        weights: What it is packed with: a member of its weights enum, DEFAULT (as is None), or a file.
        labels: A file of labels, in place of the weights' own.
    """

    model_name: str
    handler: str
    version: str
    serialized_file: str | None = None
    model_file: str | None = None
    extra_files: str | Sequence[str] | None = None
    runtime: str = RuntimeType.PYTHON.value
    export_path: str = field(default_factory=os.getcwd)
    archive_format: str = "default"
    force: bool = False
    requirements_file: str | None = None
    config_file: str | None = None
    no_check: bool = False
    architecture: str | None = None
    weights: str | None = None
    labels: str | None = None

    @classmethod
    def from_args(cls, args: Namespace | ModelArchiverConfig) -> ModelArchiverConfig:
        """Makes a config of any object with the fields as attributes; those that it lacks keep their defaults."""
        return cls(**{f.name: getattr(args, f.name) for f in fields(cls) if hasattr(args, f.name)})
