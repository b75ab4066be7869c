"""Why a file cannot be fetched, in a sentence, out of what dozens of libraries raise.

Those libraries may not be installed, so what they raise is told by its class's name, its HTTP status, and what it
was raised from. Their texts hold URLs, which may hold credentials: see `cleaned`.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import NamedTuple, Optional

from ts.runner.fetching.reference import cleaned
from ts.utils.documents import one_line

NO_TLS = ("ClientConnectorSSLError", "SSLError")  # aiohttp; requests and botocore
NO_CREDENTIALS = (
    "NoCredentialsError",  # botocore
    "PartialCredentialsError",
    "DefaultCredentialsError",  # google-auth
    "GatedRepoError",  # huggingface_hub
    "LocalTokenNotFoundError",
)
NO_ANSWER = (
    "ClientConnectionError",  # aiohttp, and those of its payload
    "ClientPayloadError",
    "HTTPClientError",  # botocore: no connection, or one that broke off
    "ResponseStreamingError",
    "IncompleteReadError",
    "ConnectionError",  # requests, Python
    "ChunkedEncodingError",
    "TransportError",  # httpx, google-auth
    "TimeoutError",
    "FSTimeoutError",
    "Timeout",
    "gaierror",
)
STATUSES = {
    401: "the server asks for credentials",
    403: "access is denied",
    404: "the server has no such file",
}


class Fault(NamedTuple):
    """What went wrong.

    Attributes:
        reason: The second half of a sentence.
        is_outage: Whether the server gave no answer, so that it may well give one later.
    """

    reason: str
    is_outage: bool = False


def fault_of(error: BaseException) -> Fault:
    """What an exception of fsspec's, or of the libraries below it, means."""
    for known in (_untrusted, _without_tls, _status, _without_credentials, _unanswered, _missing):
        for cause in causes(error):
            if fault := known(cause):
                return fault
    return Fault(f"{type(error).__name__}: {text_of(error)}")


def causes(error: Optional[BaseException]) -> Iterator[BaseException]:
    """An exception, what it was raised from, and so on."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def text_of(error: BaseException) -> str:
    return cleaned(one_line(error))


def is_one_of(error: BaseException, names: tuple[str, ...]) -> bool:
    return any(kind.__name__ in names for kind in type(error).__mro__)


def _untrusted(error: BaseException) -> Optional[Fault]:
    reason = getattr(error, "verify_message", None)  # of ssl.SSLCertVerificationError
    return Fault(f"the server's certificate is not trusted: {reason}") if reason else None


def _without_tls(error: BaseException) -> Optional[Fault]:
    if isinstance(error, ssl.SSLError) or is_one_of(error, NO_TLS):
        return Fault(f"there is no TLS with the server: {text_of(error)}")
    return None


def _status(error: BaseException) -> Optional[Fault]:
    status, code = status_of(error), code_of(error)
    if status is None:
        return None
    if code == "NoSuchBucket":
        return Fault("there is no such bucket")
    reason = STATUSES.get(status, "the server refuses")
    number = f"{status}, {code}" if code else str(status)
    if status >= 500 or status in (408, 429):
        return Fault(f"the server is in trouble ({number})", is_outage=True)
    return Fault(f"{reason} ({number})")


def status_of(error: BaseException) -> Optional[int]:
    """The HTTP status of an error: of aiohttp, of requests and httpx, of botocore, of gcsfs."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        found = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    else:
        found = getattr(response, "status_code", None) or getattr(error, "status", None)
        if found is None and type(error).__name__ == "HttpError":
            found = getattr(error, "code", None)
    return found if isinstance(found, int) and 400 <= found <= 599 else None


def code_of(error: BaseException) -> Optional[str]:
    """The code of an S3's error, such as ExpiredToken; None where it is a status again."""
    response = getattr(error, "response", None)
    found = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return found if isinstance(found, str) and found.isalpha() else None


def _without_credentials(error: BaseException) -> Optional[Fault]:
    return Fault("there are no credentials for it") if is_one_of(error, NO_CREDENTIALS) else None


def _unanswered(error: BaseException) -> Optional[Fault]:
    if not is_one_of(error, NO_ANSWER):
        return None
    return Fault(f"the server does not answer, or broke off ({text_of(error)})", is_outage=True)


def _missing(error: BaseException) -> Optional[Fault]:
    if isinstance(error, FileNotFoundError):
        return Fault("there is no such file")
    if isinstance(error, PermissionError):
        return Fault("access is denied")
    return None
