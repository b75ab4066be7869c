"""A handler's namespace is its subclasses': only torchserve's names are ours, and a few that are documented."""

from __future__ import annotations

import copy
import inspect
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Callable

import pytest
from tiny_archives import TINY, TinyArchive

import ts
from ts.handler_utils.parts import ATTRIBUTE, Part
from ts.torch_handler.base_handler import BaseHandler

# What BaseHandler's docstring lists beside torchserve's names, and TextClassifier's `tokens`.
DOCUMENTED = {*"settings settings_class options options_class payloads stateless tokens".split(), ATTRIBUTE}  # noqa: SIM905

# What these handlers have had as their own once, and what people call their helpers, models and data.
LIKELY_NAMES = """
_answer _answer_batch _apply_settings _batch _call_model _class_score _collate _core _decode_on_gpu
_describe _encode _default_micro_batch _engine _explain _fail _impl _input_form _insight _is_default_handler
_is_on_gpu _json _load _known_spans _load_architecture _load_model _load_other_files _load_serialized_model
_load_vocabulary _machinery _micro_batching _normalize _option_defaults _overlay _own_resize _own_transform
_parts _photo _postprocess _predict _prepare_to_infer _preprocess _process _read_rows _reader _row_options
_rows _run _runner _script _select _sendable _set_content_type _shape_of_rows _size _takes_list _target_of
_threads _transform _trusts_pickle _warm_up _warmup_batch _ways answer answers args batch batch_size batches
cache classes client config count counts data decode encode encoder headers height id image images index
inputs interpolation labels lock model_name model_type name names opts optimizer outputs params part parts
path pipeline postprocessor predict preprocessor process processor queue read reader request requests result
results rows run runner score scores session setup setup_config size state status text texts timer total
transform transforms vocab weights width words
"""

SURFACE = """
import importlib, inspect
def names(module):
    module = importlib.import_module("ts.torch_handler." + module)
    kinds = [kind for _, kind in inspect.getmembers(module, inspect.isclass)]
    return next(dir(kind()) for kind in kinds if kind.__module__ == module.__name__)
answer({module: names(module) for module in arguments["modules"]})
"""
USED_BY_THEIR_HOOKS = {"model_yaml_config", "ig", "get_insights"}

Load = Callable[..., tuple[Any, Any]]


@pytest.fixture(scope="session")
def surface(upstream: Any) -> dict[type, set[str]]:
    """The names that torchserve's own handlers have, by our class of the same name."""
    kinds = {archive.handler.__module__.rpartition(".")[2]: archive.handler for archive in TINY.values()}
    found = upstream(SURFACE, modules=list(kinds))
    return {kinds[module]: {*names, *USED_BY_THEIR_HOOKS} for module, names in found.items()}


@pytest.fixture
def load(tmp_path: Path, make_context: Callable[..., Any]) -> Load:
    """`load(archive, kind)` is a handler of a class that answers from the archive, and its context."""

    def start(archive: TinyArchive, kind: type[BaseHandler], **changes: Any) -> tuple[Any, Any]:
        folder = archive.write(tmp_path / "archive")
        config = {"handler": {**archive.settings, **changes}}
        context = make_context(folder, config=config, modelFile="model.py")
        handler = kind()
        handler.initialize(context)
        return handler, context

    return start


def say(handler: Any, context: Any, archive: TinyArchive) -> list[Any]:
    """All that a handler answers: predictions, explanations, and a description but for its name."""
    predictions = handler.handle(copy.deepcopy(archive.rows), context)
    context.headers = {index: {"explain": "True"} for index in range(len(archive.rows))}
    explanations = handler.handle(copy.deepcopy(archive.rows), context)
    context.headers = {0: {"describe": "True"}}
    (description,) = handler.handle([{}], context)
    context.headers = {}
    return [predictions, explanations, {**description, "handler": None}]


