"""An archive's files against the sha256 digests in its manifest, in one pass that unpacks nothing."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Optional, Union

from model_archiver.inputs.tree import JUNK
from model_archiver.writing.integrity import CHUNK

from ts.runner.archives.archive import MANIFEST, inside, parse_manifest, without_manifest
from ts.runner.archives.extract import members
from ts.runner.archives.member import Content, DamagedError, Member
from ts.runner.errors import ArchiveError
from ts.runner.fetching.local_copy import local_copy
from ts.utils.documents import LARGEST_JSON

DIFFERS = "differs from the manifest's sha256"
MISSING = "is missing"
DAMAGED = "cannot be read"
UNLISTED = "is not in the manifest"


@dataclass(frozen=True)
class Verification:
    """What was found.

    Attributes:
        compared: The number of digests in the manifest, which has one for each file but itself; 0 from archivers
            that write none.
        problems: What is wrong with each file that is not as it was packed, by its name in the archive.
    """

    compared: int
    problems: dict[str, str]

    @property
    def verified(self) -> bool:
        """Whether there are digests, and every file is the one that they stand for."""
        return self.compared > 0 and not self.problems


@dataclass
class Contents:
    """What one pass over an archive finds.

    Attributes:
        digests: Each file's sha256 by its name; None where it cannot be read.
        manifests: The bytes of the files that may be the manifest, by their names; of a larger one than is read, a
            byte more than that.
        broken: Why the pass ended before the archive's end, if it did.
    """

    digests: dict[str, Optional[str]] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    broken: Optional[str] = None

    @property
    def root(self) -> str:
        """What the names have in front of those in the manifest: "" or, as in a .tar.gz, "FOLDER/"."""
        tops = {name.partition("/")[0] for name in self.digests}
        folder = f"{tops.pop()}/" if len(tops) == 1 else ""
        return folder if folder + MANIFEST.as_posix() in self.digests else ""


def verify_archive(path: Union[str, Path], *, max_size: Optional[int] = None) -> Verification:
    """Compares every file of an archive with the manifest; none of its code runs.

    What interpreters and file managers leave in folders (`__pycache__`, `.DS_Store`) is passed over.

    Args:
        path: What `open_archive` opens.
        max_size: The bytes that a zip or tar may unpack to; by default 50 times its size, and 256 MiB at least.

    Raises:
        ArchiveError: It is no archive, holds too much, or is damaged in a place that is no file's of the manifest.
    """
    with local_copy(path, max_size=max_size) as copy, copy.named():
        contents = read_contents(copy.path, max_size)
        stated = stated_digests(copy.path, contents)
        problems = compare(stated, contents) if stated else {}
        if contents.broken and not problems:
            raise ArchiveError(f"{copy.path} cannot be read to its end: {contents.broken}")
        return Verification(len(stated), problems)


def read_contents(source: Path, max_size: Optional[int] = None) -> Contents:
    """Reads every file once, in the order in which they lie."""
    contents = Contents()
    try:
        for member in folder_members(source) if source.is_dir() else members(source, max_size):
            if not member.is_folder:
                read_member(member, contents)
    except DamagedError as error:
        contents.broken = error.reason
    return contents


def folder_members(folder: Path) -> Iterator[Member]:
    """The files of a folder; a link that leads out of it has no content."""
    root = folder.resolve()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        found = inside(root, name)
        if found is not None:
            content = Content(folder, name.as_posix(), partial(io.FileIO, found), found.stat().st_size)
            yield Member(PurePosixPath(name), False, content)
        elif not path.is_dir():
            yield Member(PurePosixPath(name), False, None)


def read_member(member: Member, contents: Contents) -> None:
    name = str(member.path)
    contents.digests[name] = contents.digests.get(str(member.link))
    if member.content is None:
        return
    try:
        with member.content as stream:
            start = stream.read(LARGEST_JSON + 1) if may_be_manifest(member.path, contents) else b""
            digest = hashlib.sha256(start)
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
        contents.digests[name] = digest.hexdigest()
        if start:
            contents.manifests[name] = start
    except DamagedError:
        pass  # it stays without a digest


def may_be_manifest(path: PurePosixPath, contents: Contents) -> bool:
    """Whether it is the manifest's name, below nothing or the folder in which the archive begins."""
    top = next(iter(contents.digests)).partition("/")[0]
    return path in (PurePosixPath(MANIFEST), top / PurePosixPath(MANIFEST))


def stated_digests(source: Path, contents: Contents) -> dict[str, Any]:
    """The manifest's digests; empty where it has none."""
    name = contents.root + MANIFEST.as_posix()
    if name not in contents.manifests:
        if name in contents.digests or contents.broken:
            reason = contents.broken or "it is damaged"
            raise ArchiveError(f"the manifest of {source} cannot be read: {reason}")
        raise without_manifest(source)
    stated = parse_manifest(source, contents.manifests[name]).get("sha256", {})
    if not isinstance(stated, dict):
        raise ArchiveError(f"{source}: the manifest's sha256 is not a mapping of names to digests")
    return stated


def compare(stated: dict[str, Any], contents: Contents) -> dict[str, str]:
    """What is wrong, by file: those of the manifest in its order, then those that it does not have."""
    found = {name[len(contents.root) :]: digest for name, digest in contents.digests.items()}
    problems = {}
    for name, digest in stated.items():
        if name not in found:
            problems[name] = DAMAGED if contents.broken else MISSING
        elif found[name] != digest:
            problems[name] = DIFFERS if found[name] else DAMAGED
    for name in sorted(found.keys() - stated.keys() - {MANIFEST.as_posix()}):
        if not JUNK.intersection(name.split("/")):
            problems[name] = UNLISTED
    return problems
