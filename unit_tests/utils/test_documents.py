"""YAML and JSON that anyone may have written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from ts.utils.documents import DocumentError, one_line, read_json, read_yaml, shown
from ts.utils.util import get_yaml_config


def doubling(levels: int, copy: str) -> bytes:
    """`levels` lines, each of which stands for nine times what the line before it does."""
    lines = [
        f"a0: &a0 {{x: 1}}\n{''.join(copy % (i, i, ', '.join([f'*a{i - 1}'] * 9)) for i in range(1, levels))}"
    ]
    return "".join(lines).encode()


ALIASES = doubling(10, "a%d: &a%d [%s]\n")
MERGED = doubling(10, "a%d: &a%d {<<: [%s]}\n")
HALVES = b"a0: &a0 [x]\n" + b"".join(b"a%d: &a%d [*a%d, *a%d]\n" % (i, i, i - 1, i - 1) for i in range(1, 26))


def test_settings_with_aliases_and_merge_keys_are_read() -> None:
    text = b"shared: &shared {topk: 3}\nhandler: {<<: *shared, labels: [a, b]}\nagain: *shared\n"
    assert read_yaml(text) == {
        "shared": {"topk": 3},
        "handler": {"topk": 3, "labels": ["a", "b"]},
        "again": {"topk": 3},
    }


@pytest.mark.parametrize("text", [b"", b"# nothing\n", "ключ: значение".encode("utf-16")])
def test_a_small_document_is_read_as_by_pyyaml(text: bytes) -> None:
    assert read_yaml(text) == yaml.safe_load(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ALIASES, "stands for more than 20000 values, the most that are read"),
        (MERGED, "stands for more than 20000 values, the most that are read"),
        (HALVES, "stands for more than 20000 values, the most that are read"),
        (b"&a [*a]", "has an alias that stands for itself"),
        (b"&a {b: {? *a : c}}", "has an alias that stands for itself"),
        (b"[" * 65 + b"]" * 65, "has lists or mappings more than 64 deep"),
        (b"[" * 60_000, "has lists or mappings more than 64 deep"),
        (b"- " * 30_000, "has lists or mappings more than 64 deep"),
        (b"a: " + b"x" * 65_536, "has 65539 bytes, and 65536 are the most that is read"),
        (b"batchSize: 0x" + b"f" * 5000, "has a number of 5002 characters"),
        (b"batchSize: " + b"1:" * 5000 + b"1", "has a number of 10001 characters"),
        (b"a: 2001-99-99", "is not YAML: month must be in 1..12"),
        (b"a: !!bool perhaps", "is not YAML: 'perhaps'"),
        (b"a: !!timestamp then", "is not YAML: 'NoneType' object"),
        (b"!!python/object/apply:os.getcwd []", "is not YAML: could not determine a constructor"),
        (b"a: [", "is not YAML: while parsing a flow node"),
        (b"\xff\xfe\x00", "is not YAML: "),
    ],
)
def test_other_yaml_is_one_sentence(text: bytes, message: str) -> None:
    with pytest.raises(DocumentError) as raised:
        read_yaml(text)
    assert str(raised.value).startswith(message)
    assert len(str(raised.value)) < 400
    assert "\n" not in str(raised.value)


def test_64_levels_and_20000_values_are_read() -> None:
    assert repr(read_yaml(b"[" * 64 + b"]" * 64)) == "[" * 64 + "]" * 64
    assert len(read_yaml(b"[" + b"1," * 19_999 + b"]")) == 19_999


def test_a_worker_reads_its_settings_by_the_same_rules(tmp_path: Path) -> None:
    """What torchserve's worker calls for model-config.yaml, before a handler sees it."""
    (tmp_path / "model-config.yaml").write_bytes(ALIASES)
    with pytest.raises(yaml.YAMLError, match=r"^model-config\.yaml stands for more than 20000 values"):
        get_yaml_config(tmp_path / "model-config.yaml")


@pytest.mark.parametrize("value", [{"a": [1, 2.5, None, True]}, [], "é", 0])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_json_is_read(value: Any, mark: str) -> None:

    assert read_json((mark + json.dumps(value, ensure_ascii=False)).encode()) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"[" * 100_000, "has lists or mappings more than 64 deep"),
        (b'{"a":' * 100_000, "has lists or mappings more than 64 deep"),
        (b"[" * 65 + b"]" * 65, "has lists or mappings more than 64 deep"),
        (b"[NaN]", "is not JSON: it has 'NaN' as a number"),
        (b"-Infinity", "is not JSON: it has '-Infinity' as a number"),
        (b"1e999", "is not JSON: it has '1e999' as a number"),
        (b"9" * 5000, "has a number of 5000 characters"),
        (b"", "is not JSON: Expecting value"),
        (b"\xff", "is not JSON: 'utf-8' codec can't decode"),
        (b" " * 101, "has 101 bytes, and 100 are the most that is read"),
    ],
)
def test_other_json_is_one_sentence(text: bytes, message: str) -> None:
    largest = 100 if text.isspace() else 8 << 20
    with pytest.raises(DocumentError) as raised:
        read_json(text, largest)
    assert str(raised.value).startswith(message)
    assert "\n" not in str(raised.value)


def test_what_an_error_shows_is_short() -> None:
    assert shown("a") == "'a'"
    assert shown(["x" * 1000]) == "['" + "x" * 98 + "..."
    assert one_line(ValueError("a\n b")) == "a b"
    assert one_line(EOFError()) == "EOFError"
    assert len(one_line(ValueError("x" * 9999))) == 303
