"""A model whose packages TorchServe installs into a virtual environment of its own: `useVenv`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from model_archiver import ModelArchiver, ModelArchiverConfig

from ts import HANDLERS_VERSION
from ts.runner.torchserve.server import TorchServe
from ts.torch_handler import base_handler

HANDLER = """
import sys

from ts.torch_handler import base_handler


class Own(base_handler.BaseHandler):
    def inference(self, data):
        return data

    def postprocess(self, data):
        return [{"file": base_handler.__file__, "prefix": sys.prefix}] * len(data)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("virtual")


@pytest.fixture(scope="module")
def server(needs_torchserve: None, folder: Path) -> Iterator[TorchServe]:
    for name, text in {"own.py": HANDLER, "settings.yaml": "useVenv: true\n", "requirements.txt": ""}.items():
        (folder / name).write_text(text)
    packed = ModelArchiverConfig(
        model_name="apart",
        handler=str(folder / "own.py"),
        version="1.0",
        config_file=str(folder / "settings.yaml"),
        requirements_file=str(folder / "requirements.txt"),
        export_path=str(folder),
    )
    ModelArchiver.generate_model_archive(packed)
    config = {"install_py_dep_per_model": "true"}
    with TorchServe([folder / "apart.mar"], device="cpu", config=config, log_dir=folder / "logs") as server:
        yield server


def test_its_handler_stands_on_this_librarys(server: TorchServe) -> None:
    with requests.Session() as session:
        session.trust_env = False  # no proxy stands between this machine and itself
        answer = session.post(f"{server.url}/predictions/apart", json={"data": [1.0]}, timeout=120).json()
    assert Path(answer["file"]).samefile(base_handler.__file__)
    assert answer["prefix"] != sys.prefix  # it is a virtual environment of the model's


def test_its_log_says_whose_handler_it_is(server: TorchServe, folder: Path) -> None:
    said = f"torchserve-handlers {HANDLERS_VERSION}: apart uses own.Own, a handler of its own on"
    log = (folder / "logs" / "model_log.log").read_text()
    assert log.count(f"{said} ts.torch_handler.base_handler") == 1
