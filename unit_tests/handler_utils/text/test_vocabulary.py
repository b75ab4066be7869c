"""Vocabularies are read in every form that archives hold them in, and nothing else is unpickled."""

from __future__ import annotations

import collections
import json
import pickle
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
import torch

from ts.handler_utils.text.vocabulary import Vocabulary, look_up, read_vocabulary
from ts.handler_utils.text.vocabulary_pickle import SavedObject

INDEXES = {"<unk>": 0, "rain": 1, "rain today": 2}


@pytest.fixture
def old_torchtext(monkeypatch):
    """A module `torchtext.vocab` whose class pickles as torchtext 0.4 to 0.8 did; it is gone for the reading."""
    package, module = ModuleType("torchtext"), ModuleType("torchtext.vocab")

    class Vocab:
        def __init__(self, indexes, unk_index):
            self.freqs = collections.Counter(rain=2)
            self.itos = list(indexes)
            self.unk_index = unk_index
            self.stoi = collections.defaultdict(lambda: unk_index, indexes)
            self.vectors = torch.zeros(len(indexes), 2)

        def __getstate__(self):
            return {**self.__dict__, "stoi": dict(self.stoi)}

    def _default_unk_index():
        return 0

    for value in (Vocab, _default_unk_index):
        value.__module__, value.__qualname__ = "torchtext.vocab", value.__name__
        setattr(module, value.__name__, value)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "torchtext", package)
        patch.setitem(sys.modules, "torchtext.vocab", module)
        yield module


def test_a_vocabulary_that_torchtext_018_saved_is_read_without_torchtext():
    vocabulary = read_vocabulary(Path(__file__).with_name("files") / "source_vocab_torchtext018.pt")
    assert vocabulary == {"<unk>": 0, "hello": 1, "hello world": 2, "news": 3, "world": 4}
    assert vocabulary["never seen"] == 0


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before torch 1.6"])
def test_a_vocabulary_of_torchtext_before_09_is_read_without_torchtext(old_torchtext, zipped, tmp_path):
    path = tmp_path / "source_vocab.pt"
    torch.save(old_torchtext.Vocab(INDEXES, 0), path, _use_new_zipfile_serialization=zipped)
    vocabulary = read_vocabulary(path)
    assert vocabulary == INDEXES
    assert vocabulary["never seen"] == 0


def test_a_vocabulary_of_torchtext_before_04_is_read_with_its_default_function(old_torchtext, tmp_path):
    path = tmp_path / "source_vocab.pt"
    saved = old_torchtext.Vocab(INDEXES, None)
    saved.__dict__.pop("unk_index")
    type(saved).__getstate__ = lambda self: self.__dict__
    saved.stoi = collections.defaultdict(old_torchtext._default_unk_index, INDEXES)
    torch.save(saved, path)
    assert read_vocabulary(path)(["rain", "never seen"]) == [1, 0]


@pytest.mark.parametrize(
    "save", [torch.save, lambda value, path: path.write_bytes(pickle.dumps(value))], ids=["torch", "pickle"]
)
@pytest.mark.parametrize(
    "value", [INDEXES, collections.OrderedDict(INDEXES), list(INDEXES)], ids=["dict", "OrderedDict", "list"]
)
def test_a_saved_dictionary_or_list_is_read(save, value, tmp_path):
    path = tmp_path / "source_vocab.pt"
    save(value, path)
    assert read_vocabulary(path) == INDEXES


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(INDEXES),
        json.dumps(INDEXES, indent=1),
        json.dumps(list(INDEXES)),
        "".join(json.dumps(token) + "\n" for token in INDEXES),
        "".join(json.dumps([token, index]) + "\n" for token, index in INDEXES.items()),
        "".join(json.dumps({"token": token, "index": index}) + "\n" for token, index in INDEXES.items()),
        "<unk>\nrain\nrain today\n",
        "<unk>\r\nrain\r\nrain today",
    ],
)
def test_json_json_lines_and_a_token_a_line_are_read(text, tmp_path):
    path = tmp_path / "source_vocab.pt"
    path.write_bytes(text.encode())
    assert read_vocabulary(path) == INDEXES


def test_a_word_out_of_vocabulary_has_the_index_of_unk(tmp_path):
    path = tmp_path / "vocab.json"
    path.write_text(json.dumps({"rain": 0, "<unk>": 1}))
    vocabulary = read_vocabulary(path)
    assert vocabulary["never seen"] == 1
    assert look_up(vocabulary, ["never seen", "rain"]) == [1, 0]


def test_without_unk_a_word_out_of_vocabulary_is_left_out(tmp_path):
    path = tmp_path / "vocab.json"
    path.write_text(json.dumps({"rain": 0, "snow": 1}))
    vocabulary = read_vocabulary(path)
    with pytest.raises(KeyError, match="never seen"):
        vocabulary["never seen"]
    assert look_up(vocabulary, ["never seen", "snow"]) == [1]


