"""A conversion that lies in the archive: `torch-model-runner export --to openvino` puts it there.

openvino/model.xml, openvino/model.bin    the model
openvino/model.json                       `{"signature": ...}`: of which form of calls it is
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Optional
from xml.etree import ElementTree

from ts.handler_utils.models.openvino.signature import Signature

FOLDER = "openvino"
MODEL, WEIGHTS, FACTS = (f"{FOLDER}/model.{suffix}" for suffix in ("xml", "bin", "json"))

_LARGEST = 64 << 20  # bytes of the file that describes the layers
_OPERATORS = re.compile(r"opset\d{1,2}")  # OpenVINO's own
_STATE = ("Assign", "ReadValue")  # what one request leaves behind for the next


def packed_model(files: Path, signature: Signature) -> Optional[Path]:
    """The model that an archive holds for a form of calls.

    Raises:
        ValueError: it is not one of a network alone; see `check_model`.
    """
    path, facts = files / MODEL, files / FACTS
    if not path.is_file() or not facts.is_file():
        return None
    try:
        found = json.loads(facts.read_bytes())
    except ValueError as error:
        raise ValueError(f"{FACTS} is not JSON: {error}") from error
    if not isinstance(found, dict) or found.get("signature") != signature.name:
        return None
    check_model(path)
    return path


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
