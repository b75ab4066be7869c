"""Which handler answers with a saved model folder, and where in an archive it lies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ts.handler_utils.models.huggingface.heads import find_folder, handler_of, is_model_folder


def write_config(folder: Path, **config: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize(
    ("architecture", "handler"),
    [
        ("ViTForImageClassification", "image_classifier"),
        ("DeiTForImageClassificationWithTeacher", "image_classifier"),
        ("SegformerForSemanticSegmentation", "image_segmenter"),
        ("DetrForObjectDetection", "object_detector"),
        ("BertForSequenceClassification", "text_classifier"),
        ("BertModel", "embedder"),
    ],
)
def test_the_class_in_a_config_tells_the_handler(architecture, handler):
    assert handler_of({"architectures": [architecture]}) == handler


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"architectures": ["BertForTokenClassification"]}, "answers with a BertForTokenClassification"),
        ({"architectures": []}, "names no class"),
        ({"architectures": ["../x"]}, "names no class"),
        ({}, "names no class"),
    ],
)
def test_a_config_without_a_handler_is_refused_with_what_there_is(config, problem):
    with pytest.raises(ValueError, match=problem):
        handler_of(config)


def test_the_folder_is_found_at_the_root_or_in_it(tmp_path):
    assert find_folder(tmp_path) is None
    below = write_config(tmp_path / "resnet", model_type="resnet")
    write_config(tmp_path / "1_Pooling", pooling_mode_cls_token=True)
    write_config(below / "onnx", model_type="resnet")
    assert find_folder(tmp_path) == below
    write_config(tmp_path, model_type="resnet")
    assert find_folder(tmp_path) == tmp_path


def test_of_two_folders_side_by_side_none_is_chosen(tmp_path):
    for name in "ab":
        write_config(tmp_path / name, model_type="bert")
    with pytest.raises(ValueError, match="several saved model folders, a, b"):
        find_folder(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", '{"model_type": 5}', '{"model_type": NaN}', "{}"])
def test_a_config_that_is_something_else_makes_no_folder(tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    assert not is_model_folder(tmp_path)
