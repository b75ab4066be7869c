"""A handler's file: what TorchServe's loader could not import, or would find nothing to call in."""

from __future__ import annotations

import pytest
from model_archiver.checks.handler_file import check_handler_file
from model_archiver.model_archiver_error import ModelArchiverError

BASE = "from ts.torch_handler.base_handler import BaseHandler\n"


@pytest.fixture
def problem(tmp_path):
    """What is said of a handler's file with this source."""

    def check(source, function=None, name="answer.py", in_package=False):
        path = tmp_path / name
        path.write_text(source)
        try:
            check_handler_file(path, function, in_package)
        except ModelArchiverError as error:
            return str(error).replace(str(path), name)
        return None

    return check


@pytest.mark.parametrize(
    "source",
    [
        "def handle(data, context): pass",
        "async def handle(data, context): pass",
        f"{BASE}class Mine(BaseHandler): pass",
        "import ts.torch_handler.image_classifier as base\nclass Mine(base.ImageClassifier): pass",
        "class Mine:\n    def initialize(self, context): pass\n    def handle(self, data, context): pass",
        "from elsewhere import Base\nclass Mine(Base): pass",
        "from elsewhere import handle",
        "from elsewhere import *",
        f"{BASE}class A(BaseHandler): pass\nclass B(BaseHandler): pass\ndef handle(data, context): pass",
        f"{BASE}class A(BaseHandler): pass\nclass B(A): pass\nhandle = B().handle",
        f"{BASE}Mine = type('Mine', (BaseHandler,), {{}})",
    ],
)
def test_a_function_or_a_class_that_handles_is_right(problem, source):
    assert problem(source) is None


def test_options_and_settings_may_stand_beside_the_handler(problem):
    source = f"""
import dataclasses, enum, pydantic, torch
from typing import NamedTuple
{BASE}
class Kind(enum.Enum): A = 1
class Box(NamedTuple): x: int
class Settings(pydantic.BaseModel): size: int = 1
class Net(torch.nn.Module): pass
@dataclasses.dataclass
class Options: size: int = 1
class Mine(BaseHandler): pass
"""
    assert problem(source) is None


@pytest.mark.parametrize("second", ["BaseHandler", "First"])
def test_of_two_classes_that_handle_none_could_be_chosen(problem, second):
    source = f"{BASE}class First(BaseHandler): pass\nclass Second({second}): pass"
    assert problem(source) == (
        "the handler file answer.py has 2 classes with a method handle (First, Second), and TorchServe takes one: "
        "move the others to an extra file, or add a function handle(data, context)"
    )


@pytest.mark.parametrize(
    "source",
    [
        f"from elsewhere import Base\n{BASE}class A(Base): pass\nclass B(BaseHandler): pass",
        f"{BASE}try:\n    import x\n    class A(BaseHandler): pass\nexcept ImportError:\n"
        "    class B(BaseHandler): pass",
        f"{BASE}import x\nif x.y:\n    class A(BaseHandler): pass\nelse:\n    class A(BaseHandler): pass",
    ],
)
def test_classes_of_which_some_may_not_handle_are_not_refused(problem, source):
    assert problem(source) is None


@pytest.mark.parametrize(
    "source",
    [
        "",
        "import logging\nlogger = logging.getLogger(__name__)\ndef preprocess(data): pass",
        "class Mine:\n    def initialize(self, context): pass",
        "class Mine:\n    class Inner:\n        def handle(self, data, context): pass",
        "class A: pass\nclass B(A): pass",
    ],
)
def test_nothing_to_call_is_said(problem, source):
    assert problem(source) == (
        "the handler file answer.py has neither a function handle nor a class with a method handle"
    )


@pytest.mark.parametrize(
    "body", ["handle = print", "handle: object = print", "if x:\n        handle = print"]
)
def test_a_class_may_get_its_method_in_other_ways(problem, body):
    assert problem(f"class Mine:\n    {body}") is None


@pytest.mark.parametrize("head", ["@register\nclass Mine:", "class Mine(metaclass=Meta):"])
def test_a_decorator_and_a_metaclass_may_add_it_too(problem, head):
    assert problem(f"from elsewhere import Meta, register\n{head}\n    pass") is None


def test_a_function_that_is_named_has_to_be_there(problem):
    assert problem("def go(data, context): pass", "go") is None
    assert problem("def go(data, context): pass", "no") == "the handler file answer.py has no no"


def test_where_it_is_not_the_loader_takes_the_class(problem):
    assert problem(f"{BASE}class Mine(BaseHandler): pass", "handle") is None


def test_a_syntax_error_is_said_with_its_line(problem):
    assert problem("x = 1\ndef handle(:\n").startswith(
        "the handler file answer.py, line 2 is not valid Python 3."
    )


def test_a_dotted_name_is_no_module(problem):
    assert problem("def handle(data, context): pass", name="answer.v1.py") == (
        "the handler file answer.v1.py cannot be imported, for the dots in its name would stand for packages: "
        "rename it, to answer_v1.py say"
    )
    assert problem("def handle(data, context): pass", name="my-answer.py") is None


@pytest.mark.parametrize(
    ("statement", "advice"),
    [
        ("from . import words", "import ..."),
        ("from .words import WORDS", "from words import ..."),
        ("from ..shop.words import WORDS", "from shop.words import ..."),
    ],
)
def test_a_relative_import_needs_a_package(problem, statement, advice):
    source = f"import json\n{statement}\ndef handle(data, context): pass"
    assert problem(source, in_package=True) is None
    assert problem(source) == (
        f"the handler file answer.py, line 2 imports relatively ({statement}), and lies in no package: "
        f"write {advice}, and give the module by --extra-files"
    )


@pytest.mark.parametrize(
    "source",
    [
        "try:\n    from .words import WORDS\nexcept ImportError:\n    from words import WORDS",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .words import WORDS",
        "def words():\n    from .words import WORDS",
    ],
)
def test_a_relative_import_that_may_never_run_is_not_refused(problem, source):
    assert problem(f"{source}\ndef handle(data, context): pass") is None


# The verdicts above are those of the loader itself: what is refused does not load, what passes does.
LOADED = {
    "two": f"{BASE}class First(BaseHandler): pass\nclass Second(BaseHandler): pass",
    "one": f"{BASE}class Mine(BaseHandler): pass",
    "beside": f"{BASE}class Settings: pass\nclass Mine(BaseHandler): pass",
    "none": "class Mine: pass",
    "relative": "from .words import WORDS\ndef handle(data, context): pass",
    "function": "class A: pass\nclass B: pass\ndef handle(data, context): return data",
}


@pytest.mark.parametrize("name", LOADED)
def test_the_loader_agrees(problem, name, tmp_path, monkeypatch):
    from ts.runner.answering.loader import import_handler, made_handler

    refused = problem(LOADED[name], name=f"loaded_{name}.py") is not None
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        module = import_handler(f"loaded_{name}.py")
        assert hasattr(module, "handle") or made_handler(module)
        loads = True
    except (ImportError, ValueError):
        loads = False
    assert loads is not refused
