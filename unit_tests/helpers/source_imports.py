"""The imports of the sources: which file imports which."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Optional, Union

PACKAGES = {"ts": "ts", "model_archiver": "model-archiver"}  # the folder of each

Statement = Union[ast.Import, ast.ImportFrom]


@dataclass(frozen=True)
class Import:
    """One module that a file imports, at its top, in a function, or for type checkers alone.

    Attributes:
        file: the file, relative to the repository.
        line: of the statement.
        module: the dotted name of what is imported.
        target: the file of that, relative to the repository; None where it is none of `PACKAGES`.
        optional: whether an `except ImportError` is there for it.
    """

    file: Path
    line: int
    module: str
    target: Optional[Path]
    optional: bool

    def __str__(self) -> str:
        return f"{self.file.as_posix()}:{self.line} imports {self.module}"


def python_files(root: Path, folder: str) -> list[Path]:
    """The Python files in a folder of a repository and in those below it, relative to the repository."""
    return sorted(path.relative_to(root) for path in (root / folder).rglob("*.py"))


@cache
def read_imports(root: Path, folder: str) -> tuple[Import, ...]:
    """All imports of the Python files in a folder of a repository and in those below it."""
    return tuple(found for file in python_files(root, folder) for found in _imports_of(root, file))


def _imports_of(root: Path, file: Path) -> Iterator[Import]:
    tree = ast.parse((root / file).read_text(encoding="utf-8"))
    tries = [block for block in ast.walk(tree) if isinstance(block, ast.Try) and _expects_absence(block)]
    optional = {id(node) for block in tries for statement in block.body for node in ast.walk(statement)}
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            for module in _modules_of(root, file, node):
                yield Import(file, node.lineno, module, _file_of(root, module), id(node) in optional)


def _expects_absence(block: ast.Try) -> bool:
    kinds = [handler.type for handler in block.handlers]
    return any(isinstance(kind, ast.Name) and kind.id == "ImportError" for kind in kinds)


def _modules_of(root: Path, file: Path, node: Statement) -> list[str]:
    """What a statement imports: of `from package import name` the module of that name, if it is one."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = node.module or ""
    if node.level:
        packages = {folder: name for name, folder in PACKAGES.items()}
        top, *others = file.parent.parts
        above = [packages[top], *others]
        base = ".".join([*above[: len(above) + 1 - node.level], *([node.module] if node.module else [])])
    names = [f"{base}.{alias.name}" for alias in node.names]
    return sorted({name if _file_of(root, name) else base for name in names})


def _file_of(root: Path, module: str) -> Optional[Path]:
    top, *others = module.split(".")
    if top not in PACKAGES:
        return None
    path = Path(PACKAGES[top], *others)
    files = (path.parent / f"{path.name}.py", path / "__init__.py")
    return next((file for file in files if (root / file).is_file()), None)
