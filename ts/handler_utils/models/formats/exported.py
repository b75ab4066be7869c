"""torch.export: what `torch.export.save` wrote."""

from __future__ import annotations

import json
import logging
import sys
import zipfile
from pathlib import Path
from typing import Any

import torch

from ts.handler_utils.models.formats.aotinductor import load_aot_compiled
from ts.handler_utils.models.formats.batches import BatchLimits, ChunkedModel
from ts.handler_utils.models.formats.content import AOT_PACKAGE, EXPORTED, content_of, wrong_content
from ts.handler_utils.models.formats.registry import reads
from ts.handler_utils.models.formats.untrusted.exported import check_exported

logger = logging.getLogger(__name__)


@reads(".pt2")
def load_pt2(path: str | Path, device: Any, *, trust_pickle: bool = False) -> Any:
    """Reads a model that `torch.export.save` wrote, or an AOTInductor package.

    A model that was exported with a fixed batch size, or with limits to it, answers batches of any size, in
    chunks.

    Args:
        path: the file.
        device: where the weights go.
        trust_pickle: read pickles and custom objects in it, too, which runs their code.

    Raises:
        ValueError: the file is neither, or not for this torch or device, or would run code.
    """
    found = content_of(path)
    if found == AOT_PACKAGE:
        return load_aot_compiled(path, device)
    if found != EXPORTED:
        raise wrong_content(
            path, "a model that torch.export.save wrote", "Export it: torch-model-runner export does so."
        )
    if not trust_pickle:
        check_exported(path)
    program = _on_device(_read(path), device)
    limits = batch_limits(program)
    model = program.module().to(device)
    return model if limits == BatchLimits() else ChunkedModel(model, limits)


def _read(path: str | Path) -> Any:
    try:
        return torch.export.load(str(path))
    except Exception as error:  # torch raises of many kinds, and tells more in its log
        writer = _version_of_writer(path)
        wrote = f"torch {writer} wrote it, and this" if writer else "It may be of a newer torch: this"
        raise ValueError(
            f"{Path(path).name} is a model of torch.export.save that cannot be read. {wrote} is torch"
            f" {torch.__version__}: use that version, or a newer one, or export the model again by this one"
            f" ({type(error).__name__}: {' '.join(str(error).split())})"
        ) from error


def _version_of_writer(path: str | Path) -> str | None:
    """The version of torch that wrote a file, which files say since 2.8."""
    try:
        with zipfile.ZipFile(path) as archive:
            (name,) = [name for name in archive.namelist() if name.endswith("models/model.json")]
            return str(json.loads(archive.read(name))["torch_version"])
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError, RecursionError):
        return None


def _on_device(program: Any, device: Any) -> Any:
    """The program with its weights, and the devices that its operators name, moved to a device."""
    tensors = [*program.state_dict.values(), *program.constants.values()]
    used = {item.device.type for item in tensors if isinstance(item, torch.Tensor)}
    used |= {
        torch.device(node.kwargs["device"]).type for node in program.graph.nodes if node.kwargs.get("device")
    }
    wanted = torch.device(device)
    if used <= {wanted.type}:
        return program
    try:
        from torch.export.passes import move_to_device_pass
    except ImportError:  # before torch 2.6: only the weights can be moved
        logger.warning(
            "The model was exported on %s, and this torch moves only its weights to %s", used, wanted
        )
        return program
    return move_to_device_pass(program, wanted)


def batch_limits(program: Any) -> BatchLimits:
    """The sizes of batches that an exported program takes: of the first dimensions of all its inputs."""
    names = set(program.graph_signature.user_inputs)
    nodes = [node for node in program.graph.nodes if node.op == "placeholder" and node.name in names]
    shapes: list[Any] = [getattr(node.meta.get("val"), "shape", ()) for node in nodes]
    if not shapes or not all(len(shape) for shape in shapes):
        return BatchLimits()
    limits = {_limits_of(shape[0], program.range_constraints) for shape in shapes}
    return limits.pop() if len(limits) == 1 else BatchLimits()


def _limits_of(size: Any, ranges: Any) -> BatchLimits:
    if isinstance(size, int):
        return BatchLimits.fixed(size)
    found = ranges.get(size.node.expr)
    if found is None:
        return BatchLimits()
    # A dimension from 2 on is one without a limit: torch takes batches of 1 for it.
    minimum = int(found.lower) if found.lower > 2 else 1
    # What has no limit goes up to infinity, or, in older torch, to the largest of 64-bit numbers.
    limited = found.upper.is_Integer and int(found.upper) < sys.maxsize - 1
    return BatchLimits(minimum, int(found.upper) if limited else None)
