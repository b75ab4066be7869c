"""What a saved model folder holds, and which handler answers with it: told by its config.json alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

from ts.utils.documents import LARGEST_JSON, DocumentError, read_json

CONFIG = "config.json"

EMBEDDER = "embedder"

# The default handlers for what transformers' classes are named by, the longest ending first. A class without a
# head, such as BertModel, gives features.
HANDLERS = {
    "ForImageClassificationWithTeacher": "image_classifier",
    "ForImageClassification": "image_classifier",
    "ForSemanticSegmentation": "image_segmenter",
    "ForObjectDetection": "object_detector",
    "ForSequenceClassification": "text_classifier",
    "Model": EMBEDDER,
}


def find_folder(root: Path) -> Optional[Path]:
    """The saved model folder in an archive: where a config.json with a `model_type` lies.

    Args:
        root: the archive's folder.

    Returns:
        `root`, or the only folder of the kind in it; None where there is none.

    Raises:
        ValueError: there are several side by side.
    """
    if is_model_folder(root):
        return root
    found = sorted(path.parent for path in root.glob(f"*/{CONFIG}") if is_model_folder(path.parent))
    if len(found) > 1:
        names = ", ".join(folder.name for folder in found)
        raise ValueError(f"The archive has several saved model folders, {names}: pack one of them")
    return found[0] if found else None


def is_model_folder(folder: Path) -> bool:
    """Whether a folder has a config.json with a `model_type`."""
    path = folder / CONFIG
    try:
        return path.is_file() and isinstance(read_object(path).get("model_type"), str)
    except ValueError:
        return False


def read_object(path: Path) -> dict[str, Any]:
    """A file that holds a JSON object.

    Raises:
        ValueError: it holds something else.
    """
    with path.open("rb") as file:
        content = file.read(LARGEST_JSON + 1)
    try:
        found = read_json(content)
    except DocumentError as error:
        raise ValueError(f"{path.name} {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path.name} holds no object")
    return found


def architecture_of(config: Mapping[str, Any]) -> Optional[str]:
    """The class that a config.json names, such as BertForSequenceClassification."""
    names = config.get("architectures")
    name = names[0] if isinstance(names, list) and names else None
    return name if isinstance(name, str) and name.isidentifier() else None


def handler_of(config: Mapping[str, Any]) -> str:
    """The default handler that answers with a saved model.

    Args:
        config: of its config.json.

    Raises:
        ValueError: there is none; the message says for what there is one.
    """
    architecture = architecture_of(config)
    if architecture is None:
        raise ValueError(f"{CONFIG} names no class of its model in `architectures`")
    for ending, handler in HANDLERS.items():
        if architecture.endswith(ending):
            return handler
    known = ", ".join(f"...{ending}" for ending in HANDLERS)
    raise ValueError(f"No default handler answers with a {architecture}: there are some for {known}")
