"""The files that were fetched, by their sha256, in a folder that this user's processes share and that has a limit.

    <folder>/files/<sha256>/<name>     a whole file, locked by those who use it
    <folder>/urls/<sha256 of a URL>    what was fetched from there last; locked by the one that fetches
    <folder>/parts/<any>               what is being fetched, locked by the one that does; others are left over

A file gets its place by one rename, when all of it is there and its digest is known.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from model_archiver.writing.integrity import sha256

from ts.runner.errors import ArchiveError
from ts.runner.sizes import read_size
from ts.utils.cache_folder import cache_folder
from ts.utils.locks import locked

SIZE = "TORCHSERVE_HANDLERS_CACHE_SIZE"
DEFAULT_SIZE = "20G"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cache:
    """A folder of fetched files.

    Attributes:
        folder: Where it is.
        size: The bytes that its files may have together; those in use are kept, however many.
    """

    folder: Path
    size: int

    def place(self, digest: str) -> Optional[Path]:
        """Where the file of this digest lies, if it is there."""
        with suppress(OSError):
            return next((self.folder / "files" / digest).iterdir(), None)
        return None

    @contextmanager
    def kept(self, digest: str, *, checked: bool = False) -> Iterator[Optional[Path]]:
        """Keeps a file in its place, for the time of a `with` block.

        Args:
            digest: The file's.
            checked: Whether its content is known to have that digest; else it is read, and deleted if it has not.

        Yields:
            Its path; None where it is not there, or no more what it was.
        """
        path = self.place(digest)
        if path is None:
            yield None
            return
        with locked(path, shared=True) as is_there:
            if is_there and not checked and digest_of(path) != digest:
                logger.warning("%s is damaged, and is fetched again", path)
                path.unlink(missing_ok=True)
                is_there = False
            if is_there:
                with suppress(OSError):  # another user's, or on a medium that is only read
                    os.utime(path)  # the time of its last use
            yield path if is_there else None

    @contextmanager
    def part(self) -> Iterator[Path]:
        """An empty file to fetch into, deleted after the `with` block unless `keep` has taken it."""
        parts = self._made("parts")
        delete_left(parts)
        descriptor, name = tempfile.mkstemp(dir=parts)
        os.close(descriptor)
        path = Path(name)
        with locked(path, create=True):  # again, if another took it for left over before it was locked
            try:
                yield path
            finally:
                path.unlink(missing_ok=True)

    def keep(self, part: Path, digest: str, name: str) -> None:
        """Gives a part, whole and of this digest, its place."""
        for _ in range(3):  # another process may delete the folder, empty as it still is
            with suppress(FileNotFoundError):
                if self.place(digest) is None:
                    os.replace(part, self._made("files", digest) / name)
                return

    @contextmanager
    def record(self, url: str) -> Iterator[Record]:
        """What was last fetched from a URL; others who ask for it wait until the `with` block ends."""
        path = self._made("urls") / hashlib.sha256(url.encode()).hexdigest()
        with locked(path, create=True):
            yield Record(path)

    def make_room(self, size: int) -> None:
        """Deletes the files used longest ago, until there is room for so many bytes; those in use stay.

        Deletes what was known of URLs whose files are gone, too.
        """
        found = sorted(self._files(), key=lambda file: file[1].st_mtime_ns)
        total = size + sum(state.st_size for _, state in found)
        for path, state in found:
            if total <= self.size:
                break
            with suppress(OSError), locked(path, wait=False) as is_mine:
                if is_mine:
                    path.unlink()
                    path.parent.rmdir()
                    total -= state.st_size
        self._forget_urls()

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        for path in self._made("files").glob("*/*"):
            with suppress(OSError):  # another has deleted it
                yield path, path.stat()

    def _forget_urls(self) -> None:
        for path in self._made("urls").iterdir():
            with suppress(OSError), locked(path, wait=False) as is_mine:
                if is_mine and self.place(Record(path).digest or "-") is None:
                    path.unlink()

    def _made(self, *names: str) -> Path:
        """A folder, below those of this cache, into which only this user sees."""
        path = self.folder
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in names:
            path /= name
            path.mkdir(mode=0o700, exist_ok=True)
        return path


class Record:
    """What was last fetched from a URL.

    Attributes:
        version: What the server called the file's version; None where it does not say.
        digest: The file's sha256; None where nothing was fetched.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            found = json.loads(path.read_bytes())
            self.version: Optional[str] = found["version"]
            self.digest: Optional[str] = found["sha256"]
        except (OSError, ValueError, KeyError, TypeError):  # new, or its process was killed while it wrote
            self.version = self.digest = None

    def write(self, version: Optional[str], digest: str) -> None:
        # In its place: a file that is renamed over it would not be the one that others wait for.
        self._path.write_text(json.dumps({"version": version, "sha256": digest}), encoding="utf-8")


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return sha256(file)


@contextmanager
def in_use(path: Path) -> Iterator[None]:
    """Keeps a file in its place for the time of a `with` block, if it lies in the cache.

    Raises:
        ArchiveError: It is gone.
    """
    if users_cache().folder.resolve() not in path.parents:
        yield
        return
    with locked(path, shared=True) as is_there:
        if not is_there:
            raise ArchiveError(f"{path} does not exist any more")
        yield


def delete_left(parts: Path) -> None:
    """Deletes what no process fetches any more."""
    for path in parts.iterdir():
        with suppress(OSError), locked(path, wait=False) as is_mine:
            if is_mine:
                path.unlink()


def users_cache() -> Cache:
    """The cache that the environment names, or the one in this user's cache folder.

    Raises:
        ArchiveError: Its size is none.
    """
    try:
        size = read_size(os.environ.get(SIZE) or DEFAULT_SIZE)
    except ValueError as error:
        raise ArchiveError(f"{SIZE}: {error}") from None
    return Cache(cache_folder() / "archives", size)
