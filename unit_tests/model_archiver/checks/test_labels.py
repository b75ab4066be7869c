"""index_to_name.json among the extra files: what the handlers read is packed, and what they do not is refused."""

from __future__ import annotations

import json

import pytest
from model_archiver.checks.labels import check_labels
from model_archiver.model_archiver_error import ModelArchiverError

from ts.utils.util import load_label_mapping

RIGHT = {
    "labels": '{"0": "a", "1": "b"}',
    "lists": '{"0": ["n01", "a"], "1": ["n02", "b"]}',
    "none": "{}",
    "object_type_names": '{"object_type_names": ["a", "b"]}',
    "object_type_names as a mapping": '{"object_type_names": {"0": "a", "1": "b"}}',
    "a list": '["a", "b"]',
    "a list under a key": '{"labels": ["a", "b"]}',
    "a mapping under a key": '{"labels": {"0": "a", "1": "b"}}',
    "id2label": '{"id2label": {"0": "a", "1": "b"}}',
    "indexes": '{"a": 0, "b": 1}',
    "a byte order mark": '\ufeff{"0": "a"}',
}
WRONG = {
    "no JSON": "{0: 'a'}",
    "half": '{"0": "a"',
    "nothing": "",
    "a number": "7",
    "a number of several": '{"0": "a", "1": 7}',
    "one index twice": '{"a": 0, "b": 0}',
    "numbers alone": '{"0": 1, "1": 0}',
    "a fraction": '{"a": 0.5}',
    "truth": '{"a": true}',
    "a number in a list": '["a", 7]',
    "an empty list of names": '{"0": "a", "1": []}',
    "an object in an object": '{"0": "a", "1": {"name": "b"}}',
}


@pytest.fixture
def labels(tmp_path):
    """The file with this text."""

    def write(text):
        path = tmp_path / "index_to_name.json"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


@pytest.mark.parametrize("name", RIGHT)
def test_a_form_that_the_handlers_read_is_right(labels, name):
    path = labels(RIGHT[name])
    check_labels(path)
    assert set(load_label_mapping(path)) <= {"0", "1"}


@pytest.mark.parametrize("name", WRONG)
def test_a_form_that_they_do_not_read_is_refused(labels, name):
    path = labels(WRONG[name])
    with pytest.raises(ModelArchiverError, match=r"^the extra file .*_name\.json (is not JSON: |holds no)"):
        check_labels(path)
    with pytest.raises(ValueError, match=r"index_to_name\.json"):
        load_label_mapping(path)


VALUES = [
    "a",
    0,
    1,
    True,
    None,
    [],
    ["a"],
    [["a"]],
    ["n", 1],
    {},
    {"0": "b"},
    {"b": 0},
    {"c": ["b"]},
    {"c": 1.5},
]
KEYS = ["0", "a", "id2label", "object_type_names"]


def test_the_handlers_agree_on_every_small_object(labels):
    alone = [*VALUES, *([value] for value in VALUES), *({key: value} for key in KEYS for value in VALUES)]
    pairs = [
        {key: one, "1": other} for key in KEYS for one in VALUES for other in ("a", 0, ["b"], {"0": "b"})
    ]
    for content in [*alone, *pairs]:
        path = labels(json.dumps(content))
        assert is_right(check_labels, path) == is_right(load_label_mapping, path), content


def is_right(read, path):
    try:
        read(path)
    except (ModelArchiverError, ValueError):
        return False
    return True


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_another_encoding_is_refused(labels, encoding):
    path = labels('{"0": "ä"}'.encode(encoding))
    with pytest.raises(ModelArchiverError, match="is not JSON: "):
        check_labels(path)


@pytest.fixture
def broken(inputs):
    """The folder extra/ with labels of which a comma is missing."""
    (inputs / "extra" / "index_to_name.json").write_text('{"0": "a" "1": "b"}')


def test_a_default_handler_refuses_them(pack, broken):
    with pytest.raises(ModelArchiverError, match=r"^the extra file extra/index_to_name\.json is not JSON: "):
        pack(handler="image_classifier", extra_files="extra")


def test_a_handler_of_ones_own_may_read_them_in_its_own_way(pack, broken, contents, caplog):
    assert "index_to_name.json" in contents(pack(extra_files="extra"))
    (message,) = caplog.messages
    assert message.startswith("the extra file extra/index_to_name.json is not JSON: ")


def test_a_file_of_that_name_below_a_folder_is_none_of_the_handlers(pack, inputs, contents):
    (inputs / "extra" / "below" / "index_to_name.json").write_text(json.dumps(7))
    archive = pack(handler="image_classifier", extra_files="extra")
    assert contents(archive)["below/index_to_name.json"] == b"7"
