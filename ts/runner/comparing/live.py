"""A server that runs, asked over HTTP."""

from __future__ import annotations

import http.client
import socket
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Optional
from urllib.parse import quote, urlsplit

from ts.runner.comparing.said import NO_ANSWER, Said
from ts.runner.errors import InputError, ServerError
from ts.runner.fetching.reference import without_credentials
from ts.runner.serving.requests import Call

SECONDS = 120  # for an answer, as TorchServe waits for a worker's
NOT_FOUND = 404
NOT_ASKED = {
    401: "lets nobody in",
    403: "lets nobody in",
    NOT_FOUND: "has no such model",
    405: "takes no POST",
}
# What a client sets of itself, or what `Call` notes for a handler and no client sends.
NOT_SENT = ("explain", "url_path", "content-length", "host")


class Live:
    """A model of a server.

    Args:
        url: Of the server, or of what is asked, as http://HOST:8080/predictions/cats/2.0: it is taken as it stands
            if it has a path.
        model: The model's name where the URL has no path.
        explain: Whether explanations are asked for.
        headers: Of each request, beside its own.

    Raises:
        InputError: It is no such URL.
    """

    def __init__(
        self, url: str, model: Optional[str], *, explain: bool = False, headers: Mapping[str, str] = {}
    ) -> None:
        self.name = without_credentials(url)
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError(f"{self.name} is no URL of a server, as http://HOST:8080")
        self._path = path_of(parts.path, model, explain, self.name)
        self._path += f"?{parts.query}" if parts.query else ""
        self._is_https, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._headers = dict(headers)

    def answers(self, calls: Sequence[Call]) -> list[Said]:
        """Asks all at once: the server may make a batch of them.

        Raises:
            ServerError: The server is not there.
            InputError: It has no such model, or lets nobody in.
        """
        if len(calls) == 1:
            return [self._answer(calls[0])]
        with ThreadPoolExecutor(len(calls)) as clients:
            return list(clients.map(self._answer, calls))

    def _answer(self, call: Call) -> Said:
        body, headers = http_request(call)
        kind = http.client.HTTPSConnection if self._is_https else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=SECONDS)
        try:
            connection.connect()
        except OSError as error:
            raise ServerError(f"{self.name} cannot be reached: {error}") from error
        try:
            connection.request("POST", self._path, body, {**headers, **self._headers})
            response = connection.getresponse()
            said = Said(response.status, response.getheader("content-type"), response.read())
        except socket.timeout:
            return Said(NO_ANSWER, None, b"", f"none within {SECONDS} seconds")
        except (OSError, http.client.HTTPException) as error:
            return Said(NO_ANSWER, None, b"", f"{type(error).__name__}: {error}")
        finally:
            connection.close()
        if said.status in NOT_ASKED and self._is_the_servers(said):
            hint = (
                "; its name there may be another: add /predictions/NAME" if said.status == NOT_FOUND else ""
            )
            place = self.name if self._path in self.name else f"{self.name.rstrip('/')}{self._path}"
            raise InputError(f"{place} {NOT_ASKED[said.status]}: {said.status} {said.message[:200]}{hint}")
        return said

    @staticmethod
    def _is_the_servers(said: Said) -> bool:
        """Whether an error is none of a handler's: TorchServe names its exceptions."""
        value = said.response
        return not isinstance(value, dict) or str(value.get("type", "Exception")).endswith("Exception")


def path_of(path: str, model: Optional[str], explain: bool, name: str) -> str:
    """What is asked of the server."""
    if path in ("", "/"):
        if model is None:
            raise InputError(f"{name} names no model: add /predictions/NAME")
        return f"/{'explanations' if explain else 'predictions'}/{quote(model, safe='')}"
    if explain and "/predictions/" not in path and "/explanations/" not in path:
        raise InputError(f"{name} is asked as it stands; --explain is for /predictions/NAME")
    return path.replace("/predictions/", "/explanations/", 1) if explain else path


def http_request(call: Call) -> tuple[bytes, dict[str, str]]:
    """The body and headers of the HTTP request that a handler sees as this call."""
    headers = {name: value for name, value in call.headers.items() if name.lower() not in NOT_SENT}
    if [part.name for part in call.parts] == ["body"]:
        return call.parts[0].content, headers
    boundary = uuid.uuid4().hex
    sections = []
    for part in call.parts:
        is_file = bool(part.content_type)
        about = f'form-data; name="{part.name}"' + ('; filename="data"' if is_file else "")
        kind = f"Content-Type: {part.content_type}\r\n" if is_file else ""
        head = f"--{boundary}\r\nContent-Disposition: {about}\r\n{kind}\r\n"
        sections.append(head.encode() + part.content + b"\r\n")
    headers["Content-Type"] = f"multipart/form-data; boundary={boundary}"
    return b"".join([*sections, f"--{boundary}--\r\n".encode()]), headers
