"""ModelExportUtils: the steps of an archive one by one, as tools of others call and replace them."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
import zipfile
from argparse import Namespace
from pathlib import Path
from unittest import mock

import pytest
from model_archiver import model_packaging, model_packaging_utils
from model_archiver.manifest_components.manifest import RuntimeType
from model_archiver.model_archiver_error import ModelArchiverError
from model_archiver.model_packaging_utils import ModelExportUtils
from model_archiver.writing.formats import FORMATS

ARGUMENTS = {
    "model_name": "net",
    "handler": "a/answer.py:go",
    "runtime": "python",
    "serialized_file": "b/net.pt",
    "model_file": "c/net.py",
    "version": "1.5",
    "requirements_file": "d/requirements.txt",
    "config_file": "e/model-config.yaml",
}


@pytest.fixture
def staged(inputs):
    """The folder that `copy_artifacts` makes of the inputs."""
    folder = ModelExportUtils.copy_artifacts(
        "net",
        "python",
        model_file="net.py",
        serialized_file="weights.pt",
        handler="answer.py",
        extra_files="extra",
        **{"requirements-file": None, "config_file": None},
    )
    yield folder
    shutil.rmtree(folder)


STAGED = {"answer.py", "below/words.txt", "labels.json", "net.py", "weights.pt"}


def test_the_suffixes_are_those_of_the_formats():
    assert {name: form.suffix for name, form in FORMATS.items()} == model_packaging_utils.archiving_options


def test_the_table_of_handlers_is_the_one_of_model_packaging():
    assert model_packaging_utils.model_handlers is model_packaging.model_handlers


@pytest.mark.parametrize(
    ("arguments", "folder", "path"),
    [
        (("net", None, False), "/cwd", "/cwd/net.mar"),
        (("net", "/models/", False), "/models/", "/models/net.mar"),
        (("net", None, False, "tgz"), "/cwd", "/cwd/net.tar.gz"),
        (("net", None, False, "no-archive"), "/cwd", "/cwd/net"),
        (("net", None, True), "/cwd", "/cwd/net.mar"),
    ],
)
def test_an_archives_folder_is_the_one_given_or_the_working_directory(arguments, folder, path):
    with mock.patch("os.getcwd", return_value="/cwd"), mock.patch("os.path.exists") as exists:
        exists.return_value = arguments[2]
        assert ModelExportUtils.check_mar_already_exists(*arguments) == folder
    exists.assert_called_once_with(path)


def test_an_archive_that_is_there_is_refused(tmp_path):
    (tmp_path / "net.mar").write_text("")
    with pytest.raises(ModelArchiverError, match="exists already") as refused:
        ModelExportUtils.check_mar_already_exists("net", str(tmp_path), False)
    assert isinstance(refused.value, FileExistsError)


def test_one_file_of_a_suffix_is_found():
    assert ModelExportUtils.find_unique(["a.txt", "b.onnx"], ".onnx") == "b.onnx"
    assert ModelExportUtils.find_unique(["a.txt"], ".onnx") is None
    with pytest.raises(ModelArchiverError, match=r"only one \.onnx file .* a\.onnx, b\.onnx"):
        ModelExportUtils.find_unique(["a.onnx", "b.onnx"], ".onnx")


def test_a_model_and_a_manifest_need_no_file():
    class Arguments:
        def __init__(self):
            vars(self).update(ARGUMENTS)

    model = ModelExportUtils.generate_model(Arguments())
    assert (model.model_name, model.handler, model.serialized_file) == ("net", "answer.py:go", "net.pt")
    manifest = json.loads(ModelExportUtils.generate_manifest_json(Arguments()))
    assert manifest["runtime"] == RuntimeType.PYTHON.value
    assert manifest["model"] == json.loads(str(model)) == model.model_dict


MANIFESTS = """
import json
from argparse import Namespace
from model_archiver.model_packaging_utils import ModelExportUtils

def comparable(arguments):
    manifest = json.loads(ModelExportUtils.generate_manifest_json(Namespace(**arguments)))
    return [list(manifest), manifest["runtime"], list(manifest["model"].items())]

def state(arguments):
    return {key: value for key, value in vars(ModelExportUtils.generate_model(Namespace(**arguments))).items()}
