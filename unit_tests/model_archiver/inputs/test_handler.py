"""--handler: default names, files, functions and dotted modules."""

from __future__ import annotations

import sys

import pytest
from model_archiver.model_archiver_error import ModelArchiverError
from model_archiver.model_packaging import model_handlers


@pytest.fixture
def packed(pack, contents, manifest):
    """The manifest's handler value, and the names of the files that a value of --handler brings."""

    def pack_handler(handler, **options):
        archive = pack(handler=handler, **options)
        return manifest(archive)["model"]["handler"], sorted(
            set(contents(archive)) - {"MAR-INF/MANIFEST.json"}
        )

    return pack_handler


@pytest.fixture
def package(inputs):
    """A package `shop` with a module shop.till.handler, and what belongs to it."""
    folder = inputs / "shop" / "till"
    folder.mkdir(parents=True)
    (inputs / "shop" / "__init__.py").write_text("")
    (inputs / "shop" / "prices.csv").write_text("1")
    (folder / "__init__.py").write_text("def handle(data, context): pass\n")
    (folder / "handler.py").write_text("def handle(data, context): pass\n")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "handler.pyc").write_text("")
    return ["shop/__init__.py", "shop/prices.csv", "shop/till/__init__.py", "shop/till/handler.py"]


def test_a_default_name_needs_no_file(packed):
    assert packed("image_classifier") == ("image_classifier", [])


def test_a_default_name_wins_over_a_file_of_that_name(packed, inputs):
    (inputs / "image_classifier.py").write_text("")
    assert packed("image_classifier") == ("image_classifier", [])


@pytest.mark.parametrize("handler", ["answer.py", "answer", "answer.py:handle", "answer:handle"])
def test_a_file_and_its_function(packed, handler):
    assert packed(handler) == (handler, ["answer.py"])


def test_a_file_goes_to_the_top(packed, inputs):
    (inputs / "extra" / "answer.py").write_text("def other(data, context): pass\n")
    assert packed("extra/answer.py:other") == ("answer.py:other", ["answer.py"])
    assert packed(str(inputs / "answer.py"), force=True) == ("answer.py", ["answer.py"])


@pytest.mark.parametrize(
    "handler", ["shop.till.handler", "shop.till.handler:handle", "shop.till", "shop.till:handle"]
)
def test_a_dotted_module_is_packed_with_its_whole_package(packed, package, handler):
    assert packed(handler) == (handler, package)


def test_a_dotted_module_may_lie_in_another_folder(packed, package, inputs):
    (inputs / "src").mkdir()
    (inputs / "shop").rename(inputs / "src" / "shop")
    assert packed("src/shop.till.handler") == ("shop.till.handler", package)


@pytest.mark.skipif(sys.platform == "darwin", reason="there it is a .dylib")
@pytest.mark.parametrize("handler", ["lib", "lib.so", "lib:Answer"])
def test_a_handler_of_the_cpp_backend_is_a_shared_library(packed, inputs, handler):
    (inputs / "lib.so").write_bytes(b"\x7fELF")
    assert packed(handler, runtime="LSP") == (handler, ["lib.so"])


@pytest.mark.parametrize("handler", ["BaseHandler", "TorchScriptHandler"])
def test_the_cpp_backend_has_handlers_of_its_own(packed, handler):
    assert packed(handler, runtime="LSP") == (handler, [])


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        ("no.py", r"the handler file no\.py does not exist"),
        ("no/answer", "the handler file no/answer does not exist"),
        ("shop.no", r"the handler shop\.no is neither shop\.no\.py nor a module: there is no shop/no\.py"),
        ("answer.py:no", r"the handler file answer\.py has no no"),
        ("shop.till:no", r"the handler file shop/till/__init__\.py has no no"),
        ("", "the handler has no name"),
        ("answer.py:", r"the handler answer\.py: names no function after the colon"),
    ],
)
def test_what_does_not_exist_is_named(packed, package, handler, message):
    with pytest.raises(ModelArchiverError, match=f"^{message}$"):
        packed(handler)


def test_an_unknown_name_comes_with_those_that_exist_and_the_nearest(packed):
    with pytest.raises(ModelArchiverError) as refused:
        packed("image_clasifier")
    assert str(refused.value) == (
        "there is no handler image_clasifier, neither a file image_clasifier.py nor one of the defaults "
        f"({', '.join(model_handlers)}); did you mean image_classifier?"
    )


def test_a_name_like_no_other_has_no_nearest(packed):
    with pytest.raises(ModelArchiverError, match=r"\)$"):
        packed("zzz")


@pytest.mark.parametrize(
    "source",
    [
        "from elsewhere import go",
        "from elsewhere import *",
        "import go",
        "go = print",
        "try:\n    import x\nexcept ImportError:\n    def go(data, context): pass",
        "def __getattr__(name): return print",
        "class go: pass",
    ],
)
def test_a_function_that_may_exist_is_not_refused(packed, inputs, source):
    (inputs / "answer.py").write_text(source)
    assert packed("answer.py:go") == ("answer.py:go", ["answer.py"])


def test_a_handler_is_not_run(packed, inputs):
    (inputs / "answer.py").write_text("raise SystemExit\ndef go(data, context): pass\n")
    assert packed("answer.py:go") == ("answer.py:go", ["answer.py"])
