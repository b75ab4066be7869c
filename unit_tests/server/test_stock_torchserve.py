"""Archives of our archiver in a stock TorchServe 0.12, whose environment has nothing of this library."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Callable

import pytest
import requests
from fresh_venv import Venv
from model_archiver import ModelArchiver, ModelArchiverConfig

from ts.runner.torchserve.server import TorchServe

SUFFIXES = {"default": ".mar", "zip-store": ".mar", "tgz": ".tar.gz", "no-archive": ""}
STOCK = ["ts.model_server", "ts.torch_handler.base_handler", "ts.utils.util"]

HANDLER = """
from pathlib import Path

def answer(data, context):
    if data is None:
        return None
    folder = Path(context.system_properties["model_dir"])
    words = (folder / "below" / "words.txt").read_text(encoding="utf-8")
    return [
        {"model": context.model_name, "body": bytes(row["body"]).decode(), "words": words, "module": __name__}
        for row in data
    ]

handle = answer
"""

Pack = Callable[..., Path]


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory, torchserve_wheel: Path) -> Venv:
    """An environment in which `ts` is torchserve's own."""
    venv = Venv(tmp_path_factory.mktemp("stock") / "venv")
    venv.install(str(torchserve_wheel))
    assert all(venv.purelib.resolve() in origin.parents for origin in venv.origins(STOCK))
    return venv


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    """`pack(name, format, handler)` packs a handler that needs no weights, and a folder with a text."""
    inputs, store = tmp_path_factory.mktemp("inputs"), tmp_path_factory.mktemp("packed")
    for folder in ("extra/below", "shop/till"):
        (inputs / folder).mkdir(parents=True)
    (inputs / "extra" / "below" / "words.txt").write_text("grüße", encoding="utf-8")
    (inputs / "shop" / "__init__.py").write_text("")
    for source in ("own.py", "shop/till/desk.py"):
        (inputs / source).write_text(HANDLER)

    def pack(name: str, archive_format: str = "default", handler: str = "own.py") -> Path:
        config = ModelArchiverConfig(
            model_name=name,
            handler=f"{inputs}/{handler}",
            version="1.0",
            extra_files=str(inputs / "extra"),
            archive_format=archive_format,
            export_path=str(store),
        )
        ModelArchiver.generate_model_archive(config)
        return store / f"{name}{SUFFIXES[archive_format]}"

    return pack


@pytest.fixture(scope="module")
def file_server(pack: Pack) -> Iterator[str]:
    """The URL of a server of files on this machine, with by_url.mar and by_url_tgz.tar.gz."""
    folder = pack("by_url").parent
    pack("by_url_tgz", "tgz")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Quiet(SimpleHTTPRequestHandler):
    """Logs nothing."""

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture(scope="module")
def http() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no proxy stands between this machine and itself
    return session


@pytest.fixture(scope="module")
def server(needs_torchserve: None, stock: Venv, pack: Pack, file_server: str) -> Iterator[TorchServe]:
    archives = [
        pack("default"),
        pack("zip_store", "zip-store"),
        pack("tgz", "tgz"),
        pack("folder", "no-archive"),
        pack("function", handler="own.py:answer"),
        pack("package", handler="shop.till.desk:answer"),
    ]
    with TorchServe(
        archives,
        device="cpu",
        python=str(stock.python),
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        config={"enable_model_api": "true", "allowed_urls": f"{file_server}/.*"},
    ) as server:
        yield server


def assert_answers(server: TorchServe, http: requests.Session, model: str, module: str) -> None:
    response = http.post(f"{server.url}/predictions/{model}", data=b"hello", timeout=120)
    assert response.status_code == 200, response.text
    assert response.json() == {"model": model, "body": "hello", "words": "grüße", "module": module}


@pytest.mark.parametrize("model", ["default", "zip_store", "tgz", "folder"])
def test_each_format_is_served(server: TorchServe, http: requests.Session, model: str) -> None:
    assert_answers(server, http, model, "own")


@pytest.mark.parametrize(("model", "module"), [("function", "own"), ("package", "shop.till.desk")])
def test_each_form_of_handler_is_served(
    server: TorchServe, http: requests.Session, model: str, module: str
) -> None:
    assert_answers(server, http, model, module)


@pytest.mark.parametrize(("model", "file"), [("by_url", "by_url.mar"), ("by_url_tgz", "by_url_tgz.tar.gz")])
def test_an_archive_is_registered_by_its_url(
    server: TorchServe, http: requests.Session, file_server: str, model: str, file: str
) -> None:
    registration = {"url": f"{file_server}/{file}", "initial_workers": 1, "synchronous": "true"}
    response = http.post(f"{server.management_url}/models", params=registration, timeout=120)
    assert response.status_code == 200, response.text
    assert_answers(server, http, model, "own")
