"""The source file of a module's class, as a model file of an archive."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Optional

import torch

from ts.handler_utils.models.formats.eager import needed_arguments

_FOLDERS = tuple({str(Path(path).resolve()) for path in sysconfig.get_paths().values()})


def why_no_model_file(module: torch.nn.Module) -> Optional[str]:
    """Why the source file of a module's class cannot make the network in another process; None if it can."""
    kind = type(module)
    if kind.__module__ == "__main__":
        return f"{kind.__name__} is defined in the program that runs, which a model file is not"
    file = source_file(module)
    if file is None or kind.__qualname__ != kind.__name__:
        return f"{kind.__name__} has no source file of its own"
    if _is_installed(str(file)):
        return f"{kind.__name__} is of an installed package"
    needed = needed_arguments(kind)
    if needed:
        return f"{kind.__name__} cannot be made without {', '.join(needed)}"
    neighbours = sorted({name for name in imported(file) if not _is_to_be_had(name)})
    return f"{file.name} imports {', '.join(neighbours)}, which lies beside it" if neighbours else None


def source_file(module: torch.nn.Module) -> Optional[Path]:
    """The file that defines a module's class; None if there is none."""
    try:
        found = inspect.getsourcefile(type(module))
    except (TypeError, OSError):
        return None
    return Path(found).resolve() if found and Path(found).is_file() else None


def imported(file: Path) -> Iterator[str]:
    """The packages that a Python file imports; "." stands for its own."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0] if not node.level else "."


def _is_to_be_had(name: str) -> bool:
    """Whether a package is installed, so that others have it too."""
    if name == ".":
        return False
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return True  # which is the archive's requirement, and not for us to say
    places = [*(spec.submodule_search_locations or ()), spec.origin or ""] if spec else []
    return not places or any(
        place in ("built-in", "frozen") or _is_installed(str(Path(place).resolve()))
        for place in places
        if place
    )


def _is_installed(path: str) -> bool:
    return path.startswith(_FOLDERS)
