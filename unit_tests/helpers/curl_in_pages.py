"""Requests by curl, as the pages have them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from typing import Any


def curl_arguments(words: Sequence[str]) -> argparse.Namespace:
    """What curl is told; an argument that no page has yet ends the process."""
    parser = argparse.ArgumentParser(prog="curl")
    parser.add_argument("url")
    parser.add_argument("-T", "--upload-file", dest="file")
    parser.add_argument("-F", "--form", action="append", dest="fields", default=[])
    parser.add_argument("-H", "--header", action="append", dest="headers", default=[])
    parser.add_argument("-d", "--data", dest="body")
    parser.add_argument("-o", "--output")
    parser.add_argument("-X", "--request", dest="method", choices=["GET", "POST", "PUT", "DELETE"])
    for flag in ("-s", "-f", "-S", "-i"):
        parser.add_argument(flag, action="store_true")
    return parser.parse_args(list(words[1:]))


def options_of(arguments: argparse.Namespace) -> Iterator[tuple[str, Any]]:
    """The options that a request gives, by form, header or JSON."""
    for field in arguments.fields:
        name, _, value = field.partition("=")
        if name not in ("data", "body"):
            yield name, value
    for header in arguments.headers:
        name, _, value = header.partition(":")
        if name.lower().startswith("ts-"):
            yield name[3:].lower(), value.strip()
    if any("application/json" in header for header in arguments.headers):
        yield from (
            (name, value)
            for name, value in json.loads(arguments.body).items()
            if name not in ("data", "body")
        )
