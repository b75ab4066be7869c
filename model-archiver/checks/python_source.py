"""Checks of Python files by their syntax tree; nothing of them is run."""

from __future__ import annotations

import ast
import platform
from collections.abc import Iterator
from pathlib import Path

from ..model_archiver_error import ModelArchiverError


def parse(path: Path, role: str) -> ast.Module:
    """Reads a Python file.

    Raises:
        ModelArchiverError: It is no Python that this interpreter can read.
    """
    try:
        return ast.parse(path.read_bytes(), filename=str(path))
    except (SyntaxError, ValueError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        message = error.msg if isinstance(error, SyntaxError) else error
        raise ModelArchiverError(
            f"{role} {path}{line} is not valid Python {platform.python_version()}: {message}"
        ) from None


def check_imports(tree: ast.Module, path: Path, role: str) -> None:
    """Refuses a file that imports relatively whenever it is imported, though it lies in no package.

    Raises:
        ModelArchiverError: It does; those inside `if` and `try` may be meant for another place.
    """
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.level:
            absolute = f"from {statement.module} import ..." if statement.module else "import ..."
            raise ModelArchiverError(
                f"{role} {path}, line {statement.lineno} imports relatively ({ast.unparse(statement)}), and lies "
                f"in no package: write {absolute}, and give the module by --extra-files"
            )


def module_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yields the statements that run at import, those inside `if`, `try`, `with` and loops too."""
    for statement in body:
        yield statement
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        for block in ("body", "orelse", "finalbody"):
            yield from module_level(getattr(statement, block, []))
        for handler in getattr(statement, "handlers", []):
            yield from module_level(handler.body)


def may_define(tree: ast.Module, name: str) -> bool:
    """Returns False only where it is certain that the module has no attribute `name` once it is imported."""
    for statement in module_level(tree.body):
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            names = {alias.asname or alias.name.partition(".")[0] for alias in statement.names}
            if names & {name, "*"}:
                return True
        elif isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            if statement.name in (name, "__getattr__"):
                return True
        elif any(isinstance(node, ast.Name) and node.id in (name, "globals") for node in ast.walk(statement)):
            return True
    return False
