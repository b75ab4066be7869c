"""A model archive on disk: its files, its manifest, and its settings.

The format is torch-model-archiver's: a zip (`.mar`), a tar (`.tar.gz`, its members below one folder that is
named as the model), or a plain folder; `MAR-INF/MANIFEST.json` says what the files are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Optional, Union

from ts.handler_utils.models.huggingface.heads import CONFIG, handler_of, is_model_folder, read_object
from ts.runner.archives.extract import extract
from ts.runner.archives.limits import LONGEST_NAME
from ts.runner.archives.sharing import unpacked
from ts.runner.errors import ArchiveError
from ts.runner.fetching.local_copy import local_copy
from ts.runner.fetching.reference import read_reference
from ts.utils.documents import LARGEST_JSON, LARGEST_YAML, DocumentError, read_json, read_yaml, shown

MANIFEST = Path("MAR-INF") / "MANIFEST.json"
REQUIRED_KEYS = ("modelName", "handler", "modelVersion")
FILE_KEYS = ("serializedFile", "modelFile", "configFile", "requirementsFile")


@dataclass(frozen=True)
class Archive:
    """An archive that is unpacked and checked.

    Attributes:
        source: The path that was opened; of a URL, that of its file in the cache.
        root: The folder with its files.
        manifest: MANIFEST.json as it is.
        config: The settings of the manifest's `configFile`; empty without one.
        origin: What was asked for, as messages show it: the path, or the URL without credentials.
        pinned: What opens the same content in another process: the path, or the URL with its digest as a pin, and
            with credentials if it has any.
    """

    source: Path
    root: Path
    manifest: dict[str, Any]
    config: dict[str, Any]
    origin: str = ""
    pinned: str = ""

    @property
    def model(self) -> dict[str, Any]:
        """The manifest's section `model`."""
        return self.manifest["model"]

    @property
    def name(self) -> str:
        return self.model["modelName"]

    @property
    def handler(self) -> str:
        return self.model["handler"]

    @property
    def is_saved_model(self) -> bool:
        """Whether it is no archive, but a saved model folder of transformers, of which nothing is code."""
        return inside(self.root, MANIFEST) is None

    def open(self, name: str) -> BinaryIO:
        """Opens one of its files for reading.

        Raises:
            FileNotFoundError: There is no such file in the archive.
        """
        path = inside(self.root, name)
        if path is None:
            raise FileNotFoundError(name)
        return path.open("rb")

    def files(self) -> list[Path]:
        """Every file, relative to `root`, sorted; in a folder, links that lead out of it are none of its files."""
        found = (path.relative_to(self.root) for path in self.root.rglob("*"))
        return sorted(path for path in found if inside(self.root, path) is not None)


def inside(root: Path, name: Union[str, Path]) -> Optional[Path]:
    """The path of a plain file of the folder `root`, with all links followed; None where there is no such file."""
    try:
        path = Path(os.path.realpath(root / name))
        return path if root in path.parents and path.is_file() else None
    except (OSError, ValueError):  # no file can have such a name
        return None


@contextmanager
def open_archive(
    path: Union[str, Path], *, max_size: Optional[int] = None, shared: bool = False
) -> Iterator[Archive]:
    """Opens an archive without starting its handler.

    A zip or tar is unpacked into a folder that only this user can enter. It is deleted afterwards, by the next
    process to open an archive if this one is killed. A folder is used where it is, and nothing is written in it.

    Args:
        path: A `.mar` or other zip, a `.tar.gz` or other tar, or a folder; or a URL of such a file, see
            `ts.runner.fetching.local_copy`. `@sha256:DIGEST` after it pins the file's content.
        max_size: The bytes that a zip or tar may unpack to; by default 50 times its size, and 256 MiB at least.
        shared: Whether all processes of this user that have the same content open so use the same folder, as
            TorchServe's workers do; only of a URL, or where there is a pin.

    Raises:
        ArchiveError: With one sentence that says what is wrong with the archive, or why it cannot be fetched.
        FolderError: There is no place to unpack it.
    """
    with local_copy(path, max_size=max_size) as copy:
        if copy.path.is_dir():
            yield replace(read_archive(copy.path, copy.path.resolve(), copy.name), pinned=copy.pinned)
            return

        def fill(folder: Path) -> None:
            with copy.named():
                extract(copy.path, folder, max_size)

        with unpacked(fill, read_reference(copy.pinned).digest if shared else None) as folder:
            with copy.named():
                archive = read_archive(copy.path, inner_root(folder), copy.name)
            yield replace(archive, pinned=copy.pinned)


