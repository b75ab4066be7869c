"""Tokens and n-grams are those of torchtext, and of torchserve's copy of it."""

from __future__ import annotations

import pytest

from ts.handler_utils.text_utils import get_tokenizer, ngrams_iterator

TEXTS = [
    "You can now install TorchText using pip!",
    "U.S.A. it's",
    'Hello,world!(x);y:z?"q" <br /> <BR /> <br/> a\'b \n c',
    'a<br "/>b<br ;/>c',
    "  ",
    "",
    "É ß",
]

UPSTREAM = """
from ts.handler_utils.text_utils import get_tokenizer, ngrams_iterator
tokenize = get_tokenizer("basic_english")
answer([[tokenize(text), list(ngrams_iterator(tokenize(text), 3))] for text in arguments["texts"]])
"""


def test_basic_english_and_ngrams_are_those_of_torchserve(upstream):
    tokenize = get_tokenizer("basic_english")
    ours = [[tokenize(text), list(ngrams_iterator(tokenize(text), 3))] for text in TEXTS]
    assert ours == upstream(UPSTREAM, texts=TEXTS)


def test_basic_english_makes_tokens_of_punctuation():
    tokens = get_tokenizer("basic_english")('Rain, snow; "hail": it\'s all (wet)!')
    assert tokens == ["rain", ",", "snow", "hail", "it", "'", "s", "all", "(", "wet", ")", "!"]


def test_none_splits_at_whitespace_and_a_function_is_taken_as_it_is():
    assert get_tokenizer(None)("A b\tc") == ["A", "b", "c"]
    assert get_tokenizer(list) is list


def test_an_unknown_tokenizer_is_refused():
    with pytest.raises(ValueError, match="not 'moses'"):
        get_tokenizer("moses")
    with pytest.raises(ValueError, match="not 'de'"):
        get_tokenizer("basic_english", language="de")


def test_ngrams_follow_the_words():
    assert list(ngrams_iterator(["here", "we", "are"], 3)) == [
        *("here", "we", "are"),
        *("here we", "we are"),
        "here we are",
    ]
    assert list(ngrams_iterator(iter(["here", "we"]), 1)) == ["here", "we"]


@pytest.mark.parametrize(
    "text", ["You can now install (TorchText) using pip!", "a, b; c: d. 'e' \"f\"<br />g?"]
)
def test_tokens_and_ngrams_are_torchtexts_own(text: str) -> None:
    torchtext = pytest.importorskip("torchtext.data.utils", reason="torchtext, which --oldest has")
    tokens = get_tokenizer("basic_english")(text)
    assert tokens == torchtext.get_tokenizer("basic_english")(text)
    assert list(ngrams_iterator(tokens, 3)) == list(torchtext.ngrams_iterator(tokens, 3))
