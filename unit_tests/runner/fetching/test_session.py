from __future__ import annotations

import gzip
import hashlib
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from web_server import Page, WebServer, web_server

from ts.runner.errors import ArchiveError
from ts.runner.fetching.local_copy import local_copy

from .conftest import mar

pytest.importorskip("aiohttp")
trustme = pytest.importorskip("trustme")

CONTENT = mar("one")


@pytest.fixture(scope="module")
def secure_web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[WebServer, Path]]:
    """An https server, and the file of the authority that signed its certificate."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    file = tmp_path_factory.mktemp("tls") / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    with web_server(context) as server:
        server.pages["/tiny.mar"] = Page(CONTENT, '"v1"')
        yield server, file


@pytest.fixture
def trusted(secure_web: tuple[WebServer, Path], monkeypatch: pytest.MonkeyPatch) -> WebServer:
    """The https server, whose authority this process trusts."""
    server, file = secure_web
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    server.asked.clear()
    return server


def opened(url: str) -> bytes:
    with local_copy(url) as copy:
        return copy.path.read_bytes()


def failure(url: str) -> str:
    with pytest.raises(ArchiveError) as error:
        opened(url)
    return str(error.value)


def test_https_is_fetched_where_the_environment_trusts_the_server(trusted: WebServer) -> None:
    assert opened(f"{trusted.url}/tiny.mar") == CONTENT
    assert trusted.asked == [("HEAD", "/tiny.mar"), ("GET", "/tiny.mar")]


def test_a_server_that_is_not_trusted_is_an_error_at_once(secure_web: tuple[WebServer, Path]) -> None:
    url = f"{secure_web[0].url}/tiny.mar"
    message = failure(url)
    assert message.startswith(f"{url} cannot be fetched: the server's certificate is not trusted: ")


def test_a_name_that_the_certificate_lacks_is_an_error(trusted: WebServer) -> None:
    message = failure(f"{trusted.url}/tiny.mar".replace("localhost", "127.0.0.1"))
    assert "the server's certificate is not trusted: IP address mismatch" in message


def test_credentials_are_sent_and_not_shown(web: WebServer) -> None:
    web.pages["/tiny.mar"] = Page(CONTENT)
    url = web.url.replace("//", "//user:secret@")
    opened(f"{url}/tiny.mar")
    assert web.headers["Authorization"] == "Basic dXNlcjpzZWNyZXQ="
    assert failure(f"{url}/no.mar?token=secret") == (
        f"{web.url}/no.mar?... cannot be fetched: the server has no such file (404)"
    )


def test_a_compressed_archive_arrives_as_it_lies_there(web: WebServer) -> None:
    content = gzip.compress(b"a tar")
    web.pages["/tiny.tar.gz"] = Page(content, headers={"Content-Encoding": "gzip"})
    url = f"{web.url}/tiny.tar.gz"
    assert opened(f"{url}@sha256:{hashlib.sha256(content).hexdigest()}") == content
    assert web.headers["Accept-Encoding"] == "identity"


def test_a_redirect_is_followed_as_long_as_it_stays_protected(trusted: WebServer, web: WebServer) -> None:
    web.pages["/tiny.mar"] = Page(redirect=f"{trusted.url}/tiny.mar")
    assert opened(f"{web.url}/tiny.mar") == CONTENT
    trusted.pages["/out.mar"] = Page(redirect="http://user:secret@example.invalid/tiny.mar?secret")
    assert failure(f"{trusted.url}/out.mar") == (
        f"{trusted.url}/out.mar leads to http://example.invalid/tiny.mar?..., a way on which anybody can exchange"
        " an archive, which holds code: pin it with @sha256:DIGEST"
    )
