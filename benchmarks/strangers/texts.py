"""Texts that strangers send: each by its name, and as long as is wanted."""

from __future__ import annotations

from typing import Any, Union

DEFAULT_SIZE = 100_000  # bytes of UTF-8

# What a text begins with, what is repeated in it, and what it ends with.
_PARTS: dict[str, Union[str, tuple[str, str, str]]] = {
    # of normalization
    "combining marks": (
        "a",
        "\u0301\u0323",
        "",
    ),  # of two classes, so that each must be moved past the others
    "marks of one class": ("a", "\u0301", ""),
    "marks of letters": "e\u0301\u0323\u0302",
    "one character that is eighteen": "\ufdfa",
    "hangul": "\ud55c\uae00",
    "conjoining jamo": "\u1112\u1161\u11ab",
    # of tags and entities
    "opening brackets": "<",
    "closing brackets": ">",
    "tags": "<b>",
    "tags that end far away": ("", "<a ", ">"),
    "tags over lines": "<\n",
    "a tag a line": "<b>\n",
    "ampersands": "&",
    "an entity that does not end": ("&", "a", ""),
    "entities that do not end": "&a",
    "entities": "&amp;",
    "numbers of entities": "&#",
    # of contractions and the tokenizer
    "apostrophes": "'",
    "contractions": "can't've",
    "contractions with spaces": "y'all'd've ",
    "stems of contractions": "shouldwouldcould",
    "an apostrophe and no spaces": ("'", "shouldn", ""),
    "quotes": '"',
    "punctuation": "'.,()!?;:",
    "breaks": "<br />",
    # of words
    "no spaces": "a",
    "different letters without spaces": "abcdefghijklmnopqrstuvwxyz",
    "digits": "0123456789",
    "words of one letter": "a ",
    "different words": "the rain in spain stays mainly in the plain ",
    "spaces": ("a", " ", "a"),
    "newlines": ("a", "\n", "a"),
    "unicode spaces": ("a", "\u2003\u00a0\u3000", "a"),
    "separators of lines": ("a", "\u2028\u2029\x85\x0b\x0c", "a"),
    # of scripts, and characters without a width
    "zero width": ("a", "\u200b\u200c\u200d\ufeff\u2060", ""),
    "only zero width": "\u200b",
    "right to left": "\u05e9\u05dc\u05d5\u05dd \u202e\u0645\u0631\u062d\u0628\u0627\u202c ",
    "overrides of direction": "\u202e",
    "chinese": "\u65e5\u672c\u8a9e\u4e2d\u6587",
    "emoji": "\U0001f600",
    "a family of emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "flags": "\U0001f1e9\U0001f1ea",
    "variation selectors": ("a", "\ufe0f\U000e0100", ""),
    "tags of unicode": ("\U0001f3f4", "\U000e0067", "\U000e007f"),
    "letters of mathematics": "\U0001d400",
    "letters that grow in lower case": "\u0130",
    "private use": "\ue000",
    "no characters": "\ufffe\uffff",
    # of control
    "null characters": "\0",
    "null characters in words": "ra\0in ",
    "controls": "a\x01\x1b\x7f",
    # of what has a meaning elsewhere
    "special tokens": "[CLS][SEP][PAD][MASK]</s><|endoftext|>",
    "subword marks": "##\u0120\u2581",
    "backslashes": "\\",
    "escapes": "\\ud800\\u0000",
}

# A str with these in it can come of JSON, and is no Unicode: it cannot be encoded.
_SURROGATES: dict[str, Union[str, tuple[str, str, str]]] = {
    "a surrogate in words": ("the rain ", "\ud800", " in spain"),
    "surrogates": "\ud800",
    "surrogates in the wrong order": "\udc00\ud800",
}

TEXTS = tuple(_PARTS)
SURROGATES = tuple(_SURROGATES)

# Bytes that are no text in UTF-8.
NOT_UTF_8: dict[str, bytes] = {
    "a byte of no text": b"the rain \xff",
    "cut in a character": "the rain \u65e5".encode()[:-1],
    "an overlong null": b"rain\xc0\x80",
    "a surrogate": b"\xed\xa0\x80",
    "beyond unicode": b"\xf4\x90\x80\x80",
    "utf-16": "the rain".encode("utf-16"),
    "latin-1": "caf\u00e9 rain".encode("latin-1"),
    "a photo": b"\xff\xd8\xff\xe0\0\x10JFIF\0",
}

# JSON values that are no text.
NOT_TEXTS: dict[str, Any] = {
    "a number": 5,
    "a fraction": 0.5,
    "a large number": 10**400,
    "true": True,
    "false": False,
    "a list": ["the rain"],
    "an empty list": [],
    "an empty object": {},
    "null": None,
    "nested lists": [[["the rain"]]],
}

# Texts without a word.
EMPTY: dict[str, str] = {
    "empty": "",
    "a space": " ",
    "spaces of unicode": "\u2003\u00a0\u3000",
    "newlines": "\r\n\n",
    "a mark of byte order": "\ufeff",
}


def hostile_text(name: str, size: int = DEFAULT_SIZE) -> str:
    """A text by its name, of `TEXTS` or `SURROGATES`.

    Args:
        name: which.
        size: the most bytes that it has in UTF-8; it has as many but for a few. (Surrogates count for 3 each.)
    """
    parts = {**_PARTS, **_SURROGATES}[name]
    start, repeated, end = parts if isinstance(parts, tuple) else ("", parts, "")
    room = size - len((start + end).encode("utf-8", "surrogatepass"))
    return start + repeated * (room // len(repeated.encode("utf-8", "surrogatepass"))) + end
