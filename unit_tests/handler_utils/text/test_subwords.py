"""A transformer's texts are cut where its training cut them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Callable

import pytest
from other_process import run

from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.text.subwords import SubwordTokenizer, length_limit

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a tokenizer.json of words, with the special tokens [CLS] and [SEP] if `special`."""
    library = pytest.importorskip("tokenizers", reason="transformers' texts need tokenizers")

    def run(special: bool = True, **truncation: Any) -> Path:
        words = {word: index for index, word in enumerate(["[UNK]", "[CLS]", "[SEP]", "a", "b", "c"])}
        tokenizer = library.Tokenizer(library.models.WordLevel(words, unk_token="[UNK]"))
        tokenizer.pre_tokenizer = library.pre_tokenizers.WhitespaceSplit()
        if special:
            tokenizer.post_processor = library.processors.TemplateProcessing(
                single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
            )
        if truncation:
            tokenizer.enable_truncation(**truncation)
        path = tmp_path / "tokenizer.json"
        tokenizer.save(str(path))
        return path

    return run


def test_a_text_is_cut_between_its_special_tokens_and_tells_how_long_it_was(write: Write) -> None:
    text = SubwordTokenizer(write(), 5).encode("a b c a b c a")
    assert text.words == ["[CLS]", "a", "b", "c", "[SEP]"]
    assert text.indexes == [1, 3, 4, 5, 2]
    assert text.uncut == 9


@pytest.mark.parametrize("special", [True, False])
@pytest.mark.parametrize("words", [1, 2, 3, 4, 5, 6, 7, 100, 16_001])
def test_the_length_before_the_cut_is_that_without_one(special: bool, words: int, write: Write) -> None:
    whole = words + 2 * special
    text = SubwordTokenizer(write(special), 5).encode("a " * words)
    assert (len(text.indexes), text.uncut) == ((whole, 0) if whole <= 5 else (5, whole))


def test_the_files_own_truncation_counts_and_its_direction(write: Write) -> None:
    path = write(max_length=4, direction="left", stride=1)
    assert SubwordTokenizer(path).encode("a a a b c").words == ["[CLS]", "b", "c", "[SEP]"]
    assert SubwordTokenizer(path).encode("a a a b c").uncut == 7
    assert SubwordTokenizer(path, 5).encode("a a a b c").words == ["[CLS]", "a", "b", "c", "[SEP]"]


def test_without_one_the_files_beside_it_count_and_else_bert_s(write: Write, tmp_path: Path) -> None:
    path = write()
    text = "a " * 600
    assert len(SubwordTokenizer(path).encode(text).indexes) == 512
    (tmp_path / "config.json").write_text(json.dumps({"max_position_embeddings": 40}))
    assert len(SubwordTokenizer(path).encode(text).indexes) == 40
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"model_max_length": 30}))
    assert len(SubwordTokenizer(path).encode(text).indexes) == 30
    assert len(SubwordTokenizer(path, 20).encode(text).indexes) == 20


@pytest.mark.parametrize(
    ("tokenizer", "model", "limit"),
    [
        ({"model_max_length": 10**30}, {"max_position_embeddings": 1024}, 1024),  # "as many as you like"
        ({"model_max_length": int(1e30)}, {}, 512),
        ({"model_max_length": None}, {"max_position_embeddings": -1}, 512),
        ({"model_max_length": True}, {"max_position_embeddings": "512"}, 512),
        ({}, {"max_position_embeddings": 514, "model_type": "roberta"}, 512),
        ({}, {"max_position_embeddings": 514, "model_type": "bert"}, 514),
        ([], 5, 512),
    ],
)
def test_a_length_that_is_none_is_left_out(tokenizer: Any, model: Any, limit: int, tmp_path: Path) -> None:
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    (tmp_path / "config.json").write_text(json.dumps(model))
    assert length_limit(tmp_path) == limit


def test_a_file_that_is_no_json_stops_the_load_by_its_name(write: Write, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"^config\.json is not JSON: "):
        SubwordTokenizer(write())


def test_a_length_without_room_for_a_text_stops_the_load(write: Write) -> None:
    with pytest.raises(ValueError, match="max_length is 2, and 2 tokens of a text are special ones"):
        SubwordTokenizer(write(), 2)
    assert SubwordTokenizer(write(), 3).encode("a b").words == ["[CLS]", "a", "[SEP]"]


def test_a_text_without_tokens_is_refused(write: Write) -> None:
    with pytest.raises(InvalidInput, match="The text has no tokens"):
        SubwordTokenizer(write(special=False)).encode(" ")


GROWTH = """
import random, resource
from tokenizers import Tokenizer, models, pre_tokenizers
from ts.handler_utils.text.subwords import SubwordTokenizer

letters = sorted(pre_tokenizers.ByteLevel.alphabet())
tokenizer = Tokenizer(models.BPE({letter: index for index, letter in enumerate(letters)}, []))
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.save("tokenizer.json")
tokenizer = SubwordTokenizer("tokenizer.json")

def encode(times):
    for _ in range(times):
        tokenizer.encode("".join(random.choices("abcdefgh", k=99_000)))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

answer((encode(5), encode(60)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts memory in units of Linux")
def test_words_without_end_are_not_remembered(tmp_path: Path) -> None:
    """By tokenizers before 0.21 each took 3 MB, up to 30 GB."""
    pytest.importorskip("tokenizers", reason="transformers' texts need tokenizers")
    before, after = run(GROWTH, {}, tmp_path)
    assert after - before < 50_000  # kB


def nest(_: Any) -> str:
    return '{"a":' * 100_000 + "1" + "}" * 100_000


def name_a_missing_token(content: dict[str, Any]) -> str:
    content["post_processor"]["special_tokens"] = {}
    return json.dumps(content)


def damage_a_table(content: dict[str, Any]) -> str:
    content["normalizer"] = {"type": "Precompiled", "precompiled_charsmap": "////"}
    return json.dumps(content)


@pytest.mark.parametrize("change", [nest, name_a_missing_token, damage_a_table])
def test_a_hostile_file_is_refused_by_its_name(change: Callable[[Any], str], write: Write) -> None:
    path = write()
    path.write_text(change(json.loads(path.read_text())))
    with pytest.raises(ValueError, match=r"^tokenizer\.json is not a tokenizer of the library tokenizers"):
        SubwordTokenizer(path, 5)


def test_padding_that_claims_terabytes_is_not_done(write: Write) -> None:
    path = write()
    content = json.loads(path.read_text())
    content["padding"] = {
        "strategy": {"Fixed": 10**12},
        "direction": "Right",
        "pad_to_multiple_of": None,
        "pad_id": 0,
        "pad_type_id": 0,
        "pad_token": "[UNK]",
    }
    path.write_text(json.dumps(content))
    assert SubwordTokenizer(path, 5).encode("a").indexes == [1, 3, 2]
