"""The form that a module is packed in."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import torch

from ts.runner.errors import ArchiveError
from ts.runner.packing.forms import Form, half_precision, program, state_dict, torchscript
from ts.runner.packing.networks.recognition import recognized
from ts.runner.packing.source import source_file, why_no_model_file

FORMS = ("state_dict", "export", "torchscript", "aot")


def forms_of(module: torch.nn.Module, wanted: Optional[str], model_file: Optional[str]) -> list[Form]:
    """The forms that a module may have, the best first; the one that is wanted, if one is.

    Raises:
        ArchiveError: the one that is wanted cannot be.
    """
    if wanted not in (None, *FORMS):
        raise ArchiveError(f"there is no form {wanted!r}: there are {', '.join(FORMS)}")
    if isinstance(module, torch.jit.ScriptModule):
        if wanted not in (None, "torchscript"):
            raise ArchiveError(f"the module is TorchScript, and so is its form: {wanted!r} is not to be had")
        return [torchscript("as the module is")]
    if wanted in ("export", "aot"):
        return [program(wanted, "as asked")]
    if wanted == "torchscript":
        return [torchscript("as asked")]
    state, why_not = _state_dict_of(module, model_file)
    if state:
        return [state] if wanted or model_file else [state, *_programs("")]
    if wanted:
        raise ArchiveError(
            f"its state dict alone makes no network: {why_not}. The form 'export' needs no class."
        )
    return _programs(why_not)


def _programs(reason: str) -> list[Form]:
    return [program("export", reason), torchscript(reason)]


def _state_dict_of(module: torch.nn.Module, model_file: Optional[str]) -> tuple[Optional[Form], str]:
    """The form of a state dict, or why there is none."""
    kind, precision = {"model_class": type(module).__name__}, half_precision(module)
    if model_file:
        return state_dict(f"{Path(model_file).name} makes the network", kind, precision, model_file), ""
    architecture = recognized(module)
    if architecture is not None:
        name = architecture if isinstance(architecture, str) else architecture["name"]
        return state_dict(f"{name} by name", {"architecture": architecture}, precision), ""
    why_not = why_no_model_file(module)
    if why_not:
        return None, f"no name makes this network, and {why_not}"
    file = source_file(module)
    assert file is not None
    return state_dict(f"{file.name} makes the network", kind, precision, str(file)), ""
