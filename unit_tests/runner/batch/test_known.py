"""What is known of a handler before it is asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import pytest

from ts.runner.archives.archive import open_archive
from ts.runner.batch.known import Known, known_of_archive, known_of_class
from ts.runner.errors import InputError
from ts.torch_handler.image_classifier import ImageClassifier
from ts.torch_handler.object_detector import ObjectDetector
from ts.torch_handler.text_classifier import TextClassifier

Build = Callable[..., Path]


class Own(ImageClassifier):
    pass


class Other:
    pass


def test_default_handlers_say_what_they_read() -> None:
    for kind in (ImageClassifier, ObjectDetector):
        known = known_of_class(kind, {"handler": {"formats": ["png", "TGA"]}})
        assert known.payloads[0].startswith("an encoded image")
        assert known.formats == ["PNG", "TGA"]
        assert known.is_default
    assert "JPEG" in (known_of_class(ImageClassifier, {}).formats or ())
    assert known_of_class(TextClassifier, {}).payloads[0].startswith("a text")


def test_of_a_subclass_its_options_are_not_known_and_of_another_class_nothing() -> None:
    known = known_of_class(Own, {})
    assert known.payloads
    assert not known.is_default
    assert known_of_class(Other, {}) == Known()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"tokp": "3"},
            r"--option tokp: the handler has no such option: did you mean topk\? \(options: topk, ",
        ),
        ({"greeting": "x"}, r"--option greeting: the handler has no such option \(options: topk, "),
        ({"topk": "three"}, "Wrong option: topk: Input should be a valid integer"),
        ({"topk": "0"}, "Wrong option: topk: .*, but it is '0'"),
    ],
)
def test_options_are_refused_before_any_work(options: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        known_of_class(ImageClassifier, {}).check_options(options)
    known_of_class(Own, {}).check_options(options)
    Known().check_options(options)


def test_right_options_pass() -> None:
    known_of_class(ImageClassifier, {}).check_options({"topk": "3"})
    known_of_class(ObjectDetector, {}).check_options({"threshold": "0.3", "classes": "cup,bowl"})


@pytest.mark.parametrize(
    ("handler", "files", "is_default"),
    [
        ("image_classifier", {}, True),
        ("own.py", {}, False),
        ("own.py:answer", {}, False),
        ("absent_handler", {}, False),
        ("image_classifier", {"image_classifier.py": "class Own: pass"}, False),
        ("base_handler", {}, True),
    ],
)
def test_an_archive_that_has_not_started_is_known_by_its_handlers_name(
    build: Build, handler: str, files: dict[str, str], is_default: bool
) -> None:
    path = build(handler, {"own.py": "", **files})
    with open_archive(path) as archive:
        found: Any = known_of_archive(archive)
    assert found.is_default == is_default
