"""An archive with its model converted for OpenVINO ahead, beside the model itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

import yaml
from model_archiver.manifest_components.manifest import MANIFEST_PATH
from model_archiver.reproducible import creation_time

from ts.handler_utils.models.openvino.conversion import CannotConvertError, convert
from ts.handler_utils.models.openvino.library import import_openvino
from ts.handler_utils.models.openvino.packed import FACTS, FOLDER, INT8, MODEL, WEIGHTS
from ts.handler_utils.models.openvino.parts import depends_on_what_it_finds
from ts.handler_utils.models.openvino.signature import taken_apart
from ts.runner.archives.archive import Archive
from ts.runner.errors import ArchiveError
from ts.runner.exporting.recording import Call
from ts.runner.exporting.repacking import Contents
from ts.runner.exporting.settings import without

OTHER_ENGINES = ("memory_format", "frozen")  # settings of torch's
# What of OpenVINO's operators has networks of its own, and how these are asked for.
BODIES = {
    "If": ("get_then_body", "get_else_body"),
    "Loop": ("get_function",),
    "TensorIterator": ("get_function",),
}
LONGEST = 400  # letters of OpenVINO's reason, whose end says most


def write_conversion(network: Any, call: Call, folder: Path) -> None:
    """Converts a model for the calls of a form, and writes it as an archive holds it.

    Raises:
        ArchiveError: OpenVINO is missing, or cannot convert it.
    """
    signature, tensors = taken_apart(call.inputs, call.named_inputs)
    if depends_on_what_it_finds(network):
        raise ArchiveError(
            "of a detector OpenVINO computes the parts that do not depend on what is found, and no archive holds"
            " those: set handler: {engine: openvino} in its model-config.yaml, and the worker converts them once"
        )
    if signature is None or signature.has_lists:
        raise ArchiveError(
            "the handler calls its model with other things than tensors: it cannot be converted"
        )
    try:
        model = convert(network, signature, tensors)
    except (ImportError, CannotConvertError) as error:
        raise ArchiveError(str(error)) from error
    (folder / MODEL).parent.mkdir()
    save(model, folder / MODEL)
    (folder / FACTS).write_text(json.dumps({"signature": signature.name}), encoding="utf-8")


def save(model: Any, path: Path) -> None:
    """Writes an `openvino.Model`, with its weights beside it; the same model gives the same bytes.

    Raises:
        ArchiveError: it cannot be written: the disk is full.
    """
    name_by_place(model)
    try:
        import_openvino().save_model(model, path, compress_to_fp16=False)
    except RuntimeError as error:
        raise ArchiveError(f"{path} cannot be written: {str(error)[-LONGEST:].strip()}") from error


def name_by_place(model: Any) -> None:
    """Names all parts by their places, since OpenVINO numbers them by all that this process has made before."""
    model.set_friendly_name("model")
    for place, operation in enumerate(operations(model)):
        operation.set_friendly_name(f"{operation.get_type_name()}_{place}")


def operations(model: Any) -> Iterator[Any]:
    """Those of an `openvino.Model` and of its loops and branches, each after those it takes from."""
    for operation in model.get_ordered_ops():
        yield operation
        for body in BODIES.get(operation.get_type_name(), ()):
            yield from operations(getattr(operation, body)())


def with_conversion(archive: Archive, folder: Path, *, precision: Optional[str] = None) -> Contents:
    """What the new archive is packed of: all of the old one, the conversion, and `engine: openvino`.

    Args:
        archive: the old one.
        folder: where the conversion was written, and a new model-config.yaml is.
        precision: of the conversion, where it is another than the archive's settings name.
    """
    was_int8 = (archive.config.get("handler") or {}).get("precision") == INT8
    dropped = ("precision",) if precision or was_int8 else ()
    config, left_out = without(archive.config, (*OTHER_ENGINES, *dropped))
    if was_int8 and precision == INT8:
        left_out.remove("handler.precision")
    found = {"engine": "openvino", **({"precision": precision} if precision else {})}
    config["handler"] = {**(config.get("handler") or {}), **found}
    named = dict(archive.model)
    name = named.setdefault("configFile", "model-config.yaml")
    path = folder / Path(name).name
    path.write_text(yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8")
    files = {item.as_posix(): archive.root / item for item in archive.files() if item.parts[0] != FOLDER}
    files.pop(MANIFEST_PATH, None)
    files.update({name: path, **{item: folder / item for item in (MODEL, WEIGHTS, FACTS)}})
    manifest = {**archive.manifest, "createdOn": creation_time(), "model": named}
    return Contents(files, manifest, left_out)
