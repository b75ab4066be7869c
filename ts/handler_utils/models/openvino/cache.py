"""Converted models, kept in a folder of the user's, so that a worker's next start need not convert.

    <folder>/<key>/model.xml, model.bin
    <folder>/<key>/compared.json        the sha256 of these files, and what its answers were compared for
    <folder>/<key>/compiled/            OpenVINO's notes of how it compiles the model
    <folder>/<key>.lock                 while one process converts; it ends with that process

A model gets its place by one rename, when all of it is written. The folder keeps those that were used last.
Of a model that lies in its archive only the notes are here. What is no more what it was is made anew: OpenVINO
computes other numbers by notes in which one bit has changed, and some keep it busy for ever.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Optional

from ts.handler_utils.models.openvino.library import import_openvino
from ts.handler_utils.models.openvino.packed import digests
from ts.utils.cache_folder import cache_folder, own_folder
from ts.utils.locks import locked

KEPT = 16  # models
MODEL, WEIGHTS, VERDICT, COMPILED = "model.xml", "model.bin", "compared.json", "compiled"

_PART = ".part"  # at the end of the name of what is not yet whole
_OURS = re.compile(r"[0-9a-f]{64}(-packed)?(\..*)?")  # the names of what may be deleted

_FORMAT = 4  # another number, and what is kept is made anew

# The packages of which a network may be made, beside the archive's files.
_LIBRARIES = ("openvino", "torch", "torchvision", "timm", "transformers", "onnxruntime")

logger = logging.getLogger(__name__)


def folder() -> Path:
    """Where converted models lie."""
    return cache_folder() / "openvino"


def key_of(files: Path, *facts: Any) -> str:
    """What a conversion depends on: the bytes of an archive's files, the libraries, and other facts."""
    digest = hashlib.sha256()
    for fact in (_FORMAT, sys.version_info[:2], *map(_version, _LIBRARIES), *facts):
        digest.update(f"{fact}\0".encode())
    for path in sorted(files.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(f"{path.relative_to(files)}\0{path.stat().st_size}\0".encode())
            with path.open("rb") as file:
                while piece := file.read(1 << 20):
                    digest.update(piece)
    return digest.hexdigest()


def _version(name: str) -> Optional[str]:
    module = sys.modules.get(name)
    return f"{name} {getattr(module, '__version__', '')}" if module else None


def kept(key: str) -> Optional[Path]:
    """The path of a converted model, if it is kept, and is what it was."""
    path = folder() / key / MODEL
    try:
        own_folder(folder())
        if not path.is_file():
            return None
    except OSError:
        return None
    with suppress(OSError):  # it is deleted right now
        if digests(path.parent, (MODEL, WEIGHTS)).items() <= compared(key)["files"].items():
            _touch(path.parent)
            return path
    logger.warning("%s is left aside, and the model converted anew: it is damaged", path)
    forget(key)
    return None


def notes(key: str) -> Optional[Path]:
    """The folder for OpenVINO's notes of how it compiles a model, without any that are not what they were.

    Returns:
        None where there is no such folder, nor can be.
    """
    place = folder() / key
    try:
        own_folder(folder())
        (place / COMPILED).mkdir(mode=0o700, parents=True, exist_ok=True)
        found = _digests_of_notes(place)
        for name in found.items() - compared(key)["files"].items():
            (place / name[0]).unlink(missing_ok=True)
    except OSError:
        return None
    _touch(place)
    return place / COMPILED


def _digests_of_notes(place: Path) -> dict[str, str]:
    return digests(place, [f"{COMPILED}/{path.name}" for path in (place / COMPILED).glob("*")])


def _touch(place: Path) -> None:
    with suppress(OSError):  # on a medium that is only read
        os.utime(place)


@contextmanager
def alone(key: str) -> Iterator[None]:
    """Lets one process at a time convert a model, while others wait; where nothing can be written, all may."""
    path = folder() / f"{key}.lock"
    with ExitStack() as stack:
        with suppress(OSError):
            own_folder(path.parent)
            stack.enter_context(locked(path, create=True))
            stack.callback(path.unlink, missing_ok=True)  # before the lock ends: who waits makes another
        yield


def keep(key: str, model: Any) -> Optional[Path]:
    """Keeps a converted model; where the folder cannot be written, one line in the log says so.

    Returns:
        Its path; None where it is not kept.
    """
    place = folder()
    try:
        own_folder(place)
        for left in place.glob(f"{key}.*{_PART}"):  # by a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        part = Path(tempfile.mkdtemp(_PART, f"{key}.", place))
    except OSError as error:
        logger.info(
            "The model is converted anew at each start, since nothing is kept in %s: %s", place, error
        )
        return None
    try:
        import_openvino().save_model(model, part / MODEL, compress_to_fp16=False)
        (part / VERDICT).write_text(json.dumps({"files": digests(part, (MODEL, WEIGHTS))}), encoding="utf-8")
        forget(key)
        part.rename(place / key)
    except (OSError, RuntimeError) as error:  # the disk is full; or another worker was faster
        if not (place / key).is_dir():
            logger.info("The converted model cannot be kept in %s: %s", place, error)
        shutil.rmtree(part, ignore_errors=True)
    _delete_others()
    return kept(key)


def compared(key: str) -> dict[str, Any]:
    """What was noted of a model: of its files, at least."""
    with suppress(OSError, ValueError):
        found = json.loads((folder() / key / VERDICT).read_bytes())
        if isinstance(found, dict) and isinstance(found.get("files"), dict):
            return found if all(isinstance(item, str) for item in found["files"].values()) else {"files": {}}
    return {"files": {}}


def note(key: str, facts: dict[str, Any]) -> None:
    """Notes how a model was compared, and what OpenVINO noted of it, if it can be written."""
    place, before = folder() / key, compared(key)
    part = place / f"{VERDICT}.{os.getpid()}"
    try:
        files = {name: digest for name, digest in before["files"].items() if name in (MODEL, WEIGHTS)}
        found = {**facts, "files": {**files, **_digests_of_notes(place)}}
        if found == before:
            return
        part.write_text(json.dumps(found), encoding="utf-8")
        part.replace(place / VERDICT)
    except OSError:  # then it is compared at the next start, too
        with suppress(OSError):
            part.unlink()
    _delete_others()


def forget(key: str) -> None:
    """Deletes a converted model, where there is one."""
    shutil.rmtree(folder() / key, ignore_errors=True)


def _delete_others() -> None:
    """Deletes all but the models that were used last."""
    with suppress(OSError):
        places = [path for path in folder().iterdir() if _OURS.fullmatch(path.name) and path.is_dir()]
        for path in sorted(places, key=_last_use, reverse=True)[KEPT:]:
            shutil.rmtree(path, ignore_errors=True)


def _last_use(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0