def names_of_ours(archive: TinyArchive) -> set[str]:
    """The names that the library has for itself: of options, settings, and what parts keep."""
    fields = {*archive.handler.settings_class.model_fields, *archive.handler.options_class.model_fields}
    in_parts = {name for kind in subclasses(Part) for name in vars(kind) if not name.startswith("__")}
    return {*fields, *in_parts}


def subclasses(kind: type) -> list[type]:
    return [found for child in kind.__subclasses__() for found in (child, *subclasses(child))]


def free_names(archive: TinyArchive, surface: dict[type, set[str]]) -> list[str]:
    """Names that a subclass may use as it likes."""
    return sorted(({*LIKELY_NAMES.split()} | names_of_ours(archive)) - surface[archive.handler] - DOCUMENTED)


def raises(*_: Any, **__: Any) -> Any:
    raise AssertionError("a name of the subclass's was called")


@pytest.mark.parametrize("archive", TINY.values(), ids=TINY)
def test_a_method_of_any_free_name_is_never_called(archive: TinyArchive, load: Load, surface: Any) -> None:
    names = free_names(archive, surface)
    assert {"_load_model", "_preprocess", "_reader", "format", "precision", "words"} & set(names)
    plain = say(*load(archive, archive.handler), archive)
    own = type(archive.handler.__name__, (archive.handler,), dict.fromkeys(names, raises))
    assert say(*load(archive, own), archive) == plain


def setting(kind: type, names: Iterable[str], value: Any, *, first: bool = False) -> type:
    """A subclass which sets attributes: first of all in `initialize`, or last."""

    def initialize(self: Any, context: Any) -> None:
        if first:
            vars(self).update(dict.fromkeys(names, value))
        kind.initialize(self, context)  # type: ignore[attr-defined]
        if not first:
            vars(self).update(dict.fromkeys(names, value))

    return type(kind.__name__, (kind,), {"initialize": initialize})


@pytest.mark.parametrize("value", [object(), {}, "RGB", 80, ["cat"]], ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("archive", TINY.values(), ids=TINY)
def test_an_attribute_of_any_free_name_changes_nothing(
    archive: TinyArchive, value: Any, load: Load, surface: Any
) -> None:
    own = setting(archive.handler, free_names(archive, surface), value)
    assert say(*load(archive, own), archive) == say(*load(archive, archive.handler), archive)


@pytest.mark.parametrize("when", ["before", "after", "on the class"])
@pytest.mark.parametrize("value", [{}, "own", raises, [1]], ids=["dict", "str", "method", "list"])
@pytest.mark.parametrize("archive", TINY.values(), ids=TINY)
def test_a_documented_name_counts_only_where_it_is_ours(
    archive: TinyArchive, value: Any, when: str, load: Load
) -> None:
    kind, names = archive.handler, DOCUMENTED - {ATTRIBUTE}
    if when == "on the class":
        own = type(kind.__name__, (kind,), dict.fromkeys(names, value))
    else:
        own = setting(kind, names, value, first=when == "before")
    handler, context = load(archive, own)
    assert say(handler, context, archive) == say(*load(archive, kind), archive)
    assert all(inspect.getattr_static(handler, name) == value for name in names)


@pytest.mark.parametrize("archive", TINY.values(), ids=TINY)
def test_the_library_reads_and_writes_no_other_name(archive: TinyArchive, load: Load, surface: Any) -> None:
    used: set[str] = set()

    def note(name: str, depth: int) -> None:
        home = sys._getframe(depth).f_globals.get("__file__") or ""
        if any(home.startswith(path) for path in ts.__path__):
            used.add(name)

    class Watched(archive.handler):  # type: ignore[name-defined]
        def __getattribute__(self, name: str) -> Any:
            note(name, 2)
            return super().__getattribute__(name)

        def __setattr__(self, name: str, value: Any) -> None:
            note(name, 2)
            super().__setattr__(name, value)

    handler, context = load(archive, Watched, warmup={"batch_sizes": [1]}, micro_batch=2)
    say(handler, context, archive)
    assert {"model", "device", "mapping"} <= used
    extra = {name for name in used - surface[archive.handler] - DOCUMENTED if not name.startswith("__")}
    assert extra == set()
