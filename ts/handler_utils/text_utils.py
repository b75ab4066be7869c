"""Tokens and n-grams as torchtext makes them, without torchtext."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Callable, Optional, Union

Tokenizer = Callable[[str], list[str]]

_SPACED = str.maketrans({**{mark: f" {mark} " for mark in "'.,()!?"}, **dict.fromkeys(";:", " ")})


def get_tokenizer(tokenizer: Optional[Union[str, Tokenizer]], language: str = "en") -> Tokenizer:
    """A function that splits a text into tokens.

    Args:
        tokenizer: "basic_english" lowers the case, splits at whitespace, `;` and `:`, makes each of `'.,()!?` a
            token of its own, and drops `"` and `<br />`; None splits at whitespace; a function is returned as
            it is.
        language: of the texts; "basic_english" knows "en" only.

    Raises:
        ValueError: there is no such tokenizer, or not for that language.
    """
    if tokenizer is None:
        return str.split
    if callable(tokenizer):
        return tokenizer
    if tokenizer != "basic_english":
        raise ValueError(f'tokenizer must be "basic_english", None or a function, not {tokenizer!r}')
    if language != "en":
        raise ValueError(f'The tokenizer "basic_english" is for the language "en", not {language!r}')
    return _basic_english


def _basic_english(text: str) -> list[str]:
    return text.lower().replace('"', "").replace("<br />", " ").translate(_SPACED).split()


def ngrams_iterator(token_list: Iterable[str], ngrams: int) -> Iterator[str]:
    """The tokens, then their pairs, their triples, and so on.

    Args:
        token_list: the tokens of a text.
        ngrams: the most tokens to join, by spaces, into one.

    Examples:
        >>> list(ngrams_iterator(["here", "we", "are"], 2))
        ['here', 'we', 'are', 'here we', 'we are']
    """
    tokens = list(token_list)
    grams = (
        map(" ".join, zip(*(tokens[start:] for start in range(length)))) for length in range(2, ngrams + 1)
    )
    return chain(tokens, *grams)
