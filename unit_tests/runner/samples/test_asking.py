"""Only handlers that know the question are asked what they take."""

from __future__ import annotations

import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ts.runner.samples.asking import about_model, describes_itself

BUILT_ON_OURS = b"from ts.torch_handler.image_classifier import ImageClassifier\n"
OF_ITS_OWN = b"def handle(data, context):\n    return data\n"


def as_folder(folder: Path, name: str, source: bytes) -> Path:
    path = folder / "model" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(source)
    return folder / "model"


def as_zip(folder: Path, name: str, source: bytes) -> Path:
    with zipfile.ZipFile(folder / "model.mar", "w") as file:
        file.writestr(name, source)
    return folder / "model.mar"


def as_tar(folder: Path, name: str, source: bytes) -> Path:
    with tarfile.open(folder / "model.tar.gz", "w:gz") as file:
        member = tarfile.TarInfo(f"model/{name}")
        member.size = len(source)
        file.addfile(member, io.BytesIO(source))
    return folder / "model.tar.gz"


@pytest.mark.parametrize("packed", [as_folder, as_zip, as_tar])
@pytest.mark.parametrize(
    ("handler", "file", "source", "asked"),
    [
        ("own.py", "own.py", BUILT_ON_OURS, True),
        ("own.py:entry", "own.py", OF_ITS_OWN, False),
        ("pkg/own.py:entry", "pkg/own.py", BUILT_ON_OURS, True),
        ("image_classifier", "other.py", OF_ITS_OWN, True),
        ("image_classifier", "image_classifier.py", OF_ITS_OWN, False),
        ("gone.py", "other.py", BUILT_ON_OURS, False),
    ],
)
def test_a_default_handler_or_one_built_on_it_is_asked(
    tmp_path: Path, packed: Any, handler: str, file: str, source: bytes, asked: bool
) -> None:
    assert describes_itself(handler, packed(tmp_path, file, source)) is asked


def test_an_archive_elsewhere_is_asked_by_its_handlers_name(tmp_path: Path) -> None:
    assert describes_itself("text_classifier", tmp_path / "gone.mar")
    assert not describes_itself("own.py", Path("https://example.com/own.mar"))


class Descriptions(BaseHTTPRequestHandler):
    replies: dict[str, Any] = {}  # noqa: RUF012

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(self.replies.get(self.path, {"code": 404})).encode())

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Descriptions) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_description_is_an_object_or_nothing(server: str) -> None:
    Descriptions.replies = {
        "/models/my%20model/1.0?customized=true": [{"customizedMetadata": {"payloads": ["a text"]}}],
        "/models/as_text/1.0?customized=true": [{"customizedMetadata": '{"payloads": []}'}],
        "/models/odd/1.0?customized=true": [{"customizedMetadata": "a sentence"}],
        "/models/list/1.0?customized=true": [{"customizedMetadata": [1]}],
    }
    assert about_model(server, "my model", "1.0") == {"payloads": ["a text"]}
    assert about_model(server, "as_text", "1.0") == {"payloads": []}
    for name in ("odd", "list", "unknown"):
        assert about_model(server, name, "1.0") == {}
    assert about_model("http://127.0.0.1:9", "gone", "1.0") == {}
