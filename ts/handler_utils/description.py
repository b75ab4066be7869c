"""What a handler says about itself: `GET /models/NAME?customized=true`."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_jsonable_python

from ts import HANDLERS_VERSION
from ts.handler_utils.announcement import LIBRARY
from ts.handler_utils.configuration import Configuration


def describe(handler: Any) -> dict[str, Any]:
    """Describes a handler, in types that JSON has.

    Args:
        handler: a `BaseHandler` that is initialised.

    Returns:
        `library`, `version`: this library's name, "torchserve-handlers", and version;
        `handler`: the name of its class;
        `payloads`: what a request may hold, a sentence each; none where a subclass reads requests by its own code;
        `options`: for each option of a request its JSON Schema (type, range, default, description);
        `settings`: the value of each setting, as it stands after model-config.yaml and class attributes;
        `labels`: the labels by class index, or null.
    """
    return {
        "library": LIBRARY,
        "version": HANDLERS_VERSION,
        "handler": type(handler).__name__,
        "payloads": payloads_of(type(handler)),
        "options": options_of(handler),
        "settings": plain(Configuration.of(handler).in_force()),
        "labels": handler.mapping,
    }


def payloads_of(kind: type) -> list[str]:
    """The attribute `payloads`, unless a class of somebody's own overrides the `preprocess` that it is of."""
    for base in kind.__mro__:
        payloads = vars(base).get("payloads")
        if isinstance(payloads, (tuple, list)) and all(isinstance(item, str) for item in payloads):
            return list(payloads)
        if "preprocess" in vars(base) and not base.__module__.startswith("ts.torch_handler."):
            return []
    return []


def options_of(handler: Any) -> dict[str, dict[str, Any]]:
    """The JSON Schema of each option, with the value that it has where a request does not name it."""
    configuration = Configuration.of(handler)
    properties = configuration.options_class.model_json_schema().get("properties", {})
    return {
        name: {**_without_title(properties[name]), "default": plain(default)}
        for name, default in configuration.option_defaults().items()
    }


def plain(value: Any) -> Any:
    """A value in types that JSON has; what has none of them, as text."""
    return to_jsonable_python(value, fallback=str)


def _without_title(option: dict[str, Any]) -> dict[str, Any]:
    """A schema without its title, and without the null that stands for an option which is not named."""
    kinds = [kind for kind in option.get("anyOf", ()) if kind != {"type": "null"}]
    alone = kinds[0] if len(kinds) == 1 else {}
    dropped = {"title", "anyOf"} if alone else {"title"}
    return {**alone, **{name: value for name, value in option.items() if name not in dropped}}
