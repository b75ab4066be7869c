"""How two answers differ, in words and numbers."""

from __future__ import annotations

import io
import json
from typing import Any, Optional

import pytest
from PIL import Image

from ts.runner.comparing.answers import compare_answers
from ts.runner.comparing.said import NO_ANSWER, Said

TOLERANCE = 0.01


def said(value: Any, status: int = 200, content_type: Optional[str] = None, why: str = "") -> Said:
    return Said(status, content_type, value if isinstance(value, bytes) else json.dumps(value).encode(), why)


def found(old: Any, new: Any) -> tuple[str, list[str]]:
    difference = compare_answers(said(old), said(new), TOLERANCE)
    return difference.state, difference.how


SAME, WITHIN = ("same", []), ("within tolerance", [])


def differs(*how: str) -> tuple[str, list[str]]:
    return "differs", list(how)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"cat": 0.9, "dog": 0.1}, {"cat": 0.9, "dog": 0.1}, SAME),
        ({"cat": 0.9, "dog": 0.1}, {"cat": 0.895, "dog": 0.105}, WITHIN),
        ({"cat": 0.9, "dog": 0.1}, {"cat": 0.8, "dog": 0.2}, differs("numbers by up to 0.1")),
        (
            {"cat": 0.6, "dog": 0.4},
            {"dog": 0.7, "cat": 0.3},
            differs("first class: cat → dog", "numbers by up to 0.3"),
        ),
        # two that are about equal
        ({"cat": 0.5, "dog": 0.499}, {"dog": 0.5, "cat": 0.499}, WITHIN),
        # of two that are about equal one was cut off on each side
        ({"cat": 0.9, "dog": 0.05}, {"cat": 0.9, "fox": 0.049}, WITHIN),
        (
            {"cat": 0.6, "dog": 0.3},
            {"cat": 0.6, "fox": 0.1},
            differs("labels: dog → fox", "numbers by up to 0.2"),
        ),
        ({"a": 0.5}, {"a": 0.5, "b": 0.1}, differs("1 classes → 2", "labels: none → b")),
    ],
)
def test_classes(old: Any, new: Any, expected: Any) -> None:
    assert found(old, new) == expected


def box(label: str, score: float, left: float = 10.0) -> dict[str, Any]:
    return {label: [left, 20.0, 100.0, 200.0], "score": score}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([box("cat", 0.9)], [box("cat", 0.9)], SAME),
        ([box("cat", 0.9)], [box("cat", 0.9, left=10.05)], WITHIN),
        ([box("cat", 0.9)], [box("cat", 0.9, left=15)], differs("numbers by up to 0.5")),
        ([box("cat", 0.9)], [box("cat", 0.9), box("dog", 0.5)], differs("1 detections → 2")),
        ([box("cat", 0.9)], [box("dog", 0.9)], differs("labels: cat → dog")),
        ([box("cat", 0.9), box("dog", 0.9)], [box("dog", 0.9), box("cat", 0.9)], SAME),
    ],
)
def test_detections(old: Any, new: Any, expected: Any) -> None:
    assert found(old, new) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([[[1, 0.9], [0, 0.8]]], [[[1, 0.905], [0, 0.8]]], WITHIN),
        ([[[1, 0.9], [0, 0.8]]], [[[2, 0.1], [0, 0.8]]], differs("1 of 2 pixels are of another class")),
        ([[1.5, 2.0]], [[1.5, 2.0, 3.0]], differs("numbers: 1 x 2 values → 1 x 3 values")),
        ([100.0], [100.9], WITHIN),
        ([100.0], [103.0], differs("numbers by up to 0.03")),
        (
            {"a": {"b": "x"}, "c": [1, "u"]},
            {"a": {"b": "y"}, "c": [1, "v"]},
            differs(".a.b: x → y", ".c[1]: u → v"),
        ),
        ({"a": "x"}, {"b": "x"}, differs("keys: ['a'] → ['b']")),
        (["x"], ["x", "y"], differs("a list: 1 items → 2")),
        ([True, "a"], [1, "a"], differs("[0]: True → 1")),
        ({"id": "r1", "outputs": [{"data": [1]}]}, {"id": "r2", "outputs": [{"data": [1]}]}, SAME),
        (
            [{"k": i} for i in "abcdefg"],
            [{"k": i} for i in "hijklmn"],
            differs("[0].k: a → h", "[1].k: b → i", "[2].k: c → j", "[3].k: d → k", "and 3 more"),
        ),
    ],
)
def test_other_values(old: Any, new: Any, expected: Any) -> None:
    assert found(old, new) == expected


def test_statuses_and_types() -> None:
    def how(old: Said, new: Said) -> list[str]:
        return compare_answers(old, new, TOLERANCE).how

    failed = said({"code": 503, "message": "Prediction failed"}, 503, why="KeyError: 'x'")
    assert how(failed, said("a")) == ["503 Prediction failed (KeyError: 'x') → 200"]
    assert how(failed, said({"code": 503, "message": "Other"}, 503)) == [
        "503 Prediction failed (KeyError: 'x') → 503 Other"
    ]
    assert how(Said(NO_ANSWER, None, b"", "timed out"), said("a")) == ["no answer (timed out) → 200"]
    assert how(said("a", content_type="text/plain"), said("a")) == ["content type: text/plain → none"]
    assert not how(said("a", content_type="Text/Plain; charset=utf-8"), said("a", content_type="text/plain"))


def picture(shade: int, mode: str = "L", size: tuple[int, int] = (3, 2), format: str = "PNG") -> bytes:
    file = io.BytesIO()
    image = Image.new("L", size, 10)
    image.putpixel((0, 0), shade)
    (image if mode == "L" else image.convert(mode)).save(file, format)
    return file.getvalue()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (picture(10), picture(10), SAME),
        (picture(10), picture(11), WITHIN),
        (picture(10), picture(90), differs("1 of 6 pixels differ, by up to 80 of 255")),
        (picture(10), picture(10, format="BMP"), SAME),
        (picture(10), picture(10, size=(3, 3)), differs("a picture of 3x2 L → 3x3 L")),
        (picture(10, "P"), picture(11, "P"), differs("1 of 6 pixels are of another class")),
        (picture(10), b"\x89PNG", differs(f"{len(picture(10)):,} bytes → 4 others")),
    ],
)
def test_pictures(old: bytes, new: bytes, expected: Any) -> None:
    difference = compare_answers(
        said(old, content_type="image/png"), said(new, content_type="image/png"), TOLERANCE
    )
    assert (difference.state, difference.how) == expected
