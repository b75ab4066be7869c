"""Labels and small helpers which torchserve's server, its handlers and their subclasses import from here."""

from __future__ import annotations

import enum
import inspect
import logging
import re
import warnings
from collections.abc import Mapping, Sequence
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any, Callable

from ts.utils.documents import LARGEST_YAML, DocumentError, read_json, read_yaml, shown

logger = logging.getLogger(__name__)

# HTML tags and character entities, as the text handlers remove them.
CLEANUP_REGEX = re.compile("<.*?>|&([a-z0-9]+|#[0-9]{1,6}|#x[0-9a-f]{1,6});")


class PT2Backend(str, enum.Enum):
    """Backends of `torch.compile` that `pt2` in model-config.yaml may name."""

    EAGER = "eager"
    AOT_EAGER = "aot_eager"
    INDUCTOR = "inductor"
    NVFUSER = "nvfuser"
    AOT_NVFUSER = "aot_nvfuser"
    AOT_CUDAGRAPHS = "aot_cudagraphs"
    OFI = "ofi"
    FX2TRT = "fx2trt"
    ONNXRT = "onnxrt"
    IPEX = "ipex"
    TORCHXLA_TRACE_ONCE = "torchxla_trace_once"
    OPENVINO = "openvino"
    TENSORRT = "tensorrt"
    HPU_BACKEND = "hpu_backend"


class PredictionException(Exception):
    """Raised by a handler to choose the HTTP status and the message of an answer.

    Args:
        message: what the client is told.
        error_code: HTTP status code.
    """

    def __init__(self, message: str, error_code: int = 500) -> None:
        super().__init__(message)
        self.message = message
        self.error_code = error_code

    def __str__(self) -> str:
        return f"{self.message} : {self.error_code}"


def check_valid_pt2_backend(backend: str) -> bool:
    """Whether `backend` is a value of `PT2Backend`; warns if it is not."""
    valid = backend in {member.value for member in PT2Backend}
    if not valid:
        logger.warning("%s is not a supported backend", backend)
    return valid


def list_classes_from_module(module: ModuleType, parent_class: type | None = None) -> list[type]:
    """The classes that `module` itself defines; with `parent_class`, only those derived from it.

    TorchServe asks this for the handler of a module, and takes an answer of one class only. So that a handler may
    have its settings and options beside it, a module's one class with a method `handle` stands for the module.
    """
    classes = [
        member
        for _, member in inspect.getmembers(module, inspect.isclass)
        if member.__module__ == module.__name__ and (parent_class is None or issubclass(member, parent_class))
    ]
    handlers = {member for member in classes if callable(getattr(member, "handle", None))}
    return list(handlers) if parent_class is None and len(handlers) == 1 else classes


def get_yaml_config(yaml_file_path: str | Path) -> Any:
    """The content of a YAML file, read with the safe loader; a TorchServe worker reads model-config.yaml by this.

    Raises:
        yaml.YAMLError: it is no YAML, or stands for more than `read_yaml` takes; the message begins with its name.
    """
    with open(yaml_file_path, "rb") as file:
        content = file.read(LARGEST_YAML + 1)
    try:
        return read_yaml(content)
    except DocumentError as error:
        raise DocumentError(f"{Path(yaml_file_path).name} {error}") from error.__cause__


def load_label_mapping(mapping_file_path: str | Path) -> dict[str, str] | None:
    """Reads index_to_name.json: the label of each class index.

    The file holds `{"0": "tench", ...}`; a value may be a list, such as `["n01440764", "tench"]`, whose last
    entry is the label. Read too are a list of labels; `{"tench": 0, ...}`; and either of these under a key, as in
    the older form `{"object_type_names": ["person", ...]}`, or in Hugging Face's config.json, under "id2label".

    Args:
        mapping_file_path: the file; it may be absent.

    Returns:
        Labels by class index (a string), or None where there is no such file.

    Raises:
        ValueError: the file is no JSON, or not of that form.
    """
    path = Path(mapping_file_path)
    if not path.is_file():
        logger.warning("%s is absent: answers show class indexes instead of labels.", path)
        return None
    try:
        found = read_json(path.read_bytes())
    except DocumentError as error:
        raise ValueError(f"{path.name} {error}") from error
    mapping = _label_table(found)
    if mapping is None:
        raise ValueError(f'{path.name} must hold an object of the form {{"0": "label", ...}}')
    return {str(index): _label(path.name, index, value) for index, value in mapping.items()}


def _label_table(found: Any) -> Mapping[Any, Any] | None:
    """Labels by class index, out of the forms that people write them in."""
    if isinstance(found, list):
        return dict(enumerate(found))
    if not isinstance(found, dict):
        return None
    for key in ("id2label", "object_type_names", *(found if len(found) == 1 else ())):
        if isinstance(found.get(key), dict) or (
            isinstance(found.get(key), list) and not str(key).isdecimal()
        ):
            return _label_table(found[key])
    indexes = list(found.values())
    are_indexes = bool(indexes) and all(type(index) is int for index in indexes)
    if are_indexes and len(set(indexes)) == len(indexes) and not all(key.isdecimal() for key in found):
        return dict(zip(indexes, found))
    return found


def _label(file_name: str, index: Any, value: Any) -> str:
    label = value[-1] if isinstance(value, list) and value else value
    if not isinstance(label, str):
        raise ValueError(
            f"{file_name}: the label of class {str(index)[:100]} must be a string or a list of strings:"
            f" {shown(value)}"
        )
    return label


def map_class_to_label(
    probs: Sequence[Sequence[Any]],
    mapping: dict[str, str] | None = None,
    lbl_classes: Sequence[Sequence[int]] | None = None,
) -> list[dict[str, Any]]:
    """Names the classes of each row.

    A class without a label shows its index. Where two classes of a row have one label, the second shows its
    index behind it, as in "crane (517)", so that neither entry is lost.

    Args:
        probs: for each row, one value a class: mostly its probability in [0, 1].
        mapping: labels by class index (a string), as `load_label_mapping` returns them.
        lbl_classes: for each row, the class index of each value; by default 0, 1, 2, ...

    Returns:
        For each row, its values by label, in the order given.

    Raises:
        TypeError: `probs` or `lbl_classes` is not made of lists (a tensor, say).
    """
    if not isinstance(probs, list) or not isinstance(lbl_classes, (list, type(None))):
        raise TypeError("map_class_to_label takes lists: call tolist() on a tensor or an array first")
    classes = lbl_classes if lbl_classes is not None else [range(len(row)) for row in probs]
    return [_by_label(row, indexes, mapping or {}) for row, indexes in zip(probs, classes)]


def _by_label(values: Sequence[Any], indexes: Sequence[int], mapping: dict[str, str]) -> dict[str, Any]:
    labels = [mapping.get(str(index), str(index)) for index in indexes]
    if len(set(labels)) == len(labels):
        return dict(zip(labels, values))
    answer: dict[str, Any] = {}
    for label, index, value in zip(labels, indexes, values):
        answer[f"{label} ({index})" if label in answer else label] = value
    return answer


def deprecated(
    version: str, replacement: str = "", klass: type[Warning] = PendingDeprecationWarning
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Marks a function as deprecated since `version`: calling it warns, and names its replacement."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        message = f"{function.__name__} is deprecated since {version}"
        message += f"; use {replacement}" if replacement else ""

        @wraps(function)
        def warn_and_call(*args: Any, **kwargs: Any) -> Any:
            warnings.warn(message, klass, stacklevel=2)
            return function(*args, **kwargs)

        return warn_and_call

    return decorate
