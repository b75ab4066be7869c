"""`--handler`: what it stands for, which files it brings, and the value by which TorchServe imports it.

TorchServe 0.12 takes the manifest's value apart at the first `:`, drops a `.py` at the end of the left part and
everything up to its last `/`, and imports what remains as a module, with the model's folder at the front of
`sys.path`; where that fails, it imports `ts.torch_handler.<name>`. So `file.py`, `file`, `file.py:function` and
`package.module:function` all work as long as `file.py` or `package/` lies at the top of the archive.
"""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from ..manifest_components.manifest import RuntimeType
from ..model_archiver_error import InputNotFoundError, ModelArchiverError
from .entry import Entry, file_entry
from .tree import folder_entries

ROLE = "the handler file"

CPP_HANDLERS = ("BaseHandler", "TorchScriptHandler")
"""The handlers that TorchServe's C++ backend has without a file."""

LIBRARY = ".dylib" if sys.platform == "darwin" else ".so"

# The function is an identifier, so that the colon of a Windows drive is none of its business.
HANDLER = re.compile(r"(?P<path>.+?)(?::(?P<function>[^\W\d]\w*))?")
DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")


@dataclass(frozen=True)
class Handler:
    """What `--handler` stands for.

    Attributes:
        entries: The files that it needs.
        module: The Python file that TorchServe imports; None for a default handler and a shared library.
        function: The function that it names; None where it names none.
        in_package: The module is imported as a part of a package.
    """

    entries: list[Entry]
    module: Path | None = None
    function: str | None = None
    in_package: bool = False


def resolve_handler(handler: str, runtime: str, default_names: Collection[str], target: Path) -> Handler:
    """Finds the handler.

    Args:
        handler: The value of `--handler`.
        runtime: The value of `--runtime`; for `LSP` the handler is a shared library.
        default_names: Handlers that need no file.
        target: The archive that is being made.

    Raises:
        ModelArchiverError: There is no such handler, or no such runtime.
    """
    runtimes = [runtime.value for runtime in RuntimeType]
    if runtime not in runtimes:
        raise ModelArchiverError(f"{runtime!r} is no runtime: choose from {', '.join(runtimes)}")
    if handler in default_names:
        return Handler([])
    match = HANDLER.fullmatch(handler)
    if match is None:
        raise ModelArchiverError("the handler has no name")
    if handler.endswith(":"):
        raise ModelArchiverError(f"the handler {handler} names no function after the colon")
    path, function = match["path"], match["function"]
    if runtime == RuntimeType.LSP.value:
        return Handler([] if handler in CPP_HANDLERS else [_file(path, LIBRARY)])
    source = Path(path if path.endswith(".py") else f"{path}.py")
    if source.is_file():
        return Handler([_file(path, ".py")], source, function)
    entries, module = _package(path, default_names, target)
    return Handler(entries, module, function, in_package=True)


def _file(path: str, suffix: str) -> Entry:
    source = Path(path if path.endswith(suffix) else path + suffix)
    return file_entry(source, source.name, ROLE)


def _package(path: str, default_names: Collection[str], target: Path) -> tuple[list[Entry], Path]:
    """Returns the whole package of the dotted module `[folder/]package.module`, and the module's file."""
    folder, dotted = os.path.split(path)
    if dotted.endswith(".py") or not DOTTED.fullmatch(dotted):
        raise _not_found(path, default_names)
    module = Path(folder, *dotted.split("."))
    for candidate in (module.with_suffix(".py"), module / "__init__.py"):
        if candidate.is_file():
            top = dotted.partition(".")[0]
            return list(folder_entries(Path(folder, top), f"{top}/", target)), candidate
    raise InputNotFoundError(f"the handler {path} is neither {path}.py nor a module: there is no {module}.py")


def _not_found(path: str, default_names: Collection[str]) -> InputNotFoundError:
    if path.endswith(".py") or os.path.basename(path) != path:
        return InputNotFoundError(f"{ROLE} {path} does not exist")
    nearest = difflib.get_close_matches(path, default_names, n=1)
    hint = f"; did you mean {nearest[0]}?" if nearest else ""
    names = ", ".join(default_names)
    return InputNotFoundError(
        f"there is no handler {path}, neither a file {path}.py nor one of the defaults ({names}){hint}"
    )
