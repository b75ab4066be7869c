"""Which differences are known, and that the page has a row for each."""

from __future__ import annotations

import io
import json
import math
import re
from pathlib import Path
from typing import Any, Optional

import pytest
from PIL import Image

from ts.runner.batch.question import Question
from ts.runner.comparing.answers import compare_answers
from ts.runner.comparing.reasons import REASONS, Case, why
from ts.runner.comparing.said import Said

PAGE = Path(__file__).resolve().parents[3] / "docs" / "migrating.md"


def photo(form: str = "PNG", mode: str = "RGB", orientation: int = 1) -> bytes:
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    Image.new(mode, (4, 3)).save(file, form, exif=exif)
    return file.getvalue()


def reason(
    old: Any,
    new: Any,
    *,
    statuses: tuple[int, int] = (200, 200),
    types: tuple[Optional[str], Optional[str]] = (None, None),
    content: bytes = b"",
    rows: int = 1,
    alone: int = 200,
    options: tuple[tuple[str, str], ...] = (),
    explain: bool = False,
    has_settings: bool = False,
) -> str:
    """The anchor of the reason that is found; "" for none."""
    call = Question(options=options, explain=explain).call("input", content)
    there, here = (
        Said(status, kind, json.dumps(value).encode())
        for status, kind, value in zip(statuses, types, (old, new))
    )
    found = compare_answers(there, here, 0.002)
    assert found.how
    told = why(Case(call, there, here, found, rows, Said(alone, None, b""), has_settings))
    return told.anchor if told else ""


ANSWER = {"cat": 0.9, "dog": 0.1}
OTHER = {"cat": 0.7, "dog": 0.3}
FAILED = {"code": 503, "message": "Prediction failed"}
TWICE = {name: math.exp(value) / (math.exp(0.9) + math.exp(0.1) + 5) for name, value in ANSWER.items()}


@pytest.mark.parametrize(
    ("expected", "case"),
    [
        ("", {"old": ANSWER, "new": OTHER}),
        ("", {"old": ANSWER, "new": FAILED, "statuses": (200, 503)}),
        ("", {"old": ANSWER, "new": FAILED, "statuses": (200, 400)}),
        ("batch", {"old": FAILED, "new": ANSWER, "statuses": (503, 200), "rows": 2}),
        ("batch", {"old": FAILED, "new": FAILED, "statuses": (503, 400), "rows": 2, "alone": 503}),
        (
            "texts",
            {
                "old": {"message": "number of batch response mismatched"},
                "new": ANSWER,
                "statuses": (503, 200),
                "rows": 2,
            },
        ),
        ("nan", {"old": {"cat": math.nan}, "new": FAILED, "statuses": (200, 500)}),
        ("statuses", {"old": FAILED, "new": FAILED, "statuses": (503, 400)}),
        (
            "modes",
            {"old": FAILED, "new": ANSWER, "statuses": (503, 200), "content": photo(mode="RGBA")},
        ),
        ("modes", {"old": ANSWER, "new": OTHER, "content": photo(mode="L")}),
        ("answered", {"old": FAILED, "new": ANSWER, "statuses": (503, 200)}),
        ("exif", {"old": ANSWER, "new": OTHER, "content": photo("JPEG", orientation=6)}),
        ("explanations", {"old": [1.0], "new": [2.0], "explain": True}),
        ("options", {"old": ANSWER, "new": {"cat": 0.9}, "options": (("topk", "1"),)}),
        ("softmax", {"old": TWICE, "new": ANSWER}),
        ("labels", {"old": {"crane": 0.1}, "new": {"crane": 0.6, "crane (517)": 0.1}}),
        ("labels", {"old": [{"score": 0.9}], "new": [{"score (7)": [1, 2, 3, 4], "score": 0.9}]}),
        ("types", {"old": ANSWER, "new": ANSWER, "types": (None, "application/json")}),
        ("jpeg", {"old": ANSWER, "new": {"cat": 0.89, "dog": 0.11}, "content": photo("JPEG")}),
        ("", {"old": ANSWER, "new": OTHER, "content": photo("JPEG")}),
        ("", {"old": [[1.0]], "new": [[1.0, 2.0]], "content": photo("JPEG")}),
        ("settings", {"old": ANSWER, "new": OTHER, "has_settings": True}),
        ("masks", {"old": [[[1, 0.5]]], "new": [[[1, 0.5]] * 2] * 2}),
    ],
)
def test_a_difference_has_its_reason(expected: str, case: dict[str, Any]) -> None:
    assert reason(**case) == expected


def test_the_page_has_a_row_for_each_reason() -> None:
    rows = re.findall(r'^\| <a id="(\w+)"></a>', PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(set(rows)) == len(rows)
    assert {reason.anchor for reason in REASONS} <= set(rows)
