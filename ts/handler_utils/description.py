"""What a handler says about itself: `GET /models/NAME?customized=true`."""

from __future__ import annotations

from typing import Any, Optional

from pydantic_core import to_jsonable_python

from ts import HANDLERS_VERSION
from ts.handler_utils.announcement import LIBRARY
from ts.handler_utils.configuration import Configuration

CONVOLUTIONS = {"Conv1d": 1, "Conv2d": 2, "Conv3d": 3}  # and how many sizes of their input are free


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
        `labels`: the labels by class index, or null;
        `input`: where the model tells it, the shape of a row of its input, with null for a size that is free.
    """
    row = input_row(handler.model)
    return {
        "library": LIBRARY,
        "version": HANDLERS_VERSION,
        "handler": type(handler).__name__,
        "payloads": payloads_of(type(handler)),
        "options": options_of(handler),
        "settings": plain(Configuration.of(handler).in_force()),
        "labels": handler.mapping,
        **({} if row is None else {"input": row}),
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


def input_row(model: Any) -> Optional[list[Optional[int]]]:
    """The shape of a row of a model's input, by the inputs that an ONNX model names, or by its first layer.

    Args:
        model: A model of any format, or None.

    Returns:
        The shape without the batch's dimension, None for a size that is free; None where nothing tells it.
    """
    if hasattr(model, "get_inputs"):
        inputs = model.get_inputs()
        shape = inputs[0].shape[1:] if len(inputs) == 1 else []
        return [size if isinstance(size, int) else None for size in shape] or None
    for layer in model.modules() if hasattr(model, "modules") else ():
        if next(layer.children(), None) is None and next(layer.parameters(), None) is not None:
            return row_of_layer(layer)
    return None


def row_of_layer(layer: Any) -> Optional[list[Optional[int]]]:
    """The row that a layer takes, if it is linear or a convolution; a scripted one still has its old name."""
    name = getattr(layer, "original_name", type(layer).__name__)
    if name == "Linear":
        return [layer.weight.shape[1]]
    if name in CONVOLUTIONS:
        return [layer.weight.shape[1] * getattr(layer, "groups", 1), *[None] * CONVOLUTIONS[name]]
    return None


def plain(value: Any) -> Any:
    """A value in types that JSON has; what has none of them, as text."""
    return to_jsonable_python(value, fallback=str)


def _without_title(option: dict[str, Any]) -> dict[str, Any]:
    """A schema without its title, and without the null that stands for an option which is not named."""
    kinds = [kind for kind in option.get("anyOf", ()) if kind != {"type": "null"}]
    alone = kinds[0] if len(kinds) == 1 else {}
    dropped = {"title", "anyOf"} if alone else {"title"}
    return {**alone, **{name: value for name, value in option.items() if name not in dropped}}