"""


def test_the_manifest_of_0_12_for_the_same_arguments(upstream):
    bare = dict.fromkeys(ARGUMENTS) | {"model_name": "n", "handler": "h", "version": "1", "runtime": "LSP"}
    cases = [ARGUMENTS, bare, {**ARGUMENTS, "handler": "image_classifier", "runtime": "python3"}]
    theirs = upstream(
        MANIFESTS + "answer([[comparable(case), state(case)] for case in arguments['cases']])", cases=cases
    )
    here = {}
    exec(MANIFESTS, here)
    for case, (comparable, state) in zip(cases, theirs):
        assert json.loads(json.dumps(here["comparable"](case))) == comparable
        assert here["state"](case).items() >= state.items()


def test_files_are_removed_and_folders_made(tmp_path):
    (tmp_path / "a").write_text("")
    ModelExportUtils.clean_temp_files([str(tmp_path / "a")])
    ModelExportUtils.make_dir(str(tmp_path / "b" / "c"))
    ModelExportUtils.make_dir(str(tmp_path / "b" / "c"))
    assert [path.name for path in tmp_path.rglob("*")] == ["b", "c"]


def test_files_are_staged_as_they_lie_in_an_archive(staged):
    folder = Path(staged)
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == STAGED


def test_staging_takes_no_input_away(inputs, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "net").mkdir()  # which torchserve's archiver deletes first
    (tmp_path / "net" / "weights.pt").write_text("precious")
    folder = ModelExportUtils.copy_artifacts(
        "net", "python", handler="base_handler", serialized_file=str(tmp_path / "net" / "weights.pt")
    )
    assert (tmp_path / "net" / "weights.pt").read_text() == "precious"
    assert [path.name for path in Path(folder).iterdir()] == ["weights.pt"]


def test_a_missing_file_leaves_nothing_staged(inputs, monkeypatch, tmp_path):
    (tmp_path / "staging").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "staging"))
    with pytest.raises(FileNotFoundError, match=r"^the serialized_file no\.pt does not exist$"):
        ModelExportUtils.copy_artifacts("net", "python", handler="answer.py", serialized_file="no.pt")
    assert os.listdir(tmp_path / "staging") == []


def test_a_staged_folder_becomes_an_archive_of_each_format(
    staged, archive_format, tmp_path, contents, manifest
):
    text = ModelExportUtils.generate_manifest_json(Namespace(**ARGUMENTS))
    for _ in range(2):  # one that is there is replaced
        ModelExportUtils.archive(str(tmp_path), "net", staged, text, archive_format)
    archive = Path(ModelExportUtils.get_archive_export_path(str(tmp_path), "net", archive_format))
    assert set(contents(archive)) == {*STAGED, "MAR-INF/MANIFEST.json"}
    assert manifest(archive)["model"]["modelName"] == "net"


def test_a_test_may_replace_zipfile_by_this_modules_name(staged, tmp_path, contents):
    real = zipfile.ZipFile
    with mock.patch(
        "model_archiver.model_packaging_utils.zipfile.ZipFile", lambda path, mode, _: real(path, mode)
    ):
        text = ModelExportUtils.generate_manifest_json(Namespace(**ARGUMENTS))
        ModelExportUtils.archive(str(tmp_path), "net", staged, text)
    assert set(contents(tmp_path / "net.mar")) == {*STAGED, "MAR-INF/MANIFEST.json"}
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        model_packaging_utils.nothing  # noqa: B018


@pytest.fixture
def cluttered(tmp_path):
    """A folder with a file, one below, and what is left out."""
    folder = tmp_path / "cluttered"
    for name in ("a.py", "b/c.py", "__pycache__/a.pyc", ".git/config", "__MACOSX/x"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return str(folder)


def test_a_folder_is_added_to_an_open_archive(cluttered, tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        ModelExportUtils.archive_dir(cluttered, archive, "default", "net")
        assert sorted(archive.namelist()) == ["a.py", "b/c.py"]
    with tarfile.open(tmp_path / "x.tar", "w") as archive:
        ModelExportUtils.archive_dir(cluttered, archive, "tgz", "net")
        assert sorted(archive.getnames()) == ["net/a.py", "net/b/c.py"]
    ModelExportUtils.archive_dir(cluttered, str(tmp_path / "net"), "no-archive", "net")
    assert (tmp_path / "net" / "b" / "c.py").read_text() == "b/c.py"


def test_names_are_weeded_out():
    assert ModelExportUtils.directory_filter("model", {"__pycache__"})
    assert not ModelExportUtils.directory_filter("__pycache__", {"__pycache__"})
    assert not ModelExportUtils.directory_filter(".git", set())
    assert ModelExportUtils.file_filter("a.pt", {"b.pt"})
    for name in ("b.pt", "a.pyc", ".DS_Store", "a.mar", "MANIFEST.json"):
        assert not ModelExportUtils.file_filter(name, {"b.pt"})


@pytest.mark.parametrize("name", ["my-model", "Aa.model", "a", "123-abc"])
def test_a_model_name_is_right(name, tmp_path):
    ModelExportUtils.validate_inputs(name, str(tmp_path))


@pytest.mark.parametrize("name", ["abc%", "@1", "-.model", "a b", ""])
def test_a_model_name_is_wrong(name, tmp_path):
    with pytest.raises(ModelArchiverError, match="is no model name"):
        ModelExportUtils.validate_inputs(name, str(tmp_path))


def test_an_export_path_has_to_be_a_folder(tmp_path):
    with pytest.raises(ModelArchiverError, match="no is not a folder"):
        ModelExportUtils.validate_inputs("net", str(tmp_path / "no"))


@pytest.mark.parametrize("archive_format", ["default", "no-archive", "tar"])
def test_a_test_may_replace_every_step(archive_format):
    with mock.patch("model_archiver.model_packaging.ModelExportUtils") as steps:
        arguments = Namespace(**ARGUMENTS, export_path="/no", archive_format=archive_format, force=False)
        model_packaging.package_model(arguments, "{}")
    steps.validate_inputs.assert_called_once_with("net", "/no")
    steps.archive.assert_called_once()


def test_a_test_may_replace_the_packing_itself():
    with (
        mock.patch("model_archiver.model_packaging.ArgParser") as parser,
        mock.patch("model_archiver.model_packaging.package_model") as package,
    ):
        model_packaging.generate_model_archive()
    package.assert_called_once_with(parser.export_model_args_parser.return_value)
