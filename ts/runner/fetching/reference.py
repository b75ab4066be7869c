"""What an archive is named by: a path or a URL, and after `@sha256:` the digest that pins its content."""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Optional, Union
from urllib.parse import SplitResult, unquote, urlsplit

from ts.runner.errors import ArchiveError
from ts.utils.documents import shown

PIN = "@sha256:"
DIGEST = re.compile(r"[0-9a-f]{64}")
URL = re.compile(
    r"([A-Za-z][A-Za-z0-9+.-]*)(?:://|::)"
)  # with `::`, fsspec's chains: zip://tiny.mar::https://...
URL_IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>]+")
OPEN_SCHEMES = ("http", "ftp")  # whoever is on the way can put another file in the place of the one asked for
CONTAINER_SCHEMES = (
    "abfs",
    "abfss",
    "az",
    "wasb",
    "wasbs",
)  # Azure: CONTAINER@ACCOUNT, which is no user's name
LONGEST_NAME = 100  # characters


@dataclass(frozen=True)
class Reference:
    """A path or URL, and the digest that its content must have.

    Attributes:
        place: The path or URL, which may hold credentials.
        digest: The sha256 in lower case hex; None where there is no pin.
    """

    place: str
    digest: Optional[str]

    def __str__(self) -> str:
        """As messages show it: without credentials."""
        return without_credentials(self.place) if self.is_url else self.place

    @property
    def is_url(self) -> bool:
        return URL.match(self.place) is not None

    @property
    def links(self) -> list[str]:
        """The URL, or those of a chain."""
        return self.place.split("::")

    @property
    def file_name(self) -> str:
        """The name that the URL ends in, as far as it may be a file's."""
        path = re.split("[?#]", self.links[0].partition("://")[2])[0].partition("/")[2].rstrip("/")
        name = re.sub(r"[^A-Za-z0-9._-]+", "_", unquote(path).rpartition("/")[2])
        return name[-LONGEST_NAME:].lstrip(".") or "archive"

    def pinned(self, digest: str) -> str:
        """The reference to this very content, as it is written; it holds credentials if the URL does."""
        return f"{self.place}{PIN}{digest}"


def read_reference(text: Union[str, os.PathLike[str]]) -> Reference:
    """Takes a path or URL apart.

    Raises:
        ArchiveError: The pin is no sha256.
    """
    place, pin, digest = os.fspath(text).rpartition(PIN)
    if not pin:
        return Reference(os.fspath(text), None)
    if not DIGEST.fullmatch(digest.lower()):
        raise ArchiveError(f"a pin is {PIN} and 64 digits of hex, not {shown(PIN + digest)}")
    return Reference(place, digest.lower())


def is_lost_url(path: Union[str, os.PathLike[str]]) -> bool:
    """Whether a URL was made a Path, which makes one slash of its two."""
    return isinstance(path, PurePath) and re.match(r"[A-Za-z][A-Za-z0-9+.-]+:[/\\]", str(path)) is not None


def without_credentials(url: str) -> str:
    """A URL without its user, password, query and fragment, some of which may be secrets; a chain link by link."""
    return "::".join(_shown_link(link) for link in url.split("::"))


def _shown_link(link: str) -> str:
    scheme = scheme_of(link)
    if "://" not in link:
        return re.split("[?#]", link)[0].rpartition("@")[2]
    parts = split(link)
    # A password with a slash in it ends the host too early: then it is not known what is the path.
    if parts is None or ("@" in parts.path and ":" in parts.netloc):
        return f"{scheme}://..."
    user, _, host = parts.netloc.rpartition("@")
    is_container = scheme.lower() in CONTAINER_SCHEMES and ":" not in user
    return f"{scheme}://{parts.netloc if is_container else host}{parts.path}{'?...' if parts.query else ''}"


def split(url: str) -> Optional[SplitResult]:
    """The parts of a URL; None where its host or port can be none."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def cleaned(text: str) -> str:
    """A text of another library's, with all URLs in it as messages show them."""
    return URL_IN_TEXT.sub(lambda found: without_credentials(found[0]), text)


def scheme_of(link: str) -> str:
    """The scheme of a URL, or of a link of a chain; "" where it has none."""
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)(?:://|$)", link)
    return found[1] if found else ""


def is_open(url: str) -> bool:
    """Whether what it names comes over the network as anybody on the way likes it."""
    parts = split(url)
    is_here = parts is not None and is_loopback(parts.hostname)
    return scheme_of(url).lower() in OPEN_SCHEMES and not is_here


def is_loopback(host: Optional[str]) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
