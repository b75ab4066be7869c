"""A saved model folder of transformers in the place of an archive."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from ts.runner import ArchiveError, load_archive
from ts.runner.archives.archive import open_archive
from ts.runner.errors import ServerError
from ts.runner.torchserve.config import served_model

MARKER = "import os\nos.makedirs({!r}, exist_ok=True)\n"


def test_its_config_tells_the_handler_that_answers(saved_model):
    with load_archive(saved_model("bert")) as model:
        assert model.archive.handler == "text_classifier"
        assert model.archive.name == "bert"
        (answer,) = model.predict(["the rain"])
    assert answer.status == 200
    assert set(answer.response) == {"cat", "dog", "news"}


def test_no_python_file_of_it_is_run(saved_model, tmp_path, monkeypatch):
    folder = Path(shutil.copytree(saved_model("bert"), tmp_path / "bert"))
    for name in ("text_classifier.py", "handler.py", "transformers.py", "torch.py", "timm.py", "captum.py"):
        (folder / name).write_text(MARKER.format(str(tmp_path / "it ran")))
    monkeypatch.setattr(sys, "path", ["", *sys.path])  # as of `python -c`: the working directory
    with load_archive(folder) as model:
        (answer,) = model.predict(["the rain"])
    assert answer.status == 200
    assert not (tmp_path / "it ran").exists()


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        (
            {"model_type": "bert", "architectures": ["BertForTokenClassification"]},
            "BertForTokenClassification",
        ),
        ({"model_type": "bert"}, "names no class"),
        ({"architectures": ["BertModel"]}, "has no MAR-INF/MANIFEST.json"),
    ],
)
def test_a_folder_that_no_handler_answers_with_is_refused(tmp_path, config, problem):
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ArchiveError, match=problem), open_archive(tmp_path):
        pass


def test_torchserve_is_to_get_an_archive_of_it(tmp_path):
    config = {"model_type": "bert", "architectures": ["BertForSequenceClassification"]}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ServerError, match=r"torch-model-archiver .* --handler text_classifier --extra-files"):
        served_model(tmp_path, None)


def test_an_archive_of_it_is_answered_from_wherever_it_lies_in_the_archive(saved_model, tmp_path):
    from model_archiver.model_archiver_config import ModelArchiverConfig
    from model_archiver.model_packaging import generate_model_archive

    above = tmp_path / "above"
    shutil.copytree(saved_model("bert"), above / "bert")
    for number, folder in enumerate((saved_model("bert"), above)):
        generate_model_archive(
            ModelArchiverConfig(
                model_name=f"bert{number}",
                version="1.0",
                handler="text_classifier",
                extra_files=str(folder),
                export_path=str(tmp_path),
            )
        )
        with load_archive(tmp_path / f"bert{number}.mar") as model:
            (answer,) = model.predict(["the rain"])
        assert answer.status == 200


def test_it_is_not_exported_since_its_preprocessing_would_be_lost(saved_model, tmp_path):
    from ts.runner.exporting.export import export_archive

    with pytest.raises(ArchiveError, match=r"saved model folder of transformers, .* cannot be exported"):
        export_archive(saved_model("bert"), tmp_path / "bert.mar")
