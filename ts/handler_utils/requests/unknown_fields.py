"""Fields of a request that are none of its handler's: misspelt options, and files that would be left out."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any, Optional

from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.requests.payload import PAYLOADS

_ALIKE = 0.8  # of difflib's ratio: "topk3" and "top_k" are taken for "topk"
_HEADER = "ts-"
_LONGEST_TEXT = 1024  # bytes of a field that may be some text of the client's own


def check_fields(options: Collection[str], row: Any, headers: Mapping[str, Any]) -> None:
    """Refuses a request that asks for something in a way that would be overlooked.

    Args:
        options: the names of the handler's options.
        row: the request's row.
        headers: the request's headers.

    Raises:
        InvalidInput: a field or a header `ts-...` has nearly the name of an option, or a second file was sent.
    """
    fields = row if isinstance(row, Mapping) else {}
    body = fields.get("body")
    for place in (fields, body if isinstance(body, Mapping) else {}):
        for name, value in place.items():
            if name not in options and name not in PAYLOADS:
                _check_field(str(name), value, options)
    for name in headers:
        option = str(name).lower()[len(_HEADER) :]
        if str(name).lower().startswith(_HEADER) and option not in options:
            meant = _nearest(option, options) or ", ".join(sorted(options))
            raise InvalidInput(f"Wrong option: there is no header {name}; the options are {_HEADER}{meant}")


def _check_field(name: str, value: Any, options: Collection[str]) -> None:
    meant = _nearest(name, [*options, *PAYLOADS])
    if meant is not None:
        raise InvalidInput(f"Wrong option: there is no {name}; did you mean {meant}?")
    if isinstance(value, (bytes, bytearray)) and (len(value) > _LONGEST_TEXT or b"\0" in value):
        raise InvalidInput(
            f"A request holds one payload, and {name} is one more: send it as a request of its own"
        )


def _nearest(name: str, known: Collection[str]) -> Optional[str]:
    found = difflib.get_close_matches(name.lower(), known, n=1, cutoff=_ALIKE)
    return found[0] if found else None
