"""YAML and JSON out of archives, which anyone may have written: read only while they are small, flat and finite.

A few hundred bytes of YAML can stand for gigabytes: an alias repeats what its anchor names, and a merge key copies
it. So what counts here is the size of a document with all its aliases written out.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn, Union

import yaml

LARGEST_YAML = (
    64 * 1024
)  # bytes; PyYAML takes up to 2 s for so many, and the settings of a model have a few hundred
LARGEST_JSON = 8 * 1024 * 1024  # bytes; the digests of 20,000 files, and what else a manifest may hold
MOST_VALUES = 20_000  # of a YAML document, aliases written out
DEEPEST = 64  # lists and mappings inside each other
LONGEST_NUMBER = 400  # characters; the largest float has 309 digits in front of its point


class DocumentError(ValueError, yaml.YAMLError):
    """Bytes that are no such document, or one that is too large; the text is the second half of a sentence."""


def read_yaml(content: Union[bytes, str]) -> Any:
    """The value of a YAML document, read by PyYAML's safe loader.

    Raises:
        DocumentError: it is no YAML, or one too large, too deep, or that contains itself.
    """
    if len(content) > LARGEST_YAML:
        raise DocumentError(f"has {len(content)} bytes, and {LARGEST_YAML} are the most that is read")
    loader = None
    try:
        loader = yaml.SafeLoader(content)
        node = loader.get_single_node()
        if node is None:
            return None
        _written_out(node, {})
        return loader.construct_document(node)
    except DocumentError:
        raise
    except RecursionError:
        raise _too_deep() from None
    except Exception as error:  # a wrong date is a ValueError, a wrong !!bool a KeyError, and so on
        raise DocumentError(f"is not YAML: {one_line(error)}") from error
    finally:
        if loader is not None:
            loader.dispose()


def _written_out(node: yaml.Node, known: dict[int, Any]) -> tuple[int, int]:
    """How many values a node has with its aliases written out, and how many levels.

    Args:
        node: the node.
        known: by `id`, what is known of the nodes so far; None for those that are being looked into.
    """
    if id(node) not in known:
        known[id(node)] = None
        sizes = [_written_out(child, known) for child in _children(node)]
        size = 1 + sum(size for size, _ in sizes), 1 + max((levels for _, levels in sizes), default=0)
        if size[0] > MOST_VALUES:
            raise DocumentError(f"stands for more than {MOST_VALUES} values, the most that are read")
        if size[1] > DEEPEST:
            raise _too_deep()
        known[id(node)] = size
    if known[id(node)] is None:
        raise DocumentError("has an alias that stands for itself")
    return known[id(node)]


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [child for pair in node.value for child in pair]
    if isinstance(node, yaml.SequenceNode):
        return node.value
    if node.tag.endswith((":int", ":float")) and len(node.value) > LONGEST_NUMBER:
        raise DocumentError(f"has a number of {len(node.value)} characters")
    return []


def read_json(content: bytes, largest: int = LARGEST_JSON) -> Any:
    """The value of a JSON document (RFC 8259) in UTF-8, with or without a byte order mark.

    Raises:
        DocumentError: it is no JSON, or one too large or too deep.
    """
    if len(content) > largest:
        raise DocumentError(f"has {len(content)} bytes, and {largest} are the most that is read")
    try:
        value = json.loads(
            content.decode("utf-8-sig"), parse_int=_whole, parse_float=_finite, parse_constant=_no_number
        )
        if _levels(value) > DEEPEST:
            raise _too_deep()
    except RecursionError:
        raise _too_deep() from None
    except DocumentError:
        raise
    except ValueError as error:
        raise DocumentError(f"is not JSON: {one_line(error)}") from error
    return value


def _levels(value: Any) -> int:
    """How many lists and mappings lie inside each other."""
    levels, level = 0, [value]
    while level := [item for item in level if isinstance(item, (dict, list))]:
        levels += 1
        level = [inner for item in level for inner in (item.values() if isinstance(item, dict) else item)]
    return levels


def _whole(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise DocumentError(f"has a number of {len(text)} characters")
    return int(text)


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _no_number(text)


def _no_number(text: str) -> NoReturn:
    raise DocumentError(f"is not JSON: it has {shown(text)} as a number")


def _too_deep() -> DocumentError:
    return DocumentError(f"has lists or mappings more than {DEEPEST} deep")


def one_line(error: BaseException) -> str:
    """What an exception says, in one line of a bearable length; its type, if it says nothing."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else f"{text[:300]}..."


def shown(value: Any) -> str:
    """A value for an error message: its repr, cut where it gets long."""
    text = repr(value[:100] if isinstance(value, str) else value)
    return text if len(text) <= 100 else f"{text[:100]}..."
