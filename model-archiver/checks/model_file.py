"""The check of `--model-file`: the handlers build the one `torch.nn.Module` class that it defines."""

from __future__ import annotations

from pathlib import Path

from ..model_archiver_error import ModelArchiverError
from .class_verdicts import Verdict, class_verdicts, is_plain
from .python_source import check_imports, may_define, parse

ROLE = "the model file"

# Parts of torch whose classes are never modules.
PLAIN_TORCH = ("torch.utils.data.", "torch.autograd.")


def check_model_file(path: Path, model_class: str | None = None) -> None:
    """Refuses a file of which no model can be made for certain.

    A class counts if one of its bases is known to come from `torch.nn`, directly or by other classes of the file.
    A class with an imported base of another origin may be a module or not: it is neither counted nor missed.

    Args:
        path: The Python file.
        model_class: The class that `handler: {model_class: NAME}` in the model's config names, if it does.

    Raises:
        ModelArchiverError: The file is not valid Python, cannot be imported, or has no such class, or several.
    """
    tree = parse(path, ROLE)
    check_imports(tree, path, ROLE)
    if model_class is not None:
        if not may_define(tree, model_class):
            raise ModelArchiverError(f"{ROLE} {path} has no class {model_class}")
        return
    verdicts = class_verdicts(tree, _is_module)
    certain = [name for name, verdict in verdicts.items() if verdict]
    if len(certain) > 1:
        raise ModelArchiverError(
            f"{ROLE} {path} has {len(certain)} torch.nn.Module classes ({', '.join(certain)}) where the handler "
            "needs one: name it as handler: model_class in the config file, or move the others to an extra file"
        )
    if not certain and None not in verdicts.values():
        raise ModelArchiverError(f"{ROLE} {path} has no torch.nn.Module class")


def _is_module(name: str) -> Verdict:
    if name.startswith("torch.nn.") or name.endswith(".LightningModule"):
        return True
    return False if is_plain(name) or name.startswith(PLAIN_TORCH) else None
