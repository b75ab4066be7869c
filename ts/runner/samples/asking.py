"""Asks a handler that is served what it takes."""

from __future__ import annotations

import http.client
import json
import tarfile
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from model_archiver.model_packaging import model_handlers

OURS = b"ts.torch_handler"
SECONDS = 30


def about_model(url: str, name: str, version: str) -> Mapping[str, Any]:
    """What a handler says of itself, see `ts.handler_utils.description`; nothing if it says nothing of the kind.

    Args:
        url: Of the server's API that has models' descriptions.
        name: The model's name.
        version: The model's version.
    """
    place = urlsplit(url)
    # Not by urllib, which would ask a proxy where the environment names one.
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=SECONDS)
    try:
        connection.request("GET", f"/models/{quote(name, safe='')}/{quote(version, safe='')}?customized=true")
        about = json.load(connection.getresponse())[0]["customizedMetadata"]
        about = json.loads(about) if isinstance(about, str) else about
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
        return {}
    finally:
        connection.close()
    return about if isinstance(about, dict) else {}


def describes_itself(handler: str, archive: Path) -> bool:
    """Whether a handler can be asked: a default one, or one built on that; others would take it for a request.

    Args:
        handler: As the manifest has it.
        archive: A zip, a tar or a folder.
    """
    file = handler.partition(":")[0]
    source = read_member(archive, file if file.endswith(".py") else f"{file}.py")
    return OURS in source if source is not None else handler in model_handlers


def read_member(archive: Path, name: str) -> bytes | None:
    """A file of an archive; None if it is not there."""
    with suppress(OSError, LookupError, ValueError, zipfile.BadZipFile, tarfile.TarError):
        if archive.is_dir():
            return (archive / name).read_bytes()
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as file:
                return file.read(name)
        with tarfile.open(archive) as tar:
            opened = next(
                (tar.extractfile(each) for each in tar if f"/{each.name}".endswith(f"/{name}")), None
            )
            return opened.read() if opened else None
    return None
