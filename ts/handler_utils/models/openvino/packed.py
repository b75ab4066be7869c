"""A conversion that lies in the archive: `torch-model-runner export --to openvino` puts it there, or `quantize`.

openvino/model.xml, openvino/model.bin    the model
openvino/model.json                       `{"signature": ...}`: of which form of calls it is; of a quantized one
                                          also `"precision": "int8"`, and in `"files"` the sha256 of its files, and
                                          of the weights that it was made of
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Optional
from xml.etree import ElementTree

from ts.handler_utils.models.openvino.signature import Signature

FOLDER = "openvino"
MODEL, WEIGHTS, FACTS = (f"{FOLDER}/model.{suffix}" for suffix in ("xml", "bin", "json"))
INT8 = "int8"  # the one precision that a model cannot be converted to anew
QUANTIZE = "torch-model-runner quantize ARCHIVE --data FOLDER"  # which writes such a model

_LARGEST = 64 << 20  # bytes of the file that describes the layers
_OPERATORS = re.compile(r"opset\d{1,2}")  # OpenVINO's own
_STATE = ("Assign", "ReadValue")  # what one request leaves behind for the next


def packed_model(files: Path, signature: Signature, *, int8: bool = False) -> Optional[Path]:
    """The model that an archive holds for a form of calls.

    Args:
        files: the archive's folder.
        signature: the form.
        int8: whether the quantized one is wanted, or else one whose answers are torch's.

    Raises:
        ValueError: it is not one of a network alone, see `check_model`; or it was quantized, and it or the weights
            are not what they were then.
    """
    found = _facts(files)
    if found.get("signature") != signature.name or (found.get("precision") == INT8) != int8:
        return None
    if int8:
        _check_digests(files, found.get("files"))
    check_model(files / MODEL)
    return files / MODEL


def holds_int8(files: Path) -> bool:
    """Whether an archive holds a quantized model."""
    return _facts(files).get("precision") == INT8


def digests(files: Path, names: Iterable[str]) -> dict[str, str]:
    """The sha256 of files of an archive, in hex, by their names."""
    return {name: _sha256(files / name) for name in names}


def _facts(files: Path) -> dict[str, Any]:
    """What is told of the model that an archive holds; nothing if it holds none."""
    if not (files / MODEL).is_file() or not (files / FACTS).is_file():
        return {}
    try:
        found = json.loads((files / FACTS).read_bytes())
    except ValueError as error:
        raise ValueError(f"{FACTS} is not JSON: {error}") from error
    return found if isinstance(found, dict) else {}


def _check_digests(files: Path, wanted: Any) -> None:
    if not isinstance(wanted, dict) or not {MODEL, WEIGHTS} <= wanted.keys():
        raise ValueError(f"{FACTS} does not say of which files the network was quantized")
    there = {path.relative_to(files).as_posix() for path in files.rglob("*") if path.is_file()}
    for (
        name,
        digest,
    ) in wanted.items():  # a name of the archive's own files, since anybody may have written it
        if name not in there or _sha256(files / name) != digest:
            raise ValueError(
                f"{name} is not what it was when the network was quantized: do so again by `{QUANTIZE}`"
            )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def check_model(path: Path) -> None:
    """Refuses a model of which OpenVINO would do more than compute a network, since anybody may have written it.

    Raises:
        ValueError: it is no such file, has operators of others than OpenVINO, keeps state from one request to the
            next, or reads weights beyond the end of their file.
    """
    weights = path.with_suffix(".bin")
    size = weights.stat().st_size if weights.is_file() else 0
    if path.stat().st_size > _LARGEST:
        raise _refused(path, f"it has more than {_LARGEST} bytes")
    content = path.read_bytes()
    if b"<!" in content.replace(b"<!--", b""):
        raise _refused(path, "it declares entities")
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise _refused(path, f"it is not XML: {error}") from error
    for layer in root.iter("layer"):
        kind, version = layer.get("type", ""), layer.get("version", "")
        if not _OPERATORS.fullmatch(version):
            raise _refused(path, f"its operator {kind[:100]} is of {version[:100] or 'no set'}")
        if kind in _STATE:
            raise _refused(path, f"its operator {kind} keeps what one request leaves for the next")
        if kind == "Const" and not _lies_within(layer.find("data"), size):
            raise _refused(
                path, f"the weights of {layer.get('name', '')[:100]} lie outside of {weights.name}"
            )


def _lies_within(data: Optional[ElementTree.Element], size: int) -> bool:
    if data is None:
        return False
    numbers = [data.get(name, "") for name in ("offset", "size")]
    if not all(number.isascii() and number.isdigit() and len(number) < 19 for number in numbers):
        return False
    return sum(map(int, numbers)) <= size


def _refused(path: Path, reason: str) -> ValueError:
    return ValueError(f"{path.name} is not a model that is read of an archive: {reason}")
