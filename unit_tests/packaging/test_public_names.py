"""A module that exists in both trees offers every public name of torchserve's."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import ts.handler_utils
import ts.torch_handler
import ts.utils

NAMES = """
import importlib, inspect
def is_public(name, value):
    # What a module took from elsewhere (json, torch, typing, ...) is not its own to offer.
    if name.startswith("_") or inspect.ismodule(value):
        return False
    home = getattr(value, "__module__", None)
    return home is None or home.partition(".")[0] == "ts"
found = {}
for module in arguments["modules"]:
    try:
        names = vars(importlib.import_module(module)).items()
    except ModuleNotFoundError as error:
        assert error.name == module or module.startswith(f"{error.name}."), error
        continue  # torchserve has no such module
    found[module] = sorted(name for name, value in names if is_public(name, value))
answer(found)
"""

# torchserve's modules do not log under names that others import; the others are how its MicroBatching is made.
NOT_OFFERED = {"logger", "WorkerThread", "execute_call"}


def our_modules() -> list[str]:
    packages = [ts.torch_handler, ts.handler_utils, ts.utils]
    return [
        f"{package.__name__}.{module.name}"
        for package in packages
        for module in pkgutil.iter_modules([package.__path__[0]])
    ]


def test_every_public_name_of_torchserves_is_there(upstream):
    theirs = upstream(NAMES, modules=our_modules())
    assert "PredictionException" in theirs["ts.utils.util"]
    assert "BaseHandler" in theirs["ts.torch_handler.base_handler"]
    missing = {
        module: sorted(set(names) - NOT_OFFERED - set(dir(importlib.import_module(module))))
        for module, names in theirs.items()
    }
    assert {module: names for module, names in missing.items() if names} == {}


@pytest.mark.parametrize("handler", ["base_handler", "vision_handler", "image_classifier"])
def test_every_public_method_of_torchserves_handlers_is_there(handler, upstream):
    code = """
import importlib, inspect
module = importlib.import_module(arguments["module"])
answer({name: list(inspect.signature(value).parameters) if callable(value) else None
        for class_ in vars(module).values() if inspect.isclass(class_) and class_.__module__ == module.__name__
        for name, value in vars(class_).items() if not name.startswith("__") and name != "_abc_impl"})
"""
    module = importlib.import_module(f"ts.torch_handler.{handler}")
    class_ = next(
        value
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__ == module.__name__
    )
    theirs = upstream(code, module=module.__name__)
    assert theirs
    assert [name for name in theirs if not hasattr(class_, name)] == []
