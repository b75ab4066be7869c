"""A file behind a URL, by way of fsspec, which knows what each scheme needs.

Its settings come from the environment and from files, see the docs of `fsspec.config`: FSSPEC_S3_ENDPOINT_URL, for
example, names an S3 that is not Amazon's.
"""

from __future__ import annotations

import errno
import logging
import time
from pathlib import Path
from typing import Any, Callable, Optional, TypeVar

from fsspec.callbacks import Callback
from fsspec.core import url_to_fs
from fsspec.registry import get_filesystem_class

from ts.runner.errors import ArchiveError
from ts.runner.fetching.faults import causes, fault_of
from ts.runner.fetching.reference import Reference, scheme_of
from ts.runner.fetching.session import session_maker

T = TypeVar("T")
PACKAGES = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "hf": "huggingface_hub",
    "http": "aiohttp",
    "https": "aiohttp",
    "abfs": "adlfs",
    "az": "adlfs",
    "sftp": "paramiko",
    "ssh": "paramiko",
}
HTTP = {"http", "https"}
SAYS_NOTHING = ("name", "size", "type", "url", "mimetype", "partial")  # of a file's version
NO_ROOM = (errno.ENOSPC, errno.EFBIG, errno.EROFS, getattr(errno, "EDQUOT", errno.ENOSPC))
TRIES = 3  # of http and https; what is below the other schemes tries again by itself
PAUSE_SECONDS = 1.0  # before the second try; twice that before the third

logger = logging.getLogger(__name__)


class FetchError(ArchiveError):
    """A file cannot be fetched.

    Attributes:
        is_outage: Whether the server gave no answer, so that it may well give one later.
    """

    def __init__(self, message: str, is_outage: bool) -> None:
        super().__init__(message)
        self.is_outage = is_outage


class Remote:
    """A file behind a URL.

    Attributes:
        size: Its bytes; None where the server does not say.
        version: What changes when its content does; None where the server does not say.
    """

    def __init__(self, reference: Reference) -> None:
        """Asks the server for the file's size and version.

        Raises:
            ArchiveError: The URL's scheme is unknown, or a package is missing for it.
            FetchError: There is no such file, or no way to it.
        """
        self._reference = reference
        check_schemes(reference)
        info = self._tried(self._ask)
        if info.get("type") == "directory":
            raise ArchiveError(f"{reference} is a folder: only files (.mar, .tar.gz) are fetched")
        self.size: Optional[int] = info.get("size")
        self.version = version_of(info)

    def fetch(self, part: Path, most: int, way_out: str) -> None:
        """Writes the file's bytes into `part`.

        Args:
            part: An existing file, written anew.
            most: The bytes that it may have.
            way_out: What to do where it has more, for the message.

        Raises:
            ArchiveError: It has more, or there is no room for it.
            FetchError: It cannot be fetched, or broke off.
        """
        bound = Bound(str(self._reference), most, way_out)
        bound.check(self.size or 0)
        self._tried(lambda: self._fetch(part, bound))

    def _ask(self) -> dict[str, Any]:
        self._fs, self._path = url_to_fs(self._reference.place, **settings_of(self._reference))
        return self._fs.info(self._path)

    def _fetch(self, part: Path, bound: Bound) -> None:
        bound.value = 0
        self._fs.get_file(self._path, str(part), callback=bound)
        found = part.stat().st_size
        bound.check(found)
        if self.size is not None and found != self.size:
            raise ConnectionError(f"{found} of {self.size} bytes came")

    def _tried(self, action: Callable[[], T]) -> T:
        """What an action gives; it is tried again where the server does not answer."""
        tries = TRIES if HTTP.intersection(map(scheme_of, self._reference.links)) else 1
        for pause in (*(PAUSE_SECONDS * 2**number for number in range(tries - 1)), None):
            try:
                return action()
            except ArchiveError:
                raise
            except Exception as error:
                failure = self._failure(error)
            # Without what it was raised from, whose text may hold credentials.
            if pause is None or not (isinstance(failure, FetchError) and failure.is_outage):
                raise failure
            logger.info("%s; trying again", failure)
            time.sleep(pause)
        raise AssertionError

    def _failure(self, error: Exception) -> ArchiveError:
        for cause in causes(error):
            if isinstance(cause, ArchiveError):
                return ArchiveError(str(cause))
            if isinstance(cause, OSError) and cause.errno in NO_ROOM:
                raise OSError(cause.errno, cause.strerror) from None  # the cache's own trouble
        fault = fault_of(error)
        return FetchError(f"{self._reference} cannot be fetched: {fault.reason}", fault.is_outage)


class Bound(Callback):
    """Counts the bytes that come, and ends the fetching where they are too many."""

    def __init__(self, name: str, most: int, way_out: str) -> None:
        super().__init__()
        self._name = name
        self._most = most
        self._way_out = way_out

    def check(self, size: int) -> None:
        if size > self._most:
            raise ArchiveError(
                f"{self._name} has {size} bytes or more, and at most {self._most} are fetched: {self._way_out}"
            )

    def relative_update(self, inc: int = 1) -> None:
        super().relative_update(inc)
        self.check(self.value)

    def absolute_update(self, value: int) -> None:
        super().absolute_update(value)
        self.check(self.value)


def check_schemes(reference: Reference) -> None:
    """Finds what fsspec needs for a URL.

    Raises:
        ArchiveError: It knows no such scheme, or a package is missing.
    """
    for scheme in filter(None, map(scheme_of, reference.links)):
        try:
            get_filesystem_class(scheme)
        except ValueError:
            raise ArchiveError(f"{reference} cannot be fetched: fsspec knows no {scheme}://") from None
        except ImportError as error:
            reason = error.__cause__ or error
            package = PACKAGES.get(scheme)
            way_out = f"pip install {package}" if package else str(error)
            raise ArchiveError(f"{scheme}:// needs a package more: {way_out} ({reason})") from error


def settings_of(reference: Reference) -> dict[str, dict[str, Any]]:
    """What fsspec's file systems are made with, by scheme; all else they have from the environment."""
    found: dict[str, dict[str, Any]] = {}
    for scheme in filter(None, map(scheme_of, reference.links)):
        found[scheme] = {"skip_instance_cache": True}  # a file system that is kept keeps sizes and versions
        if scheme in HTTP:
            found[scheme]["get_client"] = session_maker(may_leave_tls=reference.digest is not None)
    return found


def version_of(info: dict[str, Any]) -> Optional[str]:
    """What a server says of a file that changes when its content does."""
    facts = {key: value for key, value in sorted(info.items()) if key not in SAYS_NOTHING}
    tag = info.get("ETag") or info.get("etag")
    if tag:
        facts = {"ETag": tag}
    return f"{info.get('size')} {facts}" if facts else None
