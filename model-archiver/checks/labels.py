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

    They read `{"0": "label"}`, whose values may be lists that end in the label; a list of such values;
    `{"label": 0}`; and any of these as the one value of an object, or under `id2label` or `object_type_names`.

    Raises:
        ModelArchiverError: It is not JSON in UTF-8, or of another form.
    """
    try:
        are_labels = _are_labels(json.loads(path.read_bytes().decode("utf-8-sig")))
    except (ValueError, RecursionError) as error:
        raise ModelArchiverError(f"the extra file {path} is not JSON: {error}") from None
    if not are_labels:
        raise ModelArchiverError(f"the extra file {path} holds no labels that are read; they are {FORMS}")


def _are_labels(content: Any) -> bool:
    if isinstance(content, list):
        return all(map(_is_label, content))
    if not isinstance(content, dict):
        return False
    for key in ("id2label", "object_type_names", *(content if len(content) == 1 else ())):
        below = content.get(key)
        if isinstance(below, dict) or (isinstance(below, list) and not key.isdecimal()):
            return _are_labels(below)
    return all(map(_is_label, content.values())) or _are_indexes(content)


def _are_indexes(content: dict[str, Any]) -> bool:
    """The indexes of labels, each of another one; an object of numbers alone is neither."""
    values = list(content.values())
    whole = all(type(value) is int for value in values) and len(set(values)) == len(values)
    return whole and not all(key.isdecimal() for key in content)


def _is_label(value: Any) -> bool:
    """A label, or a list that ends in one."""
    return isinstance(value[-1] if isinstance(value, list) and value else value, str)
