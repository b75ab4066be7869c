"""The loaders of serialized files, by suffix."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, TypeVar

from ts.handler_utils.models.formats.content import TORCHSCRIPT, content_of

Loader = Callable[[Any, Any], Any]
SomeLoader = TypeVar("SomeLoader", bound=Callable[..., Any])

_LOADERS: dict[str, Loader] = {}


def reads(*suffixes: str) -> Callable[[SomeLoader], SomeLoader]:
    """Registers a loader, `load(path, device)`, which returns a model that can be called."""

    def register(loader: SomeLoader) -> SomeLoader:
        _LOADERS.update(dict.fromkeys(suffixes, loader))
        return loader

    return register


def loader_of(path: str | Path) -> Loader:
    """The loader for a file that is a whole model: by its suffix, or, for TorchScript, by what it holds.

    Raises:
        ValueError: there is none; the message names the suffixes that there are.
    """
    path = Path(path)
    loader = _LOADERS.get(path.suffix.lower())
    if loader is not None:
        return loader
    found = content_of(path)
    if found == TORCHSCRIPT:  # .ts, .torchscript, .jit, ...: people give it many names
        return _LOADERS[".pt"]
    raise ValueError(
        f"{path.name} has a suffix that says nothing of its format: it is {found}, and the suffixes of models are"
        f" {', '.join(sorted(_LOADERS))}. Rename the file, and pack the archive again."
    )
