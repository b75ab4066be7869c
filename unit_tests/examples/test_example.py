"""An example's archive is built when it has to be, and what goes wrong is a sentence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from rich.text import Text

from examples import example
from examples.example import AnswerError, Example, Outcome, exit_code, responses
from ts.runner import RunnerError
from ts.runner.answering.answer import Answer


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Example:
    """An example whose files date from second 1000, and whose archive is not built."""
    monkeypatch.setattr(example, "HERE", tmp_path)
    monkeypatch.setattr(example, "MODEL_STORE", tmp_path / "model_store")
    for path in (tmp_path / "building.py", tmp_path / "demo" / "build.py"):
        path.parent.mkdir(exist_ok=True)
        path.touch()
        os.utime(path, (1000, 1000))
    return Example("demo", "net", "says nothing", ("a text",), lambda *_: Outcome(Text()))


def build(demo: Example, second: int) -> None:
    demo.archive.parent.mkdir(exist_ok=True)
    demo.archive.touch()
    os.utime(demo.archive, (second, second))


def test_an_archive_that_is_missing_is_not_built(demo: Example) -> None:
    assert not demo.is_built()


def test_an_archive_is_as_new_as_its_sources(demo: Example) -> None:
    build(demo, 1000)
    assert demo.is_built()


@pytest.mark.parametrize("source", ["building.py", "demo/build.py", "demo/model.py"])
def test_an_archive_older_than_a_source_is_not_up_to_date(demo: Example, tmp_path: Path, source: str) -> None:
    build(demo, 1500)
    (tmp_path / source).touch()
    assert not demo.is_built()


class FakeModel:
    """Answers each input with its status."""

    def predict(self, inputs, *, options):
        return [Answer(status, b'"a response"') for status in inputs]


def test_every_answer_has_to_be_a_200() -> None:
    assert responses(FakeModel(), [200, 200]) == ["a response", "a response"]
    with pytest.raises(AnswerError, match="400 got status 400: a response"):
        responses(FakeModel(), [200, 400])


@pytest.mark.parametrize("error", [AnswerError("no such thing"), RunnerError("no such thing")])
def test_what_went_wrong_is_a_sentence(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> int:
        raise error

    assert exit_code(fail) == 2
    assert capsys.readouterr().err == "no such thing\n"


def test_an_interruption_has_the_shells_status(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt() -> int:
        raise KeyboardInterrupt

    assert exit_code(interrupt) == 130
