"""The check of a handler's file, by what TorchServe's loader does with it.

The loader imports the file as a module of its own, and calls the function that `--handler FILE.py:FUNCTION` names,
or `handle`. Where the module has none, it makes an object of the module's one class, or of its one class with a
method `handle`.
"""

from __future__ import annotations

import ast
from pathlib import Path

from ..model_archiver_error import ModelArchiverError
from .class_verdicts import Verdict, class_verdicts, is_plain
from .python_source import check_imports, may_define, parse

ROLE = "the handler file"
METHOD = "handle"


def check_handler_file(path: Path, function: str | None, in_package: bool) -> None:
    """Refuses a file that the loader could not import, or in which it would not find what to call, for certain.

    Args:
        path: The Python file.
        function: The function that is named, if one is.
        in_package: The file is imported as a part of a package, which is packed with it.

    Raises:
        ModelArchiverError: The message says what the loader would miss.
    """
    tree = parse(path, ROLE)
    if not in_package:
        if "." in path.stem:
            raise ModelArchiverError(
                f"{ROLE} {path} cannot be imported, for the dots in its name would stand for packages: "
                f"rename it, to {path.stem.replace('.', '_')}.py say"
            )
        check_imports(tree, path, ROLE)
    if not may_define(tree, function or METHOD):
        _check_classes(tree, path, function)


def _check_classes(tree: ast.Module, path: Path, function: str | None) -> None:
    verdicts = class_verdicts(tree, _base_handles, _body_handles)
    # A class inside `if` or `try` may not be there in the end.
    always = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    certain = [name for name, verdict in verdicts.items() if verdict and name in always]
    if len(certain) > 1:
        raise ModelArchiverError(
            f"{ROLE} {path} has {len(certain)} classes with a method {METHOD} ({', '.join(certain)}), and "
            f"TorchServe takes one: move the others to an extra file, or add a function {METHOD}(data, context)"
        )
    if any(verdict is not False for verdict in verdicts.values()) or _makes_classes(tree):
        return
    if function:
        raise ModelArchiverError(f"{ROLE} {path} has no {function}")
    raise ModelArchiverError(
        f"{ROLE} {path} has neither a function {METHOD} nor a class with a method {METHOD}"
    )


def _base_handles(name: str) -> Verdict:
    if name.startswith("ts.torch_handler."):
        return True
    return False if is_plain(name) or name.startswith(("torch.", "pydantic.")) else None


def _body_handles(node: ast.ClassDef) -> Verdict:
    functions = [part.name for part in node.body if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef))]
    if METHOD in functions:
        return True
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    plain = all("dataclass" in decorator for decorator in decorators) and not node.keywords
    return False if plain and not may_define(ast.Module(node.body, []), METHOD) else None


def _makes_classes(tree: ast.Module) -> bool:
    """Returns whether the module may get a class by a call, as in `Handler = type(...)`."""
    names = {
        target.id
        for statement in ast.walk(tree)
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    return any(name[:1].isupper() and not name.isupper() for name in names)
