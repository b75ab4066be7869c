"""Models as archives hold them: one loader a format."""

from __future__ import annotations

import importlib.util
import sys
import warnings
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import safetensors.torch
import torch

from ts.utils.util import list_classes_from_module


def load_eager(
    model_dir: str | Path,
    model_file: str,
    weights: str | Path | None,
    device: Any,
    class_name: str | None = None,
) -> torch.nn.Module:
    """Builds the model that a Python file defines, and reads its weights (a state dict) if there are any.

    Args:
        model_dir: the folder of the archive.
        model_file: the Python file in it, which defines a model class that takes no arguments.
        weights: a state dict saved by `torch.save`, or None for a model as its class makes it.
        device: where the weights go.
        class_name: the model's class; None where the file defines only one.

    Raises:
        FileNotFoundError: the archive has no such model file.
        ValueError: the file defines no such class, or several and none is named.
    """
    model = find_model_class(model_dir, model_file, class_name)()
    if weights is not None:
        model.load_state_dict(read_state_dict(weights, device))
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


def read_state_dict(path: str | Path, device: Any) -> dict[str, Any]:
    """Reads a state dict, of safetensors or of `torch.save`; of pickles, only tensors (`weights_only=True`)."""
    if str(path).endswith(".safetensors"):
        return safetensors.torch.load_file(path, device=str(device))
    return torch.load(path, map_location=device, weights_only=True)


def load_torchscript(path: str | Path, device: Any) -> torch.jit.ScriptModule:
    """Reads a model that `torch.jit.save` wrote.

    Raises:
        ValueError: the file holds something else, such as a state dict.
    """
    try:
        with warnings.catch_warnings():
            # Whoever serves an archive did not choose its format.
            warnings.filterwarnings("ignore", "`torch.jit.load` is deprecated", category=FutureWarning)
            return torch.jit.load(str(path), map_location=device).eval()
    except RuntimeError as error:
        raise ValueError(
            f"{Path(path).name} is not a TorchScript file, and the archive has no model file that would tell"
            f" which class its weights are for (torch-model-archiver --model-file): {error}"
        ) from error


def load_pt2(path: str | Path, device: Any) -> Any:
    """Reads a model that `torch.export.save` wrote, or an AOTInductor package.

    Raises:
        ValueError: the file is neither.
    """
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{Path(path).name} is no model that torch.export.save wrote: it is no zip archive")
    with zipfile.ZipFile(path) as archive:
        compiled = any("/aotinductor/" in name for name in archive.namelist())
    if compiled:
        return load_aot_compiled(path, device)
    return torch.export.load(str(path)).module().to(device)


def load_aot_compiled(path: str | Path, device: Any) -> Any:
    """Reads a library (.so) or package (.pt2) that AOTInductor compiled for this kind of device.

    Raises:
        ValueError: the file is a package, which torch reads since 2.6.
    """
    if str(path).endswith(".so"):
        return torch._export.aot_load(str(path), str(device))
    if not hasattr(torch._inductor, "aoti_load_package"):
        name, version = Path(path).name, torch.__version__
        raise ValueError(f"{name} is an AOTInductor package, which torch reads since 2.6: this is {version}")
    return torch._inductor.aoti_load_package(str(path))
