"""The forms in which an archive can hold a module, each written while a handler answers with it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Optional

import torch

from ts.runner.answering.model import Model, batch_size_of, one_line
from ts.runner.answering.payload import Input
from ts.runner.errors import ArchiveError
from ts.runner.exporting.export import call_of, exported
from ts.runner.exporting.formats import writer
from ts.runner.exporting.silence import quiet

Write = Callable[[torch.nn.Module, Model, Sequence[Input], Path], None]


@dataclass(frozen=True)
class Form:
    """A form of a model in an archive.

    Attributes:
        name: as `pack` has it.
        reason: why the module has this form, for a person to read.
        write: writes the serialized file, of the module as it came, and of the handler that answers with it.
        suffix: of the file.
        settings: of the section `handler:`, which say how the model is made.
        defaults: more of these, over which what a person asks for wins.
        model_file: a Python file that makes the network.
    """

    name: str
    reason: str
    write: Write
    suffix: str = ".pt"
    settings: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    model_file: Optional[str] = None


def state_dict(
    reason: str,
    settings: Mapping[str, Any],
    precision: Optional[str] = None,
    model_file: Optional[str] = None,
) -> Form:
    """Weights alone, for a network that its name makes, or a model file; of half precision, they answer in it."""
    defaults = {"precision": precision} if precision else {}
    return Form("state_dict", reason, write_state, ".pt", settings, defaults, model_file)


def half_precision(module: torch.nn.Module) -> Optional[str]:
    """The setting `precision` of a module whose weights have half of the usual one; None for others."""
    dtypes = {weight.dtype for weight in module.parameters() if weight.is_floating_point()}
    return (
        {torch.float16: "float16", torch.bfloat16: "bfloat16"}.get(dtypes.pop()) if len(dtypes) == 1 else None
    )


def program(name: str, reason: str) -> Form:
    """A program of torch.export: "export" as it is, "aot" compiled for this machine."""
    write_program = writer({"export": "pt2", "aot": "aot"}[name])

    def write(_: torch.nn.Module, model: Model, asked: Sequence[Input], path: Path) -> None:
        with quiet():
            exported(model, asked, batch_size_of(model.archive), lambda made: write_program(made, path))

    return Form(name, reason, write, ".pt2")


def torchscript(reason: str) -> Form:
    """TorchScript: scripted, else traced."""
    return Form("torchscript", reason, write_torchscript)


def write_state(module: torch.nn.Module, _: Model, __: Sequence[Input], path: Path) -> None:
    torch.save(module.state_dict(), path)  # with the versions of its parts, which some need to read theirs


def write_torchscript(_: torch.nn.Module, model: Model, asked: Sequence[Input], path: Path) -> None:
    network = model.handler.model  # in eval mode, and on its device
    with quiet():
        is_script = isinstance(network, torch.jit.ScriptModule)
        torch.jit.save(network if is_script else scripted(network, model, asked), str(path))


def scripted(module: torch.nn.Module, model: Model, asked: Sequence[Input]) -> Any:
    """A module as TorchScript."""
    try:
        return torch.jit.script(module)
    except Exception as unscripted:  # torch's are of many kinds
        call = call_of(model, list(asked))
        try:
            with warnings.catch_warnings(), torch.no_grad():
                warnings.simplefilter("ignore")
                return torch.jit.trace(module, call.inputs)
        except Exception as error:
            raise ArchiveError(
                f"the model can neither be scripted ({one_line(unscripted)[:300]}) nor traced"
                f" ({one_line(error)[:300]})"
            ) from error
