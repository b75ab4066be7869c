"""What a handler says about itself: `GET /models/NAME?customized=true`."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_jsonable_python


def describe(handler: Any) -> dict[str, Any]:
    """Describes a handler, in types that JSON has.

    Args:
        handler: a `BaseHandler` that is initialised.

    Returns:
        `handler`: the name of its class;
        `payloads`: what a request may hold, a sentence each; none where a subclass reads requests by its own code;
        `options`: for each option of a request its JSON Schema (type, range, default, description);
        `settings`: the value of each setting, as it stands after model-config.yaml and class attributes;
        `labels`: the labels by class index, or null.
    """
    return {
        "handler": type(handler).__name__,
        "payloads": payloads_of(type(handler)),
        "options": options_of(handler),
        "settings": settings_of(handler),
        "labels": handler.mapping,
    }


def payloads_of(kind: type) -> list[str]:
    """The attribute `payloads`, unless the class overrides the `preprocess` that it speaks of."""
    home = next((base for base in kind.__mro__ if {"payloads", "preprocess"} & set(vars(base))), None)
    return list(vars(home).get("payloads", ())) if home else []


def options_of(handler: Any) -> dict[str, dict[str, Any]]:
    """The JSON Schema of each option, with the value that it has where a request does not name it."""
    properties = handler.options_class.model_json_schema().get("properties", {})
    defaults = handler._option_defaults()
    return {
        name: {**_plain(properties[name]), "default": to_jsonable_python(default, fallback=str)}
        for name, default in defaults.items()
    }


def settings_of(handler: Any) -> dict[str, Any]:
    """The value of each setting, which the handler or its image transform may have as an attribute."""
    found = dict(handler.settings)
    for name in type(handler.settings).model_fields:
        for home in (getattr(handler, "image_processing", None), handler):
            found[name] = getattr(home, name, found[name])
    return to_jsonable_python(found, fallback=str)


def _plain(option: dict[str, Any]) -> dict[str, Any]:
    """A schema without its title, and without the null that stands for an option which is not named."""
    kinds = [kind for kind in option.get("anyOf", ()) if kind != {"type": "null"}]
    alone = kinds[0] if len(kinds) == 1 else {}
    dropped = {"title", "anyOf"} if alone else {"title"}
    return {**alone, **{name: value for name, value in option.items() if name not in dropped}}
