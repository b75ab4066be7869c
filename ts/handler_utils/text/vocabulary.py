"""Vocabularies: the index of each token, as archives hold them in source_vocab.pt."""

from __future__ import annotations

import json
import pickle
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Optional

from ts.handler_utils.text.vocabulary_pickle import SavedObject, load_pickle

UNKNOWN = "<unk>"


class Vocabulary(dict[str, int]):
    """Indexes by token, with torchtext's methods for reading.

    Args:
        indexes: the index of each token.
        default_index: what `vocabulary[token]` is for any other token; None makes it a KeyError.

    Example:
        >>> vocabulary = Vocabulary({"<unk>": 0, "rain": 1}, default_index=0)
        >>> vocabulary(["rain", "snow"])
        [1, 0]
    """

    def __init__(self, indexes: Mapping[str, int], default_index: Optional[int] = None) -> None:
        super().__init__(indexes)
        self.default_index = default_index

    def __missing__(self, token: str) -> int:
        if self.default_index is None:
            raise KeyError(token)
        return self.default_index

    def __call__(self, tokens: Iterable[str]) -> list[int]:
        return [self[token] for token in tokens]

    def get_default_index(self) -> Optional[int]:
        return self.default_index

    def get_stoi(self) -> dict[str, int]:
        return dict(self)

    def get_itos(self) -> list[str]:
        return sorted(self, key=self.__getitem__)


def read_vocabulary(path: str | Path) -> Vocabulary:
    """Reads a vocabulary; the content tells the form, whatever the file's name.

    Args:
        path: a `torchtext.vocab.Vocab` of any version, a dictionary `{token: index}` or a list of tokens, written
            by `torch.save` or `pickle.dump`; a JSON object `{token: index}`; JSON lines, each a token,
            `[token, index]` or `{"token": token, "index": index}`; or a token a line. Where no index is given,
            it is the number of the line, from 0.

    Returns:
        The vocabulary. Its default index is the saved one, else that of `<unk>`, else None.

    Raises:
        ValueError: the file is none of these; the message says what is wrong.
    """
    path = Path(path)
    try:
        return _from_object(load_pickle(path) if _is_binary(path) else _parse_text(path.read_text("utf-8")))
    except (ValueError, pickle.UnpicklingError) as error:
        raise ValueError(f"The vocabulary {path.name} cannot be read: {error}") from error


def look_up(vocabulary: Any, tokens: Iterable[str]) -> list[int]:
    """The indexes of tokens in a vocabulary of any class; tokens that it has no index for are left out."""
    tokens = list(tokens)
    with suppress(KeyError, RuntimeError):  # torchtext's raises RuntimeError where no default index is set
        return [vocabulary[token] for token in tokens]
    indexes = []
    for token in tokens:
        with suppress(KeyError, RuntimeError):
            indexes.append(vocabulary[token])
    return indexes


def _is_binary(path: Path) -> bool:
    with path.open("rb") as file:
        start = file.read(4)
    return start[:1] == b"\x80" or start == b"PK\x03\x04"  # a pickle of protocol 2 or later, or a zip


def _from_object(value: Any) -> Vocabulary:
    if isinstance(value, SavedObject):
        return _from_torchtext(value.state)
    return _checked(_numbered(value) if isinstance(value, (list, tuple)) else value)


def _from_torchtext(state: Any) -> Vocabulary:
    if isinstance(state, Mapping) and "stoi" in state:  # before torchtext 0.9
        return _checked(state["stoi"], state.get("unk_index"))
    if isinstance(state, Mapping) and isinstance(state.get("vocab"), SavedObject):
        state = state["vocab"].state
    if not (isinstance(state, tuple) and len(state) == 4):
        raise ValueError("it is not in a form that torchtext has saved vocabularies in")
    _, numbers, tokens, _ = state
    if not (isinstance(numbers, (list, tuple)) and isinstance(tokens, (list, tuple))):
        raise ValueError("it is not in a form that torchtext has saved vocabularies in")
    return _checked(_numbered(tokens), numbers[0] if numbers else None)


def _numbered(tokens: Sequence[Any]) -> dict[str, int]:
    for index, token in enumerate(tokens):
        if not isinstance(token, str):
            raise ValueError(f"the token of index {index} must be a string: {reprlib.repr(token)}")
    return {token: index for index, token in enumerate(tokens)}


def _checked(indexes: Any, default_index: Optional[int] = None) -> Vocabulary:
    if not isinstance(indexes, Mapping):
        raise ValueError(f"it holds a {type(indexes).__name__}, not the indexes of tokens")
    for token, index in indexes.items():
        if not (isinstance(token, str) and type(index) is int and index >= 0):
            raise ValueError(
                f"the index of the token {reprlib.repr(token)} must be a whole number from 0 on:"
                f" {reprlib.repr(index)}"
            )
    if not indexes:
        raise ValueError("it is empty")
    if default_index is not None and type(default_index) is not int:
        raise ValueError(f"its default index must be a whole number: {reprlib.repr(default_index)}")
    return Vocabulary(indexes, indexes.get(UNKNOWN) if default_index is None else default_index)


def _parse_text(text: str) -> Any:
    whole = _parse_json(text)
    if isinstance(whole, (dict, list)):
        return whole
    lines = text.rstrip("\r\n").split("\n")  # not splitlines(): a token may hold other separators
    if isinstance(_parse_json(lines[0]), (str, dict, list)):
        return dict(_entry(number, line) for number, line in enumerate(lines))
    return [line.rstrip("\r") for line in lines]


def _parse_json(text: str) -> Any:
    """The value, or None for text that is not JSON: a plain list of tokens."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is JSON that is nested too deeply") from None
    except ValueError:
        return None


def _entry(number: int, line: str) -> tuple[str, int]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"line {number + 1} is not JSON: {error}") from error
    if isinstance(value, str):
        return value, number
    if isinstance(value, dict) and {"token", "index"} <= value.keys():
        value = [value["token"], value["index"]]
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str):
        return value[0], value[1]
    raise ValueError(
        f'line {number + 1} must be a token, [token, index] or {{"token", "index"}}: {line[:200]}'
    )
