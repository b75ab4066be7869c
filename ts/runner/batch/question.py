"""What each file is sent with, and how it is read where it is answered."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ts.runner.answering.payload import FILE, JSON
from ts.runner.fetching.reference import URL
from ts.runner.serving.forms import Part
from ts.runner.serving.replies import Reply, error_reply
from ts.runner.serving.requests import Call

LARGEST = 1 << 30  # bytes of a file: what does not fit in memory would end Ray's own process, again and again


class FileTooLargeError(Exception):
    """A file has more bytes than may be sent."""


STATUS_OF_FAULT: tuple[tuple[type[Exception], int], ...] = (  # of a file that cannot be read; else 500
    (FileNotFoundError, 404),
    (PermissionError, 403),
    (FileTooLargeError, 413),
)


@dataclass(frozen=True)
class Question:
    """The request that goes with each file.

    Attributes:
        options: Of the request, by name.
        headers: More headers. A Content-Type is that of the file.
        explain: Whether explanations are asked for.
    """

    options: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    explain: bool = False

    def call(self, path: str, content: bytes) -> Call:
        """The request that `ts.runner.answering.payload.prediction` makes of the file."""
        headers = dict(self.headers)
        type_header = next((name for name in headers if name.lower() == "content-type"), "Content-Type")
        full_type = headers.pop(type_header, JSON if path.lower().endswith(".json") else "")
        kind = full_type.partition(";")[0].strip()
        if full_type and not self.options:
            headers[type_header] = full_type
        headers.update(explain=str(self.explain), url_path="")
        if not self.options:
            return Call((Part("body", kind, content),), headers)
        fields = (Part(name, "", value.encode()) for name, value in dict(self.options).items())
        return Call((Part("data", kind or FILE, content), *fields), headers)


def read_content(path: str) -> bytes:
    """The bytes of a file at a path or URL.

    Raises:
        FileTooLargeError: It has more than `LARGEST`.
        OSError: It cannot be read; from file systems behind URLs others come, too.
    """
    if URL.match(path):
        from fsspec.core import url_to_fs

        system, place = url_to_fs(path)
        return system.cat_file(place)
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > LARGEST:
            raise FileTooLargeError(f"it has {size} bytes, and {LARGEST} are the most")
        return file.read()


def unread(error: Exception) -> Reply:
    """The answer to a file that cannot be read, in the form of TorchServe's errors."""
    status = next((code for kind, code in STATUS_OF_FAULT if isinstance(error, kind)), 500)
    said = error.strerror if isinstance(error, OSError) and error.errno else str(error)
    return error_reply(status, type(error).__name__, f"The file cannot be read: {said or 'no reason given'}")


def absolute(path: str, folder: str) -> str:
    """A path as a process can open it that works in another folder; a URL as it is."""
    return path if URL.match(path) else os.path.join(folder, path)
