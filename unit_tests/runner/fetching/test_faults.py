from __future__ import annotations

import ssl
from types import SimpleNamespace
from typing import Any, Optional

import pytest

from ts.runner.fetching.faults import Fault, fault_of

URL = "https://user:secret@h/k.mar?X-Amz-Signature=secret"
NO_FILE = FileNotFoundError(URL)


def error(name: str, text: str = "", **attributes: Any) -> Exception:
    """An exception as a library that may not be installed raises it."""
    found = type(name, (Exception,), attributes)(text)
    assert isinstance(found, Exception)
    return found


def of_botocore(status: int, code: str) -> Exception:
    response = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return error("ClientError", f"An error occurred ({code})", response=response)


UNTRUSTED = ssl.SSLCertVerificationError(1, "certificate verify failed")
UNTRUSTED.verify_message = "self-signed certificate"


@pytest.mark.parametrize(
    ("raised", "cause", "reason", "is_outage"),
    [
        (NO_FILE, None, "there is no such file", False),
        (PermissionError("Access Denied"), None, "access is denied", False),
        (NO_FILE, error("ClientResponseError", status=403), "access is denied (403)", False),
        (NO_FILE, of_botocore(404, "404"), "the server has no such file (404)", False),
        (NO_FILE, of_botocore(404, "NoSuchBucket"), "there is no such bucket", False),
        (OSError(), of_botocore(400, "ExpiredToken"), "the server refuses (400, ExpiredToken)", False),
        (OSError(), of_botocore(503, "SlowDown"), "the server is in trouble (503, SlowDown)", True),
        (error("NoCredentialsError"), None, "there are no credentials for it", False),
        (error("HttpError", code=429), None, "the server is in trouble (429)", True),
        (
            error("HfHubHTTPError", response=SimpleNamespace(status_code=401)),
            None,
            "the server asks for credentials (401)",
            False,
        ),
        (
            NO_FILE,
            error("ClientConnectorCertificateError", URL, __cause__=UNTRUSTED),
            "the server's certificate is not trusted: self-signed certificate",
            False,
        ),
        (
            NO_FILE,
            error("ClientPayloadError", f"{URL} broke"),
            "the server does not answer, or broke off (https://h/k.mar?... broke)",
            True,
        ),
        (TimeoutError("timed out"), None, "the server does not answer, or broke off (timed out)", True),
        (
            error("OddError", f"see {URL}\nand so on"),
            None,
            "OddError: see https://h/k.mar?... and so on",
            False,
        ),
    ],
)
def test_what_libraries_raise_is_told_in_a_sentence_without_secrets(
    raised: Exception, cause: Optional[Exception], reason: str, is_outage: bool
) -> None:
    raised.__cause__ = cause
    assert fault_of(raised) == Fault(reason, is_outage)


def test_a_circle_of_causes_ends() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert fault_of(first) == Fault("ValueError: a", False)