def test_a_vocabulary_offers_torchtexts_methods_for_reading():
    vocabulary = Vocabulary({"snow": 1, "rain": 0}, default_index=1)
    assert vocabulary(["rain", "hail"]) == [0, 1]
    assert vocabulary.get_default_index() == 1
    assert vocabulary.get_stoi() == {"snow": 1, "rain": 0}
    assert vocabulary.get_itos() == ["rain", "snow"]
    assert "hail" not in vocabulary


class Trap:
    def __reduce__(self):
        return (eval, ("1 / 0",))


def test_a_pickle_that_names_anything_else_is_refused_by_name(tmp_path):
    path = tmp_path / "source_vocab.pt"
    path.write_bytes(pickle.dumps({"rain": Trap()}, protocol=4))
    with pytest.raises(
        ValueError, match=r"source_vocab\.pt cannot be read: it names builtins\.eval, which no"
    ):
        read_vocabulary(path)


@pytest.mark.parametrize("name", ["collections Counter", "torchtext.vocab Vocab"])
def test_a_pickle_cannot_change_a_class_of_this_process(name, tmp_path):
    module, _, attribute = name.partition(" ")
    # PROTO 2, GLOBAL, the tuple (None, {"update": 1}), BUILD, STOP: BUILD sets attributes, of a class too.
    pickled = f"\x80\x02c{module}\n{attribute}\n(N}}X\x06\0\0\0updateK\x01stb."
    path = tmp_path / "source_vocab.pt"
    path.write_bytes(pickled.encode("latin-1"))
    with pytest.raises(ValueError, match="cannot be read"):
        read_vocabulary(path)
    assert callable(collections.Counter.update)
    assert not hasattr(SavedObject, "update")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\x80\x02", "damaged"),
        (b"\x80\x04\x95", "truncated"),
        (b'{"rain": "one"}', "the index of the token 'rain' must be a whole number from 0 on: 'one'"),
        (b'{"rain": true}', "must be a whole number"),
        (b'{"rain": -1}', "must be a whole number"),
        (b"{}", "it is empty"),
        (b'"rain"\nsnow\n', "line 2 is not JSON"),
        (b'"rain"\n3\n', "line 2 must be a token"),
        (b"\xff\xfe", "utf-8"),
    ],
)
def test_a_damaged_vocabulary_is_refused_with_what_is_wrong(content, problem, tmp_path):
    path = tmp_path / "source_vocab.pt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"source_vocab\.pt cannot be read: .*{problem}"):
        read_vocabulary(path)


def test_a_model_saved_in_place_of_a_vocabulary_is_refused(tmp_path):
    path = tmp_path / "source_vocab.pt"
    torch.save(torch.nn.Linear(1, 1), path)
    with pytest.raises(ValueError, match=r"it names torch\.nn\.modules\.linear\.Linear"):
        read_vocabulary(path)


def test_what_torchtext_itself_saves_is_read(tmp_path: Path) -> None:
    torchtext = pytest.importorskip("torchtext.vocab", reason="torchtext, which --oldest has")
    saved = torchtext.build_vocab_from_iterator([["rain", "snow", "rain"]], specials=["<unk>"])
    saved.set_default_index(saved["<unk>"])
    torch.save(saved, tmp_path / "source_vocab.pt")
    found = read_vocabulary(tmp_path / "source_vocab.pt")
    assert found.get_stoi() == saved.get_stoi() == {"<unk>": 0, "rain": 1, "snow": 2}
    assert found(["snow", "hail", "rain"]) == saved(["snow", "hail", "rain"]) == [2, 0, 1]


HOSTILE = {
    "lists": b"[" * 100_000 + b"]" * 100_000,
    "mappings": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a line": b'"rain"\n' + b"[" * 100_000 + b"\n",
    "a memo": b"\x80\x02}r\x00\x00\x00\x80.",
    "a bytearray": b"\x80\x05\x96\x00\x00\x00\x00\x00\x01\x00\x00.",
    "a key": b"\x80\x02}(K\x01" + b"\x85" * 1_000_000 + b"K\x01u.",
    "a value": b"\x80\x02}(X\x01\x00\x00\x00a" + b"]" * 100_000 + b"a" * 99_999 + b"u.",
    "a set": b"\x80\x02cbuiltins\nset\n]K\x01" + b"\x85" * 1_000_000 + b"a\x85R.",
    "a counter": b"\x80\x02ccollections\nCounter\n}(K\x01\x85K\x02u\x85R.",
    "a token that is a list": b'[["rain"], "snow"]',
    "a state": b"\x80\x02ctorchtext._torchtext\nVocab\n)\x81(K\x01K\x02K\x03K\x04tb.",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_vocabulary_is_refused_by_the_name_of_its_file(name, tmp_path):
    (tmp_path / "source_vocab.pt").write_bytes(HOSTILE[name])
    with pytest.raises(ValueError, match=r"^The vocabulary source_vocab\.pt cannot be read: ") as caught:
        read_vocabulary(tmp_path / "source_vocab.pt")
    assert len(str(caught.value)) < 500


def test_a_compressed_vocabulary_is_refused_before_it_is_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "source_vocab.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("vocab/data.pkl", b"\x80\x02" + b"\x00" * 100_000)
    with pytest.raises(ValueError, match="the zip file is compressed"):
        read_vocabulary(tmp_path / "source_vocab.pt")
