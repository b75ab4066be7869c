"""ts.utils.util: labels, and what torchserve's server and its handlers import from here."""

from __future__ import annotations

import json
import types

import pytest
import torch

from ts.utils import util


@pytest.fixture
def mapping_file(tmp_path):
    def write(content) -> str:
        path = tmp_path / "index_to_name.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    return write


@pytest.mark.parametrize(
    ("content", "mapping"),
    [
        ({"0": "cat", "1": "dog"}, {"0": "cat", "1": "dog"}),
        ({"0": ["n02123045", "tabby"]}, {"0": "tabby"}),
        ({"object_type_names": ["person", "bicycle"]}, {"0": "person", "1": "bicycle"}),
        ({"object_type_names": {"1": "person"}}, {"1": "person"}),
        ({"0": "猫"}, {"0": "猫"}),
        ('\ufeff{"0": "cat"}', {"0": "cat"}),
        (["cat", "dog"], {"0": "cat", "1": "dog"}),
        ({"classes": ["cat", "dog"]}, {"0": "cat", "1": "dog"}),
        ({"label_map": {"0": "cat"}}, {"0": "cat"}),
        ({"cat": 0, "dog": 1}, {"0": "cat", "1": "dog"}),
        ({"labels": {"cat": 1, "dog": 0}}, {"1": "cat", "0": "dog"}),
        ({"id2label": {"0": "cat"}, "label2id": {"cat": 0}, "model_type": "vit"}, {"0": "cat"}),
    ],
)
def test_each_form_of_index_to_name_is_read(content, mapping, mapping_file):
    assert util.load_label_mapping(mapping_file(content)) == mapping


def test_no_index_to_name_means_no_labels(tmp_path, caplog):
    assert util.load_label_mapping(str(tmp_path / "index_to_name.json")) is None
    assert "answers show class indexes" in caplog.text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "index_to_name.json is not JSON"),
        ("7", 'must hold an object of the form {"0": "label", ...}'),
        ({"cat": 0, "dog": 0}, "the label of class cat must be a string or a list of strings: 0"),
        ({"0": 1, "1": 0}, "the label of class 0 must be a string or a list of strings: 1"),
        ({"0": 7}, "the label of class 0 must be a string or a list of strings: 7"),
        ({"0": []}, "the label of class 0 must be a string or a list of strings: []"),
    ],
)
def test_a_wrong_index_to_name_is_said(content, message, mapping_file):
    with pytest.raises(ValueError) as raised:
        util.load_label_mapping(mapping_file(content))
    assert message in str(raised.value)


MAPPING = {"0": "cat", "1": "dog", "2": "crane", "3": "crane"}


@pytest.mark.parametrize(
    ("mapping", "classes", "expected"),
    [
        (MAPPING, [[1, 0]], [{"dog": 0.7, "cat": 0.3}]),
        (MAPPING, None, [{"cat": 0.7, "dog": 0.3}]),
        (None, [[1, 0]], [{"1": 0.7, "0": 0.3}]),
        (MAPPING, [[9, 0]], [{"9": 0.7, "cat": 0.3}]),
        (MAPPING, [[3, 2]], [{"crane": 0.7, "crane (2)": 0.3}]),
    ],
    ids=["labels", "classes in order", "no labels", "a label is missing", "two classes with one label"],
)
def test_classes_are_named_in_their_order(mapping, classes, expected):
    found = util.map_class_to_label([[0.7, 0.3]], mapping, classes)
    assert found == expected
    assert list(found[0]) == list(expected[0])


def test_a_tensor_is_refused():
    with pytest.raises(TypeError, match="call tolist"):
        util.map_class_to_label(torch.tensor([[0.7, 0.3]]), MAPPING, [[0, 1]])


def test_a_modules_own_classes_are_listed():
    module = types.ModuleType("handlers")
    exec("import json\nclass A: pass\nclass B(A): pass\nclass C: pass\n", vars(module))
    module.Imported = json.JSONDecoder
    assert [item.__name__ for item in util.list_classes_from_module(module)] == ["A", "B", "C"]
    assert [item.__name__ for item in util.list_classes_from_module(module, module.A)] == ["A", "B"]


