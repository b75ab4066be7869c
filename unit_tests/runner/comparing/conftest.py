"""Archives that torchserve's own handlers and this library's are asked with."""

from __future__ import annotations

import importlib.util
import io
import json
import warnings
from pathlib import Path
from typing import Any, Callable

import pytest

from ts.runner.main import main
from unit_tests.runner.conftest import manifest_of, write_zip

# Answers what the request says for the side that it is on: a value, or what a key of it orders.
TWO = """
import base64, os, sys
import ts

class Two:
    def initialize(self, context):
        self.side = "new" if hasattr(ts, "HANDLERS_VERSION") else "old"
        self.key = context.model_yaml_config["own"]["key"]

    def handle(self, data, context):
        bodies = [row.get("data") or row["body"] for row in data]
        return [self.answer(body[self.side], index, context) for index, body in enumerate(bodies)]

    def answer(self, value, index, context):
        order = list(value)[0] if isinstance(value, dict) else ""
        if order == "raise":
            raise ValueError(value["raise"])
        if order == "die":
            sys.stderr.write("OSError: gone\\n")
            os._exit(3)
        if order == "status":
            context.set_response_status(value["status"], "", index)
            return value["body"]
        if order == "picture":
            context.set_response_content_type(index, "image/png")
            return base64.b64decode(value["picture"])
        if order == "key":
            return {"key": self.key, "cwd": os.getcwd() == context.system_properties["model_dir"]}
        return value
"""


@pytest.fixture(scope="session")
def needs_stock() -> None:
    """torchserve's own vision handlers import captum."""
    for module, package in (("ts.model_service_worker", "torchserve"), ("captum", "captum")):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"needs {package}, whose own answers are compared: pip install {package}")


@pytest.fixture(scope="session")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive whose handler says by itself what each side answers."""
    path = tmp_path_factory.mktemp("two") / "two.mar"
    files = {"two.py": TWO.encode(), "config.yaml": b"own: {key: 7}"}
    write_zip(path, {**files, "MAR-INF/MANIFEST.json": manifest_of("two.py", configFile="config.yaml")})
    return path


def scripted(network: Any) -> bytes:
    """A network as a TorchScript file, which torchserve 0.12 loads too."""
    import torch

    content = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(network.eval()), content)
    return content.getvalue()


def saved(value: Any) -> bytes:
    """What torch.save writes."""
    import torch

    content = io.BytesIO()
    torch.save(value, content)
    return content.getvalue()


@pytest.fixture(scope="session")
def archive_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`archive_of(handler, files, **keys of the manifest's model)` packs files for a default handler."""

    def build(handler: str, files: dict[str, bytes], **model: Any) -> Path:
        path = tmp_path_factory.mktemp(handler) / f"{handler}.mar"
        labels = {str(index): f"class {index}" for index in range(6)}
        files = {"index_to_name.json": json.dumps(labels).encode(), **files}
        write_zip(path, {**files, "MAR-INF/MANIFEST.json": manifest_of(handler, **model)})
        return path

    return build


@pytest.fixture
def compare(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """`compare(*arguments)` runs the command: its exit status, and the JSON document that it prints."""
    monkeypatch.setattr("ts.runner.main.unwind_on_signals", lambda: None)

    def run(*arguments: Any) -> tuple[int, Any]:
        capfd.readouterr()
        code = main(["compare", "--json", "--device", "cpu", *map(str, arguments)])
        out, err = capfd.readouterr()
        return code, json.loads(out) if code < 2 else err

    return run
