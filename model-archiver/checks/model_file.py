"""The check of `--model-file`: the handlers build the one `torch.nn.Module` class that it defines."""

from __future__ import annotations

import ast
import builtins
from pathlib import Path

from .python_source import may_define, module_level, parse

ROLE = "the model file"

# Modules whose classes are never torch modules.
PLAIN_MODULES = ("abc", "collections", "dataclasses", "enum", "typing", "typing_extensions")
PLAIN_TORCH = ("torch.utils.data.", "torch.autograd.")


def model_file_problem(path: Path, model_class: str | None = None) -> str | None:
    """Says what is wrong with a model file, None where nothing is for certain.

    A class counts if one of its bases is known to come from `torch.nn`, directly or by other classes of the file.
    A class with an imported base of another origin may be a module or not: it is neither counted nor missed.

    Args:
        path: The Python file.
        model_class: The class that `handler: {model_class: NAME}` in the model's config names, if it does.

    Raises:
        ModelArchiverError: The file is not valid Python.
    """
    tree = parse(path, ROLE)
    if model_class is not None:
        return None if may_define(tree, model_class) else f"{ROLE} {path} has no class {model_class}"
    certain, possible = _module_classes(tree)
    if len(certain) > 1:
        return (
            f"{ROLE} {path} has {len(certain)} torch.nn.Module classes ({', '.join(certain)}) where the handler "
            "needs one: name it as handler: model_class in the config file, or move the others to an extra file"
        )
    if not certain and not possible:
        return f"{ROLE} {path} has no torch.nn.Module class"
    return None


def _module_classes(tree: ast.Module) -> tuple[list[str], list[str]]:
    """Returns the names of the classes that are torch modules, and of those that may be."""
    imports = _imported_names(tree)
    classes = {node.name: node for node in module_level(tree.body) if isinstance(node, ast.ClassDef)}

    def is_module(node: ast.ClassDef, below: tuple[str, ...] = ()) -> bool | None:
        """True, False, or None where it cannot be told."""
        verdicts = []
        for base in node.bases:
            name = _dotted(base)
            if name in classes and name not in (*below, node.name):
                verdicts.append(is_module(classes[name], (*below, node.name)))
            else:
                verdicts.append(_is_module_name(_resolve(name, imports)))
        return True if True in verdicts else None if None in verdicts else False

    verdicts = {name: is_module(node) for name, node in classes.items()}
    return [name for name in verdicts if verdicts[name]], [
        name for name in verdicts if verdicts[name] is None
    ]


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


def _is_module_name(name: str) -> bool | None:
    if name.startswith("torch.nn.") or name.endswith(".LightningModule"):
        return True
    plain = name.partition(".")[0] in PLAIN_MODULES or name.startswith(PLAIN_TORCH) or hasattr(builtins, name)
    return False if plain else None
