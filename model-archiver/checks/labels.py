"""The check of an index_to_name.json among the extra files, the labels of the classes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..model_archiver_error import ModelArchiverError

LABELS = "index_to_name.json"

FORMS = '{"0": "label", ...}, ["label", ...] or {"label": 0, ...}'


def check_labels(path: Path) -> None:
    """Refuses a file from which the handlers could read no labels.

    They read `{"0": "label"}`, whose values may be lists that end in the label; a list of such values, alone or as
    the one value of an object; `{"label": 0}`; and any of them as the value of `object_type_names` or `id2label`.

    Raises:
        ModelArchiverError: It is not JSON in UTF-8, or of another form.
    """
    try:
        content = json.loads(path.read_bytes().decode("utf-8-sig"))
    except ValueError as error:
        raise ModelArchiverError(f"the extra file {path} is not JSON: {error}") from None
    for key in ("object_type_names", "id2label"):
        if isinstance(content, dict) and key in content:
            content = content[key]
    if not _are_labels(content):
        raise ModelArchiverError(f"the extra file {path} holds no labels that are read; they are {FORMS}")


def _are_labels(content: Any) -> bool:
    if isinstance(content, list):
        return all(map(_is_label, content))
    if not isinstance(content, dict):
        return False
    values = list(content.values())
    if len(values) == 1 and isinstance(values[0], list):
        return _are_labels(values[0])
    return all(map(_is_label, values)) or all(type(value) is int for value in values)


def _is_label(value: Any) -> bool:
    """A label, or a list that ends in one."""
    return isinstance(value[-1] if isinstance(value, list) and value else value, str)