HANDLER = "class Handler:\n    def handle(self, data, context): pass\n"


@pytest.mark.parametrize(
    ("source", "listed"),
    [
        (HANDLER, ["Handler"]),
        ("class Options: pass\n" + HANDLER + "class Settings: pass\n", ["Handler"]),
        ("class Options: pass\n" + HANDLER + "Alias = Handler\n", ["Handler"]),
        (HANDLER + "class Other(Handler): pass\n", ["Handler", "Other"]),
        ("class Options: pass\nclass Settings:\n    handle = 3\n", ["Options", "Settings"]),
        ("class Lonely: pass\n", ["Lonely"]),
    ],
    ids=["alone", "options beside it", "by two names", "two handlers", "no handler", "a class alone"],
)
def test_the_one_handler_of_a_module_stands_for_it(source, listed):
    module = types.ModuleType("handlers")
    exec(source, vars(module))
    assert [item.__name__ for item in util.list_classes_from_module(module)] == listed


def test_a_handler_is_no_answer_to_the_question_for_other_classes():
    module = types.ModuleType("handlers")
    exec("class Options: pass\n" + HANDLER, vars(module))
    assert util.list_classes_from_module(module, module.Options) == [module.Options]
    assert util.list_classes_from_module(module, object) == [module.Handler, module.Options]


def test_backends_of_torch_compile_are_known(caplog):
    assert util.check_valid_pt2_backend("inductor")
    assert not util.check_valid_pt2_backend("INDUCTOR")
    assert "INDUCTOR is not a supported backend" in caplog.text


def test_a_prediction_exception_carries_its_status():
    error = util.PredictionException("too hot", 422)
    assert (error.message, error.error_code, str(error)) == ("too hot", 422, "too hot : 422")
    assert util.PredictionException("no status").error_code == 500


def test_yaml_is_read(tmp_path):
    (tmp_path / "model-config.yaml").write_text("minWorkers: 1\nhandler:\n  topk: 3\n")
    assert util.get_yaml_config(str(tmp_path / "model-config.yaml")) == {
        "minWorkers": 1,
        "handler": {"topk": 3},
    }


def test_a_deprecated_function_names_its_replacement():
    @util.deprecated("0.9", "new()")
    def old(value):
        return value + 1

    with pytest.warns(PendingDeprecationWarning, match=r"old is deprecated since 0.9; use new\(\)"):
        assert old(1) == 2


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [("<b>bold</b>", "bold"), ("a &amp; b", "a  b"), ("&#39;x&#x2f;", "x"), ("a < b", "a < b")],
)
def test_the_cleanup_expression_removes_tags_and_entities(text, cleaned):
    assert util.CLEANUP_REGEX.sub("", text) == cleaned


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"[" * 100_000 + b"]" * 100_000, "has lists or mappings more than 64 deep"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "has lists or mappings more than 64 deep"),
        (b'{"0": ' + b"[" * 60 + b"7" * 390 + b"]" * 60 + b"}", "the label of class 0 must be a string"),
        (b'{"0": "' + b"a" * 9_000_000 + b'"}', "has 9000009 bytes, and 8388608 are the most"),
        (b'{"0": ' + b"7" * 5_000 + b"}", "has a number of 5000 characters"),
        (b'{"0": NaN}', "is not JSON"),
    ],
    ids=["lists", "mappings", "a value", "large", "a number", "NaN"],
)
def test_hostile_labels_are_refused_by_the_name_of_their_file(content, problem, tmp_path):
    (tmp_path / "index_to_name.json").write_bytes(content)
    with pytest.raises(ValueError, match=rf"^index_to_name\.json:? {problem}") as caught:
        util.load_label_mapping(tmp_path / "index_to_name.json")
    assert len(str(caught.value)) < 500
