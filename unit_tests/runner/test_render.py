from __future__ import annotations

import io
import json
from typing import Any

import pytest
from rich.console import Console

from ts.runner.answering.answer import Answer
from ts.runner.render import answers_table, inspection_view


def shown(renderable: Any) -> str:
    buffer = io.StringIO()
    Console(file=buffer, width=200).print(renderable)
    return buffer.getvalue()


def table(value: Any, **answer: Any) -> str:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return shown(answers_table(["photo.jpg"], [Answer(**{"status": 200, "body": body, **answer})]))


def test_probabilities_are_rows_of_label_and_number() -> None:
    lines = table({"tiger cat": 0.48012, "tabby": 0.4137}).splitlines()
    assert "photo.jpg" in lines[3]
    assert "200" in lines[3]
    assert lines[3].rstrip(" │").endswith("tiger cat  0.4801")
    assert lines[4].rstrip(" │").endswith("tabby      0.4137")


def test_detections_are_rows_of_label_score_and_box() -> None:
    text = table([{"person": [10.2, 20, 30, 40.6], "score": 0.951}])
    assert "person  0.9510  (10, 20, 30, 41)" in text


def test_a_mask_is_shown_by_its_sizes() -> None:
    assert "a list of 4 x 3 x 2 values" in table([[[0, 0.5]] * 3] * 4)


def test_a_vector_is_shown_by_its_beginning() -> None:
    shown = " ".join(table([0.125] * 384).split())
    assert "384 numbers: 0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125, ..." in shown


def test_other_json_is_shown_as_it_is() -> None:
    assert '"a": "b"' in table({"a": "b"})


def test_what_came_before_an_answer_is_shown_before_it() -> None:
    before = (Answer(200, b"first "), Answer(200, b'{"second": 2}'))
    text = table("last", intermediate=before)
    assert text.index("first") < text.index("second  2.0000") < text.index("last")


def test_markup_in_a_label_is_only_text() -> None:
    assert "[red]x[/nope]" in table({"[red]x[/nope]": 0.5})


def test_bytes_are_counted() -> None:
    assert "1,234 bytes of image/png" in table(bytes(1234), content_type="image/png")


def test_a_long_text_says_how_to_see_it_whole() -> None:
    assert "(2,000 characters; --json prints all)" in table(("x" * 2000).encode()).replace("\n", "")


@pytest.mark.parametrize("reason", [ValueError("bad weights"), None])
def test_an_error_shows_its_message_and_its_reason(reason: Any) -> None:
    text = table({"code": 503, "type": "T", "message": "Prediction failed"}, status=503, reason=reason)
    assert "503" in text
    assert "Prediction failed" in text
    assert ("(ValueError: bad weights)" in text) == bool(reason)


def test_an_inspection_shows_files_and_damage() -> None:
    facts = {
        "manifest": {"model": {"modelName": "tiny", "configFile": "c.yaml"}, "runtime": "python"},
        "settings": {"batchSize": 2},
        "files": [{"name": "own.py", "size": 1500, "sha256": "ab" * 32}],
        "damaged": ["own.py", "absent.pt"],
    }
    text = shown(inspection_view(facts))
    for expected in (
        "tiny",
        "python",
        "1.5 kB",
        "ab" * 32 + " (not the manifest's)",
        "missing",
        '"batchSize": 2',
    ):
        assert expected in text
