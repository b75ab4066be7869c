"""Eager models: a network that the archive's Python file defines, and its weights."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from ts.handler_utils.models.formats.weights import load_weights, read_weights
from ts.utils.util import list_classes_from_module


def load_eager(
    model_dir: str | Path,
    model_file: str,
    weights: str | Path | None,
    device: Any,
    class_name: str | None = None,
    *,
    trust_pickle: bool = False,
) -> torch.nn.Module:
    """Builds the model that a Python file defines, and reads its weights (a state dict) if there are any.

    Args:
        model_dir: the folder of the archive.
        model_file: the Python file in it, which defines a model class that takes no arguments.
        weights: a state dict, or None for a model as its class makes it.
        device: where the weights go.
        class_name: the model's class; None where the file defines only one.
        trust_pickle: read any pickle, which runs its code; one of a whole model is the model.

    Raises:
        FileNotFoundError: the archive has no such model file.
        ValueError: the file defines no such class, or several and none is named, or the weights are not its own.
    """
    model = _made(find_model_class(model_dir, model_file, class_name), model_file)
    if weights is not None:
        loaded = read_weights(weights, device, trust_pickle=trust_pickle, mapped=True)
        if isinstance(loaded, torch.nn.Module):
            return loaded.to(device).eval()
        load_weights(model, loaded, Path(weights).name, f"Pack the weights that {model_file} was trained to.")
    return model.to(device).eval()


def find_model_class(
    model_dir: str | Path, model_file: str, class_name: str | None = None
) -> type[torch.nn.Module]:
    """The class that is named, else the only one derived from `torch.nn.Module`, else the only one of any kind."""
    path = Path(model_dir) / model_file
    if not path.is_file():
        raise FileNotFoundError(f"The archive has no model file {model_file}")
    if str(model_dir) not in sys.path:
        sys.path.append(str(model_dir))  # the model file may import its neighbours
    module = _import_file(path)
    classes = list_classes_from_module(module, torch.nn.Module) or list_classes_from_module(module)
    chosen = [item for item in classes if class_name in (None, item.__name__)]
    if len(chosen) != 1:
        found = ", ".join(item.__name__ for item in classes) or "none"
        wanted = f"the class {class_name}" if class_name else "exactly one model class (a torch.nn.Module)"
        hint = "" if class_name else "; handler.model_class in model-config.yaml names one of several"
        raise ValueError(f"{model_file} must define {wanted}: found {found}{hint if classes else ''}")
    return chosen[0]


def _import_file(path: Path) -> ModuleType:
    """Imports a file under its own name, unless a module of that name comes from elsewhere: that one stays."""
    loaded = sys.modules.get(path.stem)
    if loaded is not None and getattr(loaded, "__file__", None) == str(path):
        return loaded
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(path.stem, module)
    spec.loader.exec_module(module)
    return module


def needed_arguments(kind: type) -> list[str]:
    """The names of the arguments without which a class cannot be made."""
    return [
        parameter.name
        for parameter in inspect.signature(kind).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]


def _made(kind: type[torch.nn.Module], model_file: str) -> torch.nn.Module:
    needed = needed_arguments(kind)
    if needed:
        raise ValueError(
            f"{model_file}: the class {kind.__name__} cannot be made without {', '.join(needed)}: a model class"
            " takes no arguments. Give them defaults, or define a subclass that passes them on."
        )
    return kind()
