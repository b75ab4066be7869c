"""A handler, with its settings and options, is added by one file and one row; a user's own is one file."""

from __future__ import annotations

import json
import os
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import torch
from fresh_venv import Venv

from ts.runner.torchserve.server import TorchServe

ROOT = Path(__file__).resolve().parents[2]
TABLE = "model_handlers = {\n"
ROW = '    "rounder": "anything",\n'
ARCHIVER = "from model_archiver.model_packaging import generate_model_archive as main; main()"
RUNNER = "import sys; from ts.runner.main import main; sys.exit(main())"

HANDLER = '''
"""Rounder: answers what the model computes, rounded."""

from pydantic import Field

from ts.handler_utils.requests.options import Options
from ts.handler_utils.settings import HandlerSettings
from ts.torch_handler.base_handler import BaseHandler


class RounderOptions(Options):
    digits: int = Field(default=2, ge=0, le=9, description="decimal digits of an answer")


class RounderSettings(HandlerSettings, RounderOptions):
    offset: float = Field(default=0.0, description="what is added to the model's output")


class Rounder(BaseHandler):
    settings_class = RounderSettings
    options_class = RounderOptions

    def postprocess(self, data):
        rows = super().postprocess(data + self.settings.offset)
        options = self.options(len(rows))
        return [[round(number, row.digits) for number in numbers] for numbers, row in zip(rows, options)]
'''
CONFIG = "handler:\n  offset: 0.5\n  digits: 3\n"
# The model halves its input.
REQUEST, ANSWER = {"data": [0.24691357, 2.0]}, [0.623, 1.5]
SHORT_REQUEST, SHORT_ANSWER = {"data": [0.24691357, 2.0], "digits": 1}, [0.6, 1.5]
MODELS = ("default", "own")


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Venv:
    """An environment with a copy of the project in which the handler `rounder` was added."""
    copy = tmp_path_factory.mktemp("copy") / "project"
    shutil.copytree(
        ROOT, copy, ignore=shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "logs")
    )
    (copy / "ts" / "torch_handler" / "rounder.py").write_text(HANDLER)
    table = copy / "model-archiver" / "model_packaging.py"
    before = table.read_text(encoding="utf-8")
    assert before.count(TABLE) == 1
    table.write_text(before.replace(TABLE, TABLE + ROW), encoding="utf-8")
    made = Venv(tmp_path_factory.mktemp("rounder") / "venv")
    made.install(str(copy))
    return made


@pytest.fixture(scope="module")
def archives(venv: Venv, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An archive whose handler is a name, and one whose handler is the very same file."""
    folder = tmp_path_factory.mktemp("rounders")
    (folder / "mine.py").write_text(HANDLER)
    (folder / "model-config.yaml").write_text(CONFIG)
    halving = torch.nn.Linear(2, 2, bias=False)
    torch.nn.init.eye_(halving.weight).data.mul_(0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch deprecates TorchScript, which archives are full of
        torch.jit.script(halving).save(str(folder / "halving.pt"))
    for name, handler in zip(MODELS, ("rounder", str(folder / "mine.py"))):
        names = ["--model-name", name, "--handler", handler, "--version", "1.0"]
        files = ["--serialized-file", f"{folder}/halving.pt", "--config-file", f"{folder}/model-config.yaml"]
        venv.run(ARCHIVER, *names, *files, "--export-path", str(folder))
    return {name: folder / f"{name}.mar" for name in MODELS}


@pytest.fixture(scope="module")
def server(needs_torchserve: None, venv: Venv, archives: dict[str, Path]) -> Iterator[TorchServe]:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    with TorchServe(
        list(archives.values()), device="cpu", python=str(venv.python), env=environment
    ) as server:
        yield server


def assert_description(description: dict[str, Any]) -> None:
    assert description["handler"] == "Rounder"
    assert description["options"] == {
        "digits": {
            "type": "integer",
            "minimum": 0,
            "maximum": 9,
            "default": 3,
            "description": "decimal digits of an answer",
        }
    }
    assert (description["settings"]["offset"], description["settings"]["digits"]) == (0.5, 3)


@pytest.mark.parametrize("model", MODELS)
def test_the_runner_answers_it(venv: Venv, archives: dict[str, Path], model: str, tmp_path: Path) -> None:
    requests = {"whole.json": REQUEST, "short.json": SHORT_REQUEST}
    for name, request in requests.items():
        (tmp_path / name).write_text(json.dumps(request))
    files = [str(tmp_path / name) for name in requests]
    said = venv.run(RUNNER, "predict", str(archives[model]), *files, "--device", "cpu", "--json")
    assert [answer["response"] for answer in json.loads(said)] == [ANSWER, SHORT_ANSWER]


@pytest.mark.parametrize("model", MODELS)
def test_the_runner_describes_it(venv: Venv, archives: dict[str, Path], model: str) -> None:
    said = venv.run(RUNNER, "inspect", str(archives[model]), "--describe", "--json")
    assert_description(json.loads(said))


@pytest.mark.parametrize("model", MODELS)
def test_torchserve_serves_it(server: TorchServe, model: str) -> None:
    with requests.Session() as http:
        http.trust_env = False  # no proxy stands between this machine and itself
        url = f"{server.url}/predictions/{model}"
        assert http.post(url, json=REQUEST, timeout=60).json() == ANSWER
        assert http.post(url, json=SHORT_REQUEST, timeout=60).json() == SHORT_ANSWER
        refused = http.post(url, json={**REQUEST, "digits": 10}, timeout=60)
        assert (refused.status_code, "digits" in refused.json()["message"]) == (400, True)
        models = f"{server.management_url}/models/{model}?customized=true"
        assert_description(http.get(models, timeout=60).json()[0]["customizedMetadata"])
