"""Converted models, kept in a folder of the user's, so that a worker's next start need not convert.

    <folder>/<key>/model.xml, model.bin
    <folder>/<key>/compared.json        what its answers were compared for
    <folder>/<key>/compiled/            OpenVINO's notes of how it compiles the model
    <folder>/<key>.lock                 while one process converts; it ends with that process

A model gets its place by one rename, when all of it is written. The folder keeps those that were used last.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Optional

from ts.handler_utils.models.openvino.library import import_openvino
from ts.utils.cache_folder import cache_folder
from ts.utils.locks import locked

KEPT = 16  # models
MODEL, VERDICT, COMPILED = "model.xml", "compared.json", "compiled"

_FORMAT = 2  # another number, and what is kept is made anew

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
    """The path of a converted model, if it is kept."""
    path = folder() / key / MODEL
    if not path.is_file():
        return None
    with suppress(OSError):  # on a medium that is only read
        os.utime(path.parent)
    return path


@contextmanager
def alone(key: str) -> Iterator[None]:
    """Lets one process at a time convert a model, while others wait; where nothing can be written, all may."""
    path = folder() / f"{key}.lock"
    with ExitStack() as stack:
        with suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
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
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=place))
    except OSError as error:
        logger.info("The model is converted anew at each start, since %s cannot be written: %s", place, error)
        return None
    try:
        import_openvino().save_model(model, part / MODEL, compress_to_fp16=False)
        forget(key)
        part.rename(place / key)
    except (OSError, RuntimeError) as error:  # the disk is full; or another worker was faster
        if not (place / key).is_dir():
            logger.info("The converted model cannot be kept in %s: %s", place, error)
        shutil.rmtree(part, ignore_errors=True)
    folders = [path for path in place.iterdir() if path.is_dir()]
    _delete(sorted(folders, key=_last_use, reverse=True)[KEPT:])
    return kept(key)


def compared(key: str) -> dict[str, Any]:
    """What was noted of a model's comparison; nothing where there is no such note."""
    with suppress(OSError, ValueError):
        found = json.loads((folder() / key / VERDICT).read_bytes())
        return found if isinstance(found, dict) else {}
    return {}


def note(key: str, facts: dict[str, Any]) -> None:
    """Notes how a kept model was compared, if it can be written."""
    path = folder() / key / VERDICT
    part = path.with_suffix(f".{os.getpid()}")
    try:
        part.write_text(json.dumps(facts), encoding="utf-8")
        part.replace(path)
    except OSError:  # then it is compared at the next start, too
        with suppress(OSError):
            part.unlink()


def forget(key: str) -> None:
    """Deletes a converted model, where there is one."""
    shutil.rmtree(folder() / key, ignore_errors=True)


def _last_use(path: Path) -> float:
    with suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def _delete(paths: Iterable[Path]) -> None:
    for path in paths:
        shutil.rmtree(path, ignore_errors=True)
