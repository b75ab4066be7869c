"""Lets an archive's own modules be imported, one archive at a time, without a trace in the rest of the process.

A TorchServe worker serves one model: its folder is first on sys.path and is the working directory, and modules
such as `handler` or `model` are its own. Here many archives share a process, so each has a scope that puts these
in place while its handler runs.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import sysconfig
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

_LOCK = threading.RLock()  # sys.path, sys.modules and the working directory belong to the whole process
STANDARD = getattr(sys, "stdlib_module_names", None) or {  # which Python has from 3.10
    *sys.builtin_module_names,
    *(module.name for module in pkgutil.iter_modules([sysconfig.get_path("stdlib")])),
}
# What a worker has imported before the handler, so that an archive cannot replace it.
WORKERS_OWN = frozenset({*STANDARD, "ts"})


class ImportScope:
    """The import state that belongs to the archive in `root`.

    Args:
        root: the archive's folder.
        has_code: whether its modules may be imported, as an archive's may; nothing is of a folder that is none.
    """

    def __init__(self, root: Path, *, has_code: bool = True) -> None:
        self.root = root
        self._prefix = str(root) + os.sep
        self._names = own_names(root) if has_code else frozenset()
        self._path = [str(root)] if has_code else []
        self._modules: dict[str, ModuleType] = {}
        self._is_active = False

    @contextmanager
    def active(self) -> Iterator[None]:
        """Everything of the archive is importable inside; afterwards sys.path, sys.modules and cwd are as before.

        Only one scope is active in a process: another thread's waits. Where this one is active already, nothing
        happens, so that a process that serves one archive can have its scope active all the time.
        """
        with _LOCK:
            if self._is_active:
                yield
                return
            path, writes_no_bytecode, directory = list(sys.path), sys.dont_write_bytecode, os.getcwd()
            displaced = self._displace()
            before = set(sys.modules)
            sys.modules.update(self._modules)
            sys.path[:0] = self._path
            sys.dont_write_bytecode = True  # an archive that is a folder stays as it is
            if self._path:  # the working directory may be a place to import from
                os.chdir(self.root)
            self._is_active = True
            try:
                yield
            finally:
                self._is_active = False
                self._path = [entry for entry in sys.path if entry not in path]
                self._modules = {
                    name: sys.modules[name] for name in set(sys.modules) - before if self._owns(name)
                }
                for name in self._modules:
                    del sys.modules[name]
                sys.modules.update(displaced)
                sys.path[:] = path
                sys.dont_write_bytecode = writes_no_bytecode
                os.chdir(directory)

    def close(self) -> None:
        """Forgets the archive's modules."""
        self._modules.clear()
        for entry in self._path:
            sys.path_importer_cache.pop(entry, None)

    def _displace(self) -> dict[str, ModuleType]:
        """Takes modules of the caller's out of the way whose names the archive has too."""
        taken = {name for name in self._names - WORKERS_OWN if name in sys.modules}
        names = [name for name in sys.modules if name.partition(".")[0] in taken] if taken else []
        return {name: sys.modules.pop(name) for name in names}

    def _owns(self, name: str) -> bool:
        attributes = vars(sys.modules[name])
        places = [attributes.get("__file__") or "", *(attributes.get("__path__") or [])]
        return any(f"{place}{os.sep}".startswith(self._prefix) for place in places)


def own_names(root: Path) -> frozenset[str]:
    """The top-level modules and packages in `root`."""
    importlib.invalidate_caches()  # the folder may have changed since Python last looked into it
    modules = {
        path.name.partition(".")[0] for suffix in ("*.py", "*.so", "*.pyd") for path in root.glob(suffix)
    }
    return frozenset(modules | {path.parent.name for path in root.glob("*/__init__.py")})