def inner_root(folder: Path) -> Path:
    """`folder`, or its only subfolder where that one holds the manifest, as in a .tar.gz."""
    entries = list(folder.iterdir())
    if len(entries) == 1 and (entries[0] / MANIFEST).is_file():
        return entries[0]
    return folder


def read_archive(source: Path, root: Path, origin: Optional[str] = None) -> Archive:
    """Checks the files below `root` against their manifest; `origin` is by default the path `source`.

    Raises:
        ArchiveError: The manifest or the settings are missing or wrong, or name a file that is not there.
    """
    manifest = read_manifest(source, root)
    archive = Archive(source, root, manifest, {}, origin or str(source))
    for key in FILE_KEYS:
        if archive.model.get(key):
            check_named_file(archive, key)
    name = archive.model.get("configFile")
    return replace(archive, config=read_config(archive, name)) if name else archive


def read_manifest(source: Path, root: Path) -> dict[str, Any]:
    path = inside(root, MANIFEST)
    if path is None:
        return manifest_of_saved_model(source, root)
    return parse_manifest(source, read_start(path, LARGEST_JSON))


def manifest_of_saved_model(source: Path, root: Path) -> dict[str, Any]:
    """The manifest of a folder that is no archive, but a saved model of transformers.

    Raises:
        ArchiveError: it is none, or one that no default handler answers with.
    """
    if inside(root, CONFIG) is None or not is_model_folder(root):
        raise without_manifest(source)
    try:
        handler = handler_of(read_object(root / CONFIG))
    except ValueError as error:
        raise ArchiveError(f"{source} is no model archive, and cannot be served as one: {error}") from error
    model = {"modelName": root.name, "modelVersion": "1.0", "handler": handler}
    return {"model": model, "archiverVersion": "", "runtime": "python"}


def read_start(path: Path, largest: int) -> bytes:
    """A file's bytes; of one that is larger than `largest`, a byte more than that.

    Raises:
        ArchiveError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(largest + 1)
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read: {error.strerror}") from error


def without_manifest(source: Path) -> ArchiveError:
    return ArchiveError(f"{source} is no model archive: it has no {MANIFEST.as_posix()}")


def parse_manifest(source: Path, content: bytes) -> dict[str, Any]:
    """Checks the bytes of a manifest.

    Raises:
        ArchiveError: It is not JSON, lacks what an archive cannot do without, or has something else in its place.
    """
    try:
        manifest = read_json(content)
    except DocumentError as error:
        raise ArchiveError(f"{MANIFEST.as_posix()} in {source} {error}") from error
    model = manifest.get("model") if isinstance(manifest, dict) else None
    if not isinstance(model, dict):
        raise ArchiveError(f'{MANIFEST.as_posix()} in {source} has no section "model"')
    missing = [key for key in REQUIRED_KEYS if not isinstance(model.get(key), str) or not model[key]]
    if missing:
        raise ArchiveError(
            f"{MANIFEST.as_posix()} in {source} lacks {', '.join(missing)} in its section model"
        )
    for key in (*REQUIRED_KEYS, *FILE_KEYS):
        value = model.get(key, "")
        if value is not None and not (
            isinstance(value, str) and len(value) <= LONGEST_NAME and value.isprintable()
        ):
            raise ArchiveError(
                f"{MANIFEST.as_posix()} in {source} has {shown(value)} as {key}, where a name is due"
            )
    return manifest


def check_named_file(archive: Archive, key: str) -> None:
    name = archive.model[key]
    if inside(archive.root, name) is None:
        raise ArchiveError(
            f"the manifest of {archive.source} names {shown(name)} as its {key}, but the archive has no such file"
        )


def read_config(archive: Archive, name: str) -> dict[str, Any]:
    try:
        config = read_yaml(read_start(archive.root / name, LARGEST_YAML))
    except DocumentError as error:
        raise ArchiveError(f"{Path(name).name} in {archive.source} {error}") from error
    if not isinstance(config, dict):
        found = "nothing" if config is None else f"a {type(config).__name__}"
        raise ArchiveError(
            f"{Path(name).name} in {archive.source} must hold settings as `key: value`, but holds {found}"
        )
    return config
