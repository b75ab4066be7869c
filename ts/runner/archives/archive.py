"""A model archive on disk: its files, its manifest, and its settings.

The format is torch-model-archiver's: a zip (`.mar`), a tar (`.tar.gz`, its members below one folder that is
named as the model), or a plain folder; `MAR-INF/MANIFEST.json` says what the files are.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, Union

import yaml

from ts.runner.archives.extract import extract
from ts.runner.errors import ArchiveError

MANIFEST = Path("MAR-INF") / "MANIFEST.json"
REQUIRED_KEYS = ("modelName", "handler", "modelVersion")
FILE_KEYS = ("serializedFile", "modelFile", "configFile", "requirementsFile")


@dataclass(frozen=True)
class Archive:
    """An archive that is unpacked and checked.

    Attributes:
        source: The path that was opened.
        root: The folder with its files.
        manifest: MANIFEST.json as it is.
        config: The settings of the manifest's `configFile`; empty without one.
    """

    source: Path
    root: Path
    manifest: dict[str, Any]
    config: dict[str, Any]

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

    def open(self, name: str) -> BinaryIO:
        """Opens one of its files for reading.

        Raises:
            FileNotFoundError: There is no such file in the archive.
        """
        path = (self.root / name).resolve()
        if self.root not in path.parents or not path.is_file():
            raise FileNotFoundError(name)
        return path.open("rb")

    def files(self) -> list[Path]:
        """Every file, relative to `root`, sorted."""
        return sorted(path.relative_to(self.root) for path in self.root.rglob("*") if path.is_file())


@contextmanager
def open_archive(path: Union[str, Path]) -> Iterator[Archive]:
    """Opens an archive without starting its handler.

    A zip or tar is unpacked into a folder that only this user can enter, which is deleted afterwards (or at the
    latest when the interpreter ends). A folder is used where it is, and nothing is written in it.

    Raises:
        ArchiveError: With one sentence that says what is wrong with the archive.
    """
    source = Path(path)
    if not source.exists():
        raise ArchiveError(f"{source} does not exist")
    if source.is_dir():
        yield read_archive(source, source.resolve())
        return
    with tempfile.TemporaryDirectory(prefix="torch-model-") as folder:
        root = Path(folder).resolve()
        extract(source, root)
        yield read_archive(source, inner_root(root))


def inner_root(folder: Path) -> Path:
    """`folder`, or its only subfolder where that one holds the manifest, as in a .tar.gz."""
    entries = list(folder.iterdir())
    if len(entries) == 1 and (entries[0] / MANIFEST).is_file():
        return entries[0]
    return folder


def read_archive(source: Path, root: Path) -> Archive:
    """Checks the files below `root` against their manifest.

    Raises:
        ArchiveError: The manifest or the settings are missing or wrong, or name a file that is not there.
    """
    manifest = read_manifest(source, root)
    archive = Archive(source, root, manifest, {})
    for key in FILE_KEYS:
        if archive.model.get(key):
            check_named_file(archive, key)
    config_file = archive.model.get("configFile")
    return replace(archive, config=read_config(source, root / config_file)) if config_file else archive


def read_manifest(source: Path, root: Path) -> dict[str, Any]:
    try:
        content = (root / MANIFEST).read_bytes()
    except FileNotFoundError:
        raise without_manifest(source) from None
    return parse_manifest(source, content)


def without_manifest(source: Path) -> ArchiveError:
    return ArchiveError(f"{source} is no model archive: it has no {MANIFEST.as_posix()}")


def parse_manifest(source: Path, content: bytes) -> dict[str, Any]:
    """Checks the bytes of a manifest.

    Raises:
        ArchiveError: It is not JSON, or lacks what an archive cannot do without.
    """
    try:
        manifest = json.loads(content)
    except ValueError as error:
        raise ArchiveError(f"{MANIFEST.as_posix()} in {source} is not JSON: {error}") from error
    model = manifest.get("model") if isinstance(manifest, dict) else None
    if not isinstance(model, dict):
        raise ArchiveError(f'{MANIFEST.as_posix()} in {source} has no section "model"')
    missing = [key for key in REQUIRED_KEYS if not isinstance(model.get(key), str) or not model[key]]
    if missing:
        raise ArchiveError(
            f"{MANIFEST.as_posix()} in {source} lacks {', '.join(missing)} in its section model"
        )
    return manifest


def check_named_file(archive: Archive, key: str) -> None:
    name = str(archive.model[key])
    try:
        archive.open(name).close()
    except OSError:
        raise ArchiveError(
            f"the manifest of {archive.source} names {name!r} as its {key}, but the archive has no such file"
        ) from None


def read_config(source: Path, path: Path) -> dict[str, Any]:
    try:
        config = yaml.safe_load(path.read_bytes())
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise ArchiveError(f"{path.name} in {source} is not YAML: {reason}") from error
    if not isinstance(config, dict):
        found = "nothing" if config is None else f"a {type(config).__name__}"
        raise ArchiveError(f"{path.name} in {source} must hold settings as `key: value`, but holds {found}")
    return config
