"""The names that callers of torchserve's archiver import."""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import model_archiver
import pytest
from model_archiver import ModelArchiver, ModelArchiverConfig, version
from model_archiver.arg_parser import ArgParser
from model_archiver.manifest_components.manifest import Manifest, RuntimeType
from model_archiver.manifest_components.model import Model
from model_archiver.model_archiver_error import ModelArchiverError
from model_archiver.model_packaging import generate_model_archive, model_handlers, package_model
from model_archiver.model_packaging_utils import ModelExportUtils

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


@pytest.mark.parametrize("make", [generate_model_archive, package_model])
@pytest.mark.parametrize("kind", [Namespace, SimpleNamespace])
def test_any_object_with_the_fields_is_a_config(make, kind, config, inputs, contents):
    fields = vars(config)
    del fields["config_file"], fields["no_check"]  # which older tools do not know
    make(kind(**fields, convert=False))
    assert set(contents(inputs / "net.mar")) == {"answer.py", "weights.pt", "MAR-INF/MANIFEST.json"}


def test_a_converter_makes_the_manifest_first(inputs, manifest):
    arguments = Namespace(
        model_file="net.py",
        serialized_file="weights.pt",
        handler=str(inputs / "answer.py"),
        model_name="net",
        version="1.5",
        export_path=str(inputs),
        force=False,
        requirements_file=None,
        extra_files=None,
        runtime="python",
        archive_format="default",
    )
    package_model(arguments, ModelExportUtils.generate_manifest_json(arguments))
    assert manifest(inputs / "net.mar")["model"] == {
        "modelName": "net",
        "serializedFile": "weights.pt",
        "handler": "answer.py",
        "modelFile": "net.py",
        "modelVersion": "1.5",
    }


def test_a_missing_input_is_a_file_not_found_error(config):
    config.serialized_file = "no.pt"
    with pytest.raises(FileNotFoundError, match=r"^the serialized file no\.pt does not exist$") as refused:
        package_model(config)
    assert isinstance(refused.value, ModelArchiverError)


@pytest.mark.parametrize(
    "change", [{"handler": "no.py"}, {"handler": "no"}, {"extra_files": "no.txt"}, {"extra_files": "no/*"}]
)
def test_so_is_a_missing_handler_and_a_missing_extra_file(config, change):
    vars(config).update(change)
    with pytest.raises(FileNotFoundError):
        package_model(config)


def test_an_archive_that_is_there_is_a_file_exists_error(config):
    package_model(config)
    with pytest.raises(FileExistsError, match=r"net\.mar exists already; -f replaces it$") as refused:
        package_model(config)
    assert isinstance(refused.value, ModelArchiverError)


def test_without_a_config_the_command_line_is_read(config, inputs, monkeypatch, contents):
    monkeypatch.setattr(sys, "argv", ["x", "--model-name", "net", "-v", "1", "--handler", "answer.py"])
    assert ArgParser.export_model_args_parser() == ModelArchiverConfig("net", "answer.py", "1")
    generate_model_archive()
    assert set(contents(inputs / "net.mar")) == {"answer.py", "MAR-INF/MANIFEST.json"}


def test_a_test_may_put_a_config_in_the_command_lines_place(config, inputs, contents, monkeypatch):
    with mock.patch("model_archiver.model_packaging.ArgParser.export_model_args_parser", return_value=config):
        generate_model_archive()
    assert "weights.pt" in contents(inputs / "net.mar")


def test_the_module_runs_as_a_command(inputs, environment, contents):
    arguments = ["--model-name", "net", "--version", "1", "--handler", "answer.py"]
    run = [sys.executable, "-m", "model_archiver.model_packaging", *arguments]
    subprocess.run(run, env=environment, cwd=inputs, check=True)
    assert set(contents(inputs / "net.mar")) == {"answer.py", "MAR-INF/MANIFEST.json"}


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


PUBLIC_NAMES = """
import importlib, inspect, pkgutil, types
import model_archiver

def parameters(value):
    return list(inspect.signature(value).parameters) if callable(value) else None

def own(value):
    return getattr(value, "__module__", "model_archiver").startswith("model_archiver")

def names(place):
    found = {name: value for name, value in vars(place).items() if not name.startswith("_") and own(value)}
    found.update(dict.fromkeys(getattr(place, "__dataclass_fields__", ())))
    return {name: value for name, value in found.items() if not isinstance(value, types.ModuleType)}

surface = {}
for info in pkgutil.walk_packages(model_archiver.__path__, "model_archiver."):
    module = importlib.import_module(info.name)
    for name, value in names(module).items():
        surface[f"{info.name}:{name}"] = None if isinstance(value, type) else parameters(value)
        for member in names(value) if isinstance(value, type) else ():
            surface[f"{info.name}:{name}.{member}"] = parameters(getattr(value, member, None))
"""


def test_every_public_name_of_torchserve_0_12_is_where_it_was_with_its_parameters(upstream):
    theirs = upstream(PUBLIC_NAMES + "answer(surface)")
    ours = {}
    exec(PUBLIC_NAMES, ours)
    assert len(theirs) > 60
    missing = {name for name in theirs if name not in ours["surface"]}
    assert missing == {"model_archiver.version:version_path"}, "there is no version.txt"
    different = {
        name: (ours["surface"][name], parameters)
        for name, parameters in theirs.items()
        if parameters is not None
        and name not in missing
        and ours["surface"][name][: len(parameters)] != parameters
    }
    assert different == {}


def test_the_version_is_that_of_the_handlers():
    assert version.__version__ == model_archiver.__version__
    handlers = Path(__file__).parents[2] / "ts" / "__init__.py"
    match = re.search(r'^HANDLERS_VERSION = "(.+)"$', handlers.read_text(encoding="utf-8"), re.MULTILINE)
    assert match is not None
    assert model_archiver.__version__ == match[1]
