"""What is refused before an archive is exported."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from ts.handler_utils.model_defaults import ModelDefaults
from ts.handler_utils.parts import has_parts
from ts.runner.answering.model import Model
from ts.runner.errors import ArchiveError, InputError


def check_out(out: Path, force: bool) -> None:
    """Refuses what cannot be written before any work is done."""
    if not out.name.endswith((".mar", ".tar.gz")):
        raise ArchiveError(f"{out} must end in .mar or .tar.gz")
    if not out.parent.is_dir():
        raise ArchiveError(f"{out.parent} is not a folder")
    if not os.access(out.parent, os.W_OK):
        raise ArchiveError(f"{out.parent} cannot be written to")
    if out.is_dir():
        raise ArchiveError(f"{out} is a folder")
    if out.exists() and not force:
        raise ArchiveError(f"{out} exists already; -f replaces it")


def check_hooks(model: Model) -> None:
    if model.handler is None or not hasattr(model.handler, "inference"):
        name = model.archive.handler
        raise ArchiveError(
            f"handler {name!r} has no hooks: only subclasses of BaseHandler can be exported or quantized"
        )


def check_exportable(model: Model) -> None:
    handler = model.handler
    if has_parts(handler) and ModelDefaults.of(handler).folder is not None:
        raise ArchiveError(
            f"the model of {model.archive.origin} is a saved model folder of transformers, whose preprocessing"
            " and labels an exported one would not have: it cannot be exported."
            " `pt2: {compile: {enable: true}}` in its model-config.yaml compiles it as it is loaded"
        )
    if isinstance(handler.model, torch.nn.Module) and not isinstance(handler.model, torch.fx.GraphModule):
        return
    kind = type(handler.model).__name__
    raise ArchiveError(
        f"the model of {model.archive.origin} is a {kind}: only eager and TorchScript models can be exported"
    )


def check_answers(answers: Sequence[Any]) -> None:
    for answer in answers:
        if not answer.ok:
            raise InputError(
                f"the archive itself has no answer to an input: {answer.status}, {answer.response}; give others by"
                " --input FILE"
            )
