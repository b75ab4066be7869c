"""Fields of a request that are none of its handler's: misspelt options, and files that would be left out."""

from __future__ import annotations

import difflib
from collections.abc import Collection, KeysView, Mapping
from typing import Any, Optional

from ts.handler_utils.errors import InvalidInput
from ts.handler_utils.requests.options import HEADER
from ts.handler_utils.requests.payload import PAYLOADS
from ts.utils.spelling import are_swapped

_ALIKE = 0.8  # of difflib's ratio: "topk3" and "top_k" are taken for "topk"
_MOST_FIELDS = 100
_LONGEST_NAME = 64  # characters of what may have been meant for an option
_LONGEST_TEXT = 1024  # bytes of a field that may be some text of the client's own


def check_fields(options: KeysView[str], row: Any, headers: Mapping[str, Any]) -> None:
    """Refuses a request that asks for something in a way that would be overlooked.

    Args:
        options: the names of the handler's options.
        row: the request's row.
        headers: the request's headers.

    Raises:
        InvalidInput: a field or a header `ts-...` has nearly the name of an option, or a second file was sent.
    """
    place = row
    while isinstance(place, Mapping):
        if len(place) > _MOST_FIELDS:
            raise InvalidInput(f"The request has {len(place)} fields, and at most {_MOST_FIELDS} make sense")
        for name in place:
            if name not in PAYLOADS and name not in options:
                _check_field(str(name), place[name], options)
        place = place.get("body")
    for name in headers:
        if name[: len(HEADER)].lower() == HEADER and name[len(HEADER) :].lower() not in options:
            meant = _nearest(name[len(HEADER) :], options) or ", ".join(sorted(options))
            raise InvalidInput(
                f"Wrong option: there is no header {name:.200}; the options are {HEADER}{meant}"
            )


def _check_field(name: str, value: Any, options: KeysView[str]) -> None:
    meant = _nearest(name, [*options, *PAYLOADS])
    if meant is not None:
        raise InvalidInput(f"Wrong option: there is no {name}; did you mean {meant}?")
    if isinstance(value, (bytes, bytearray)) and (len(value) > _LONGEST_TEXT or b"\0" in value):
        raise InvalidInput(
            f"A request holds one payload, and {name:.200} is one more: send it as a request of its own"
        )


def _nearest(name: str, known: Collection[str]) -> Optional[str]:
    if len(name) > _LONGEST_NAME:
        return None
    found = difflib.get_close_matches(name.lower(), known, n=1, cutoff=_ALIKE)
    return found[0] if found else next((each for each in known if are_swapped(name.lower(), each)), None)
