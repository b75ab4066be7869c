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
from xml.parsers import expat

from ts.handler_utils.models.openvino.signature import Signature

FOLDER = "openvino"
MODEL, WEIGHTS, FACTS = (f"{FOLDER}/model.{suffix}" for suffix in ("xml", "bin", "json"))
INT8 = "int8"  # the one precision that a model cannot be converted to anew
QUANTIZE = "torch-model-runner quantize ARCHIVE --data FOLDER"  # which writes such a model

_LARGEST = 64 << 20  # bytes of the file that describes the layers
_OPERATORS = re.compile(r"opset\d{1,2}")  # OpenVINO's own
_STATE = ("assign", "readvalue")  # what one request leaves behind for the next
_CONSTANTS = ("const", "constant")
_DEEPEST = 100  # elements inside of each other, as networks in branches and loops are


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
    for name, digest in wanted.items():
        # Names of the archive's own files alone, since anybody may have written them.
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
    if path.stat().st_size > _LARGEST:
        raise _refused(path, f"it has more than {_LARGEST} bytes")
    reader = _Reader(path)
    parser = expat.ParserCreate("utf-8")  # which knows no namespaces, as OpenVINO knows none
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    try:
        parser.Parse(path.read_bytes(), True)
    except expat.ExpatError as error:
        raise _refused(path, f"it is not XML: {error}") from error


class _Reader:
    """Is told of the elements of a model's file one by one, also of those in branches and loops."""

    def __init__(self, path: Path) -> None:
        weights = path.with_suffix(".bin")
        self._path, self._weights = path, weights.name
        self._size = weights.stat().st_size if weights.is_file() else 0
        self._depth = 0
        self._layers: list[tuple[str, str]] = []  # kinds and names of those that have begun

    def doctype(self, *_: Any) -> None:
        raise _refused(self._path, "it declares entities")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _refused(self._path, f"it has more than {_DEEPEST} elements inside of each other")
        if tag == "layer":
            self._begin_layer(attributes)
        if tag == "data" and self._layers:
            kind, name = self._layers[-1]
            if kind in _CONSTANTS and not _lies_within(attributes, self._size):
                raise _refused(self._path, f"the weights of {name} lie outside of {self._weights}")

    def end(self, tag: str) -> None:
        self._depth -= 1
        if tag == "layer":
            self._layers.pop()

    def _begin_layer(self, attributes: dict[str, str]) -> None:
        kind, version = attributes.get("type", ""), attributes.get("version", "")
        if not _OPERATORS.fullmatch(version):
            raise _refused(self._path, f"its operator {kind[:100]} is of {version[:100] or 'no set'}")
        if kind.lower() in _STATE:  # OpenVINO takes them in capitals and in small letters
            raise _refused(self._path, f"its operator {kind} keeps what one request leaves for the next")
        self._layers.append((kind.lower(), attributes.get("name", "")[:100]))


def _lies_within(data: dict[str, str], size: int) -> bool:
    numbers = [data.get(name, "") for name in ("offset", "size")]
    if not all(number.isascii() and number.isdigit() and len(number) < 19 for number in numbers):
        return False
    return sum(map(int, numbers)) <= size


def _refused(path: Path, reason: str) -> ValueError:
    return ValueError(f"{path.name} is not a model that is read of an archive: {reason}")
