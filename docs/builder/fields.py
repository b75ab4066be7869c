"""Tables of what options and settings classes have, for the reference."""

from __future__ import annotations

import importlib
import re
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python
from typing_extensions import get_annotations

LEAST = {"minimum": "at least {}", "exclusiveMinimum": "more than {}", "minItems": "at least {} of them"}
MOST = {"maximum": "at most {}", "exclusiveMaximum": "less than {}", "maxItems": "at most {} of them"}

BRACES = re.compile(r"(?<!`)(\{[^}]*\})")  # a mapping in YAML, shown as code


def table_of(name: str) -> str:
    """A Markdown table of a pydantic model's own fields, and where to find those that it inherits.

    Args:
        name: the dotted name of the class.
    """
    module, _, kind_name = name.rpartition(".")
    kind = getattr(importlib.import_module(module), kind_name)
    own = [field for field in kind.model_fields if _home(kind, field) is kind]
    schema = kind.model_json_schema()
    rows = [_row(field, kind, schema["properties"][field], schema.get("$defs", {})) for field in own]
    head = ["| field | allowed | default | |", "|---|---|---|---|"]
    others = dict.fromkeys(_home(kind, field) for field in kind.model_fields if field not in own)
    links = ", ".join(f"[{base.__name__}][{base.__module__}.{base.__qualname__}]" for base in others)
    return "\n".join([*(head + rows if rows else []), "", f"And those of {links}." if links else "", ""])


def _home(kind: type[BaseModel], field: str) -> type:
    """The class that says what a field is."""
    return next(base for base in kind.__mro__ if field in get_annotations(base))


def _row(name: str, kind: type[BaseModel], schema: dict[str, Any], others: dict[str, Any]) -> str:
    field = kind.model_fields[name]
    default = to_jsonable_python(field.default, fallback=str)
    shown = "unset" if default is None else f"`{default!r}`" if isinstance(default, str) else _value(default)
    about = BRACES.sub(r"`\1`", field.description or "")
    cells = (f"`{name}`", allowed(schema, others), shown, about)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:,}" if isinstance(value, (int, float)) else f"`{value}`"


def allowed(schema: dict[str, Any], others: dict[str, Any]) -> str:
    """What a JSON Schema allows, in words; `others` are the schemas that it may refer to."""
    if "$ref" in schema:
        return allowed(others[schema["$ref"].rpartition("/")[2]], others)
    if "anyOf" in schema:
        kinds = [allowed(kind, others) for kind in schema["anyOf"] if kind.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if values:
        return ", ".join(f"`{value}`" for value in values)
    kind = schema.get("type", "any")
    if kind == "object":
        return f"object of {', '.join(f'`{key}`' for key in schema.get('properties', {}))}"
    bounds = [text.format(f"{schema[key]:,}") for key, text in {**LEAST, **MOST}.items() if key in schema]
    what = f"list of {allowed(schema.get('items', {}), others)}" if kind == "array" else kind
    return ", ".join([what, *bounds])
