"""Finds and starts the handler that a manifest names, by the rules of torchserve 0.12's model loader.

The manifest's `handler` is `NAME[:FUNCTION]`, where NAME is a file of the archive (`handler.py`), a module that
can be imported from it (`package.module`), or one of the default handlers (`image_classifier`). The archive wins
over the default handlers. The entry point is the module's FUNCTION (`handle`, unless named), else its only class,
or its only one with a method `handle`.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Callable, Optional

from ts.runner.answering.context import Context
from ts.utils.util import list_classes_from_module

Entry = Callable[[Optional[list], Context], Any]


def start_handler(spec: str, root: Path, context: Context) -> Entry:
    """Imports a handler and initialises it once.

    Must run inside the archive's import scope.

    Args:
        spec: The manifest's `handler`.
        root: The archive's folder.
        context: Without a batch; a class gets it in `initialize(context)`, a function as `handle(None, context)`.

    Returns:
        `handle(data, context)`.

    Raises:
        Exception: Whatever the handler's own code raises.
        ImportError: There is no such module.
        ValueError: The module lies outside of the archive, or has neither the function nor exactly one handler.
    """
    name, _, function = spec.partition(":")
    if function:
        folder = Path(os.path.realpath(root / name)).parent
        if Path(os.path.realpath(root)) not in (folder, *folder.parents):
            raise ValueError("its path leads out of the archive")
        sys.path.insert(0, os.path.dirname(root / name))
    module = import_handler(name)
    if hasattr(module, function or "handle"):
        entry = getattr(module, function or "handle")
        entry(None, context)
        return entry
    service = made_handler(module)
    handle = service.handle  # before it is initialised, as TorchServe takes it
    service.initialize(context)
    return handle


def import_handler(name: str) -> ModuleType:
    module_name = os.path.basename(name)
    if module_name.endswith(".py"):
        module_name = module_name[: -len(".py")]
    try:
        return import_file(module_name)
    except ModuleNotFoundError as error:
        if error.name not in (module_name, module_name.partition(".")[0]):
            raise  # the handler is there; it is something that it imports that is not
        missing = error
    try:
        return importlib.import_module(f"ts.torch_handler.{module_name}")
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("ts.torch_handler."):
            raise
        raise missing from None


def import_file(name: str) -> ModuleType:
    """Imports a module; a plain folder of that name, which Python would take for a namespace package, is none."""
    module = importlib.import_module(name)
    if getattr(module, "__file__", None) is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return module


def made_handler(module: ModuleType) -> Any:
    """An object of the one class that `module` itself defines, or of the one that is a handler."""
    classes = list_classes_from_module(module)
    if len(classes) != 1:
        found = ", ".join(found.__name__ for found in classes) or "no class"
        raise ValueError(
            f"a handler module must have a function `handle` or exactly one class that has one, but has {found}"
        )
    service = classes[0]()
    if not hasattr(service, "handle"):
        raise ValueError(f"the handler's class {classes[0].__name__} has no method `handle`")
    return service
