"""Labels as people have them, as index_to_name.json has them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Optional, Union

from model_archiver.inputs.tree import extra_entries
from model_archiver.model_archiver_error import ModelArchiverError

from ts.runner.errors import ArchiveError
from ts.utils.util import load_label_mapping

LABELS = "index_to_name.json"


def read_labels(labels: Any) -> Optional[dict[str, str]]:
    """Labels by class index (a string).

    Args:
        labels: a list in the order of the classes; a mapping of indexes to labels, or of labels to indexes; a
            member of a torchvision weights enum; or the path of a file: index_to_name.json in any form that the
            handlers read, or a text with a label a line. None is none.

    Raises:
        ArchiveError: it is nothing of this, or a file that cannot be read.
    """
    if labels is None:
        return None
    categories = getattr(labels, "meta", {}).get("categories") if hasattr(labels, "meta") else None
    if categories is not None:
        return of_list(categories)
    if isinstance(labels, (str, Path)):
        return of_file(Path(labels).expanduser())
    if isinstance(labels, Mapping):
        return of_mapping(labels)
    if isinstance(labels, Sequence):
        return of_list(labels)
    raise ArchiveError(
        f"labels are a list, a mapping of class indexes to labels, or a file of them, not {type(labels).__name__}"
    )


def chosen_labels(
    given: Any, known: Optional[dict[str, str]], extra_files: Union[str, Sequence[str], None]
) -> Optional[dict[str, str]]:
    """The labels of an archive: those that are given, else an index_to_name.json among its files, else known ones.

    Raises:
        ArchiveError: there are two, or what is given cannot be read.
    """
    own, file = read_labels(given), _among(extra_files)
    if own is not None and file is not None:
        raise ArchiveError(
            f"labels are given, and {file} among the extra files holds some: leave one of them out"
        )
    return known if own is None and file is None else own or of_file(Path(str(file)))


def _among(extra_files: Union[str, Sequence[str], None]) -> Optional[Path]:
    """The file index_to_name.json among an archive's files."""
    try:
        entries = extra_entries(extra_files or (), Path())
        return next((entry.source for entry in entries if entry.name == LABELS), None)
    except ModelArchiverError as error:
        raise ArchiveError(str(error)) from error


def of_list(labels: Sequence[Any]) -> dict[str, str]:
    return {str(index): str(label) for index, label in enumerate(labels)}


def of_mapping(labels: Mapping[Any, Any]) -> dict[str, str]:
    if labels and all(_is_index(value) for value in labels.values()) and not all(map(_is_index, labels)):
        labels = {index: label for label, index in labels.items()}
    wrong = [key for key in labels if not _is_index(key)]
    if wrong:
        raise ArchiveError(
            f"the labels' keys are class indexes, 0 to one less than the classes; {wrong[0]!r} is none"
        )
    return {str(int(key)): str(labels[key]) for key in sorted(labels, key=int)}


def _is_index(value: Any) -> bool:
    return not isinstance(value, bool) and str(value).isdecimal()


def of_file(path: Path) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ArchiveError(f"the labels {path} cannot be read: {error}") from error
    if not text.lstrip().startswith(("{", "[")):
        return of_list([line.strip() for line in text.splitlines() if line.strip()])
    try:
        found = load_label_mapping(path)
    except ValueError as error:
        raise ArchiveError(f"the labels {path}: {error}") from error
    return dict(found or {})


def check_count(labels: Mapping[str, str], classes: Optional[int], kind: str = "image_classifier") -> None:
    """Refuses labels that are not a model's, by their number.

    Args:
        labels: by class index.
        classes: of the model; None if it is not known.
        kind: the handler.

    Raises:
        ArchiveError: there are more labels than classes, or fewer in a row.
    """
    if classes is None or not labels:
        return
    last = max(map(int, labels))
    in_a_row = len(labels) == last + 1
    if last < classes and (not in_a_row or len(labels) == classes):
        return
    hint = ""
    if kind == "object_detector" and in_a_row and len(labels) + 1 == classes:
        hint = "; class 0 of torchvision's detectors is the background: label it too, such as __background__"
    raise ArchiveError(f"there are {len(labels)} labels, and the model has {classes} classes{hint}")


def write_labels(labels: Mapping[str, str], path: Path) -> None:
    path.write_text(json.dumps(labels, ensure_ascii=False, indent=1), encoding="utf-8")
