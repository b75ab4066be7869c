"""The names that callers of torchserve's archiver import."""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
from argparse import Namespace
from pathlib import Path

import model_archiver
import pytest
from model_archiver import ModelArchiver, ModelArchiverConfig
from model_archiver.manifest_components.manifest import Manifest, RuntimeType
from model_archiver.manifest_components.model import Model
from model_archiver.model_archiver_error import ModelArchiverError
from model_archiver.model_packaging import generate_model_archive, model_handlers, package_model

import ts.torch_handler
from ts.utils.util import list_classes_from_module


@pytest.fixture
def config(inputs):
    return ModelArchiverConfig(
        "net", "answer.py", "1.0", serialized_file="weights.pt", export_path=str(inputs)
    )


@pytest.mark.parametrize(
    "make", [ModelArchiver.generate_model_archive, generate_model_archive, package_model]
)
def test_each_entry_point_takes_a_config(make, config, inputs, contents):
    make(config)
    assert set(contents(inputs / "net.mar")) == {"answer.py", "weights.pt", "MAR-INF/MANIFEST.json"}


@pytest.mark.parametrize(
    "make", [ModelArchiver.generate_model_archive, generate_model_archive, package_model]
)
def test_each_entry_point_raises_where_the_command_would_end(make, config):
    config.serialized_file = "no.pt"
    with pytest.raises(ModelArchiverError, match=r"the serialized file no\.pt does not exist"):
        make(config)


def test_a_manifest_of_ones_own_gets_the_digests_too(config, inputs, manifest):
    package_model(config, manifest=str(Manifest("python", Model("other", None, "answer.py"))))
    assert manifest(inputs / "net.mar")["model"] == {"modelName": "other", "handler": "answer.py"}
    assert set(manifest(inputs / "net.mar")["sha256"]) == {"answer.py", "weights.pt"}


def test_the_export_path_is_the_working_directory_at_construction(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert ModelArchiverConfig("net", "answer.py", "1.0").export_path == os.getcwd() == str(tmp_path)


def test_a_config_takes_what_a_namespace_has():
    config = ModelArchiverConfig.from_args(
        Namespace(model_name="n", handler="h", version="1", force=True, other=1)
    )
    assert (config.model_name, config.force, config.runtime) == ("n", True, "python")


def test_the_runtimes_are_those_of_torchserve():
    assert {runtime.name: runtime.value for runtime in RuntimeType} == {
        "PYTHON": "python",
        "PYTHON3": "python3",
        "LSP": "LSP",
    }


def test_every_default_handler_of_torchserve_0_12_is_known():
    torchserves = {
        "base_handler": "anything",
        "text_classifier": "text",
        "image_classifier": "vision",
        "object_detector": "vision",
        "image_segmenter": "vision",
        "dali_image_classifier": "vision",
        "vllm_handler": "text",
        "trt_llm_handler": "text",
    }
    assert torchserves.items() <= model_handlers.items()


def test_every_handler_of_ours_can_be_imported():
    modules = {module.name for module in pkgutil.iter_modules([ts.torch_handler.__path__[0]])}
    ours = [name for name in model_handlers if name in modules]
    assert ours
    for name in ours:
        (handler,) = list_classes_from_module(importlib.import_module(f"ts.torch_handler.{name}"))
        assert callable(handler.handle)


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("", {"ModelArchiver", "ModelArchiverConfig"}),
        (".arg_parser", {"ArgParser", "ModelArchiverConfig", "RuntimeType"}),
        (".model_archiver", {"ModelArchiver", "ModelArchiverConfig", "generate_model_archive"}),
        (".model_archiver_config", {"ModelArchiverConfig", "RuntimeType"}),
        (".model_archiver_error", {"ModelArchiverError"}),
        (
            ".model_packaging",
            {
                "ArgParser",
                "ModelArchiverConfig",
                "ModelArchiverError",
                "generate_model_archive",
                "package_model",
            },
        ),
        (".manifest_components.manifest", {"Manifest", "RuntimeType"}),
        (".manifest_components.model", {"Model"}),
    ],
)
def test_every_public_name_of_torchserve_0_12_is_where_it_was(module, names):
    assert names <= set(dir(importlib.import_module(f"model_archiver{module}")))


def test_the_version_is_that_of_the_handlers():
    handlers = Path(__file__).parents[2] / "ts" / "__init__.py"
    match = re.search(r'^HANDLERS_VERSION = "(.+)"$', handlers.read_text(encoding="utf-8"), re.MULTILINE)
    assert match is not None
    assert model_archiver.__version__ == match[1]
