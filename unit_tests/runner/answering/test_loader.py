"""The rules by which torchserve 0.12 starts a handler; unit_tests/server asks a live one the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import pytest

from ts.runner.answering.context import Context
from ts.runner.answering.imports import ImportScope
from ts.runner.answering.loader import import_handler, start_handler

Answer = Callable[..., Any]


def class_named(name: str) -> str:
    return (
        f"class {name}:\n"
        "    def initialize(self, context):\n        self.calls = [context.model_name]\n"
        f"    def handle(self, data, context):\n        return ['{name}', *self.calls, data]\n"
    )


def function_named(name: str) -> str:
    return f"calls = []\ndef {name}(data, context):\n    calls.append(data)\n    return ['{name}', *calls]\n"


@pytest.fixture
def answer(tmp_path: Path) -> Answer:
    """`answer(handler, {file: text})` is what the handler so named answers to the batch "rows"."""

    def answer(spec: str, files: dict[str, str]) -> Any:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)
        context = Context("tiny", str(tmp_path), {}, 1, None, "0.12.0")
        with ImportScope(tmp_path).active():
            return start_handler(spec, tmp_path, context)("rows", context)  # type: ignore[arg-type]

    return answer


@pytest.mark.parametrize("spec", ["own.py", "own", "./own.py"])
def test_a_file_of_the_archive(answer: Answer, spec: str) -> None:
    assert answer(spec, {"own.py": class_named("Own")}) == ["Own", "tiny", "rows"]


def test_a_dotted_module(answer: Answer) -> None:
    assert answer("pkg.own", {"pkg/own.py": class_named("Own")}) == ["Own", "tiny", "rows"]


def test_a_function_is_called_with_none_first(answer: Answer) -> None:
    assert answer("own.py", {"own.py": function_named("handle")}) == ["handle", None, "rows"]


@pytest.mark.parametrize("spec", ["own.py:entry", "own:entry"])
def test_a_named_function(answer: Answer, spec: str) -> None:
    assert answer(spec, {"own.py": function_named("entry")}) == ["entry", None, "rows"]


@pytest.mark.parametrize("spec", ["pkg/own.py:entry", "pkg.own:entry"])
def test_a_named_function_of_a_file_below(answer: Answer, spec: str) -> None:
    assert answer(spec, {"pkg/own.py": function_named("entry")}) == ["entry", None, "rows"]


def test_a_function_wins_over_a_class(answer: Answer) -> None:
    files = {"own.py": function_named("handle") + class_named("Own")}
    assert answer("own.py", files) == ["handle", None, "rows"]


def test_the_class_answers_where_the_named_function_is_missing(answer: Answer) -> None:
    assert answer("own.py:absent", {"own.py": class_named("Own")}) == ["Own", "tiny", "rows"]


def test_imported_classes_do_not_count(answer: Answer) -> None:
    files = {"own.py": "from base import Base\nclass Own(Base):\n    pass\n", "base.py": class_named("Base")}
    assert answer("own.py", files) == ["Base", "tiny", "rows"]


def test_classes_beside_the_handler_do_not_count(answer: Answer) -> None:
    files = {"own.py": "class Options: pass\n" + class_named("Own") + "class Settings: pass\nAlias = Own\n"}
    assert answer("own.py", files) == ["Own", "tiny", "rows"]


def test_a_handle_that_the_class_gives_itself_counts(answer: Answer) -> None:
    text = (
        "class Own:\n"
        "    def __init__(self): self.handle = lambda data, context: [data]\n"
        "    def initialize(self, context): pass\n"
    )
    assert answer("own.py", {"own.py": text}) == ["rows"]


def test_the_archive_wins_over_a_default_handler(answer: Answer) -> None:
    files = {"image_classifier.py": class_named("Own")}
    assert answer("image_classifier", files) == ["Own", "tiny", "rows"]


def test_a_default_handler_is_found_by_its_name() -> None:
    assert import_handler("image_classifier").__name__ == "ts.torch_handler.image_classifier"


def test_a_plain_folder_hides_no_default_handler(tmp_path: Path) -> None:
    (tmp_path / "image_classifier").mkdir()
    with ImportScope(tmp_path).active():
        assert import_handler("image_classifier").__name__ == "ts.torch_handler.image_classifier"


def test_a_plain_folder_is_no_handler(answer: Answer) -> None:
    with pytest.raises(ModuleNotFoundError, match="No module named 'pkg'"):
        answer("pkg", {"pkg/own.py": class_named("Own")})


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (class_named("A") + class_named("B"), ValueError, "or exactly one class that has one, but has A, B"),
        ("class A: pass\nclass B: pass", ValueError, "or exactly one class that has one, but has A, B"),
        ("", ValueError, "or exactly one class that has one, but has no class"),
        ("from base import Base", ValueError, "but has no class"),
        (
            "class A:\n    def initialize(self, context): pass",
            ValueError,
            "the handler's class A has no method `handle`",
        ),
        ("class A:\n    def handle(self, data, context): pass", AttributeError, "initialize"),
        ("import absent_package", ModuleNotFoundError, "No module named 'absent_package'"),
        ("handle = 3", TypeError, "not callable"),
    ],
)
def test_what_is_no_handler_is_refused(
    answer: Answer, text: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        answer("own.py", {"own.py": text, "base.py": class_named("Base")})


@pytest.mark.parametrize("spec", ["absent.py", "absent", "absent.module", "pkg/own.py"])
def test_a_handler_that_is_nowhere_is_named(answer: Answer, spec: str) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"No module named '(absent|own)'"):
        answer(spec, {"pkg/own.py": class_named("Own")})


@pytest.mark.parametrize("spec", ["../own.py:entry", "/tmp/own.py:entry", "sub/../../own:entry"])
def test_a_path_out_of_the_archive_is_refused(answer: Answer, spec: str) -> None:
    with pytest.raises(ValueError, match="its path leads out of the archive"):
        answer(spec, {"own.py": function_named("entry")})
