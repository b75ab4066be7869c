"""Whether the classes of a Python file are of some kind, as far as their bases and bodies tell."""

from __future__ import annotations

import ast
import builtins
from typing import Callable, Optional

from .python_source import module_level

Verdict = Optional[bool]
"""True, False, or None where it cannot be told."""

# Modules whose classes are neither models nor handlers.
PLAIN_MODULES = ("abc", "collections", "dataclasses", "enum", "typing", "typing_extensions")


def class_verdicts(
    tree: ast.Module,
    of_base: Callable[[str], Verdict],
    of_body: Callable[[ast.ClassDef], Verdict] = lambda _: False,
) -> dict[str, Verdict]:
    """Judges each class of a module, in the order in which they stand.

    Args:
        tree: The module.
        of_base: Judges a base from elsewhere by its dotted name, with imports resolved.
        of_body: Judges a class by itself.

    Returns:
        Verdicts by the classes' names: True if the body or any base is of the kind.
    """
    imports = _imported_names(tree)
    classes = {node.name: node for node in module_level(tree.body) if isinstance(node, ast.ClassDef)}

    def judge(node: ast.ClassDef, below: tuple[str, ...] = ()) -> Verdict:
        verdicts = [of_body(node)]
        for base in node.bases:
            name = _dotted(base)
            if name in classes and name not in (*below, node.name):
                verdicts.append(judge(classes[name], (*below, node.name)))
            else:
                verdicts.append(of_base(_resolve(name, imports)))
        return True if True in verdicts else None if None in verdicts else False

    return {name: judge(node) for name, node in classes.items()}


def is_plain(name: str) -> bool:
    """Returns whether a dotted name is a class of the language's own, such as `enum.Enum` and `ValueError`."""
    return name.partition(".")[0] in PLAIN_MODULES or hasattr(builtins, name)


def _imported_names(tree: ast.Module) -> dict[str, str]:
    """Maps each name that an import binds to the dotted path that it stands for."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names


def _dotted(expression: ast.expr) -> str:
    """Returns `a.b.c` for a base written so, the name alone for `Base[int]`, and "?" for anything else."""
    if isinstance(expression, ast.Name):
        return expression.id
    if isinstance(expression, ast.Attribute):
        return f"{_dotted(expression.value)}.{expression.attr}"
    if isinstance(expression, ast.Subscript):
        return _dotted(expression.value)
    return "?"


def _resolve(name: str, imports: dict[str, str]) -> str:
    top, dot, rest = name.partition(".")
    return imports.get(top, top) + dot + rest
