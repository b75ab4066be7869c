"""A path for an archive, wherever it is."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Union

from ts.runner.errors import ArchiveError
from ts.runner.fetching.cache import SIZE, Cache, Record, digest_of, users_cache
from ts.runner.fetching.reference import (
    PIN,
    Reference,
    is_lost_url,
    is_open,
    read_reference,
    scheme_of,
)
from ts.utils.cache_folder import VARIABLE

HEADERS = (
    64 << 20
)  # bytes that an archive may have more than its files: names and places of the most that it may hold
TRIES = 3  # another process may take a file out of a cache that is too small for both

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LocalCopy:
    """A file or folder on this machine.

    Attributes:
        path: Where it lies.
        name: What it was asked for by, without credentials.
        pinned: What names this very content to other processes, on other machines too if it is a URL, which may
            hold credentials.
    """

    path: Path
    name: str
    pinned: str

    @contextmanager
    def named(self) -> Iterator[None]:
        """Lets errors speak of what was asked for, where they would name a place in the cache."""
        try:
            yield
        except ArchiveError as error:
            message = str(error)
            if str(self.path) in message and self.name != str(self.path):
                raise ArchiveError(message.replace(str(self.path), self.name)) from error
            raise


@contextmanager
def local_copy(
    archive: Union[str, os.PathLike[str]], *, max_size: Optional[int] = None
) -> Iterator[LocalCopy]:
    """Finds an archive, for the time of a `with` block in which it stays where it is.

    A path is used where it is. A URL's file is fetched into the cache (see `users_cache`) unless it is there: one
    of the digest that a pin asks for, else one of which the server says that it is still the same. Processes that
    want the same one wait for the one that fetches it.

    Args:
        archive: A path, or a URL that fsspec opens; after `@sha256:` the digest that its content must have.
        max_size: The bytes that it may unpack to, if there is such a limit.

    Raises:
        ArchiveError: There is none, it is not the one that was pinned, or it cannot be fetched.
    """
    reference = read_reference(archive)
    if is_lost_url(archive) and not Path(archive).exists():
        raise ArchiveError(f"{archive} does not exist; a URL must be a text, and no Path")
    with ExitStack() as stack:
        if reference.is_url and scheme_of(reference.place) not in ("file", "local"):
            path = fetched(reference, max_size, stack)
            yield LocalCopy(path, str(reference), reference.pinned(path.parent.name))
        else:
            path = found(reference)
            pin = f"{PIN}{reference.digest}" if reference.digest else ""
            yield LocalCopy(path, str(path), f"{path.absolute()}{pin}")


def found(reference: Reference) -> Path:
    """A path that is on this machine already.

    Raises:
        ArchiveError: It is not, or not with the content of the pin.
    """
    place = reference.place
    if reference.is_url:
        from fsspec.implementations.local import LocalFileSystem

        place = LocalFileSystem._strip_protocol(place)
    path = Path(place)
    if not path.exists():
        raise ArchiveError(f"{path} does not exist")
    if reference.digest and path.is_dir():
        raise ArchiveError(f"{path} is a folder, and only a file can be pinned with {PIN}...")
    if reference.digest:
        check_digest(reference, digest_of(path))
    return path


def check_digest(reference: Reference, digest: str) -> None:
    """Compares a content's digest with the pin's.

    Raises:
        ArchiveError: It is another.
    """
    if reference.digest not in (None, digest):
        raise ArchiveError(
            f"{reference} is not the archive that is pinned: its sha256 is {digest}, not {reference.digest}"
        )


def fetched(reference: Reference, max_size: Optional[int], stack: ExitStack) -> Path:
    """The path in the cache of a URL's file, which stays there until `stack` ends."""
    if reference.digest is None and any(map(is_open, reference.links)):
        raise ArchiveError(
            f"{reference} holds code, and comes by a way on which anybody can exchange it: use https://, or pin it"
            f" with {PIN}DIGEST"
        )
    cache = users_cache()
    try:
        for _ in range(TRIES):
            digest, is_new = reference.digest, False
            if digest is None or cache.place(digest) is None:
                digest, is_new = bring(cache, reference, max_size)
            path = stack.enter_context(cache.kept(digest, checked=is_new))
            if path:
                return path
    except OSError as error:
        raise ArchiveError(
            f"the cache {cache.folder} cannot be used: {error.strerror or error} ({VARIABLE} may name another)"
        ) from error
    raise ArchiveError(
        f"{reference} does not stay in the cache {cache.folder} beside what others fetch: raise {SIZE}, which is"
        f" {cache.size} bytes"
    )


def bring(cache: Cache, reference: Reference, max_size: Optional[int]) -> tuple[str, bool]:
    """Sees to it that a URL's file is in the cache; gives its sha256, and whether it was fetched just now."""
    from ts.runner.fetching.remote import FetchError  # fsspec: for URLs only

    with cache.record(reference.place) as record:
        if reference.digest and cache.place(reference.digest):  # another fetched it meanwhile
            return reference.digest, False
        try:
            return bring_newest(cache, reference, max_size, record)
        except FetchError as error:
            if reference.digest or not error.is_outage or not (record.digest and cache.place(record.digest)):
                raise
            logger.warning("%s; what was fetched before is used, sha256 %s", error, record.digest)
            return record.digest, False


def bring_newest(
    cache: Cache, reference: Reference, max_size: Optional[int], record: Record
) -> tuple[str, bool]:
    from ts.runner.fetching.remote import Remote

    remote = Remote(reference)
    is_known = remote.version is not None and remote.version == record.version
    if is_known and not reference.digest and record.digest and cache.place(record.digest):
        return record.digest, False
    logger.info("fetching %s (%s bytes)", reference, "?" if remote.size is None else remote.size)
    cache.make_room(remote.size or 0)
    with cache.part() as part:
        remote.fetch(part, *most_bytes(cache, max_size))
        digest = digest_of(part)
        check_digest(reference, digest)
        cache.make_room(part.stat().st_size)
        cache.keep(part, digest, reference.file_name)
    record.write(remote.version, digest)
    logger.info("fetched %s, which %s%s pins", reference, PIN, digest)
    return digest, True


def most_bytes(cache: Cache, max_size: Optional[int]) -> tuple[int, str]:
    """The bytes that are fetched at most, and what to do where that is too little."""
    if max_size is not None and max_size + HEADERS < cache.size:
        return max_size + HEADERS, "if you trust it, give a larger --max-size or, in Python, max_size"
    return cache.size, f"raise {SIZE}"
