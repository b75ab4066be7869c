"""A module at hand as the model of an archive, so that a handler answers with the very module."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional

import torch
from model_archiver.model_archiver_config import ModelArchiverConfig

from ts.runner.answering.model import Model, start_archive
from ts.runner.archives.archive import open_archive
from ts.runner.exporting.export import in_one_part
from ts.runner.packing.files import lay_out

# The model file of such an archive: to make its class is to take the module.
MODEL_FILE = """\
import torch

from ts.runner.packing.at_hand import taken


class AtHand(torch.nn.Module):
    def __new__(cls):
        return taken()
"""

_modules: list[torch.nn.Module] = []


def taken() -> torch.nn.Module:
    """The module at hand."""
    return _modules[-1]


@contextmanager
def started_with(
    module: torch.nn.Module,
    folder: Path,
    job: ModelArchiverConfig,
    config: Mapping[str, Any],
    labels: Optional[Mapping[str, str]],
    device: str,
) -> Iterator[Model]:
    """Starts the handler of an archive whose model is the module, which it may change.

    Args:
        module: the module.
        folder: where the archive is made, in a folder `at_hand`.
        job: the archive's other files.
        config: the content of model-config.yaml, without what says how the model is made.
        labels: by class index.
        device: "auto", "cpu" or "cuda:N".

    Raises:
        ArchiveError: the handler does not start.
    """
    file = folder / "at_hand_model.py"
    file.write_text(MODEL_FILE, encoding="utf-8")
    root = folder / "at_hand"
    lay_out(root, replace(job, model_file=str(file), serialized_file=None), config, labels)
    _modules.append(module)
    try:
        with open_archive(root, max_size=sys.maxsize) as archive:
            archive = replace(archive, config=in_one_part(archive.config), origin=job.model_name)
            with start_archive(archive, device=device) as model:
                yield model
    finally:
        _modules.remove(module)
