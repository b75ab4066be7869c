"""Forms, as multipart/form-data (RFC 7578) or application/x-www-form-urlencoded, in the parts that a worker gets.

What a live torchserve 0.12 makes of them: of two fields by one name the last; a type only for files, which is
application/octet-stream unless the client says so; of a broken body those fields that are whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, Optional
from urllib.parse import parse_qsl

from ts.runner.answering.payload import FILE
from ts.runner.errors import InputError

MULTIPART, URLENCODED = "multipart/form-data", "application/x-www-form-urlencoded"
MOST_FIELDS = 1000  # of one form; each costs the one process that speaks HTTP some microseconds
# An attribute of a header, e.g. `name="data"`: its value is a token, or in quotes with backslashes before quotes.
ATTRIBUTE = re.compile(r';\s*([\w*-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]*))')


class Part(NamedTuple):
    """A body, or a field of a form.

    Attributes:
        name: Of the field; "body" for a body.
        content_type: Without parameters; "" where there is none.
        content: The bytes.
    """

    name: str
    content_type: str
    content: bytes


def form_parts(body: bytes, content_type: str) -> Optional[tuple[Part, ...]]:
    """The fields of a form; None where the content type is that of no form.

    Raises:
        InputError: It has more than `MOST_FIELDS`.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == URLENCODED:
        parts = urlencoded_parts(body)
    elif kind == MULTIPART and "boundary" in attributes(content_type):
        parts = multipart_parts(body, attributes(content_type)["boundary"].encode("latin-1"))
    else:
        return None
    return tuple({part.name: part for part in parts}.values())


def urlencoded_parts(body: bytes) -> list[Part]:
    try:
        fields = parse_qsl(
            body.decode("latin-1"), keep_blank_values=True, max_num_fields=MOST_FIELDS, encoding="latin-1"
        )
    except ValueError as error:
        raise too_many_fields() from error
    named = ((name.encode("latin-1").decode("utf-8", "replace"), value) for name, value in fields)
    return [Part(name, "", value.encode("latin-1")) for name, value in named]


def multipart_parts(body: bytes, boundary: bytes) -> list[Part]:
    delimiter = b"\r\n--" + boundary
    if body.count(delimiter) > MOST_FIELDS:
        raise too_many_fields()
    sections = (b"\r\n" + body).split(delimiter)
    return list(whole_parts(sections[1:-1]))


def whole_parts(sections: list[bytes]) -> Iterator[Part]:
    for section in sections:
        if section.startswith(b"--"):  # the end of the form
            return
        head, blank_line, content = section.partition(b"\r\n\r\n")
        part = part_of(head.decode("utf-8", "replace"), content)
        if blank_line and part:
            yield part


def part_of(head: str, content: bytes) -> Optional[Part]:
    lines = (line.partition(":") for line in head.split("\r\n"))
    headers = {name.strip().lower(): value.strip() for name, _, value in lines}
    about = attributes(headers.get("content-disposition", ""))
    if "name" not in about:
        return None
    is_file = "filename" in about or "filename*" in about
    kind = headers.get("content-type", FILE).partition(";")[0].strip() if is_file else ""
    return Part(about["name"], kind, content)


def attributes(header: str) -> dict[str, str]:
    """The attributes of a header such as `form-data; name="data"; filename="kitten.jpg"`."""
    found = ATTRIBUTE.findall(header)
    return {
        name.lower(): re.sub(r"\\(.)", r"\1", quoted) if quoted else token for name, quoted, token in found
    }


def too_many_fields() -> InputError:
    return InputError(f"A form may have {MOST_FIELDS} fields: send fewer")
