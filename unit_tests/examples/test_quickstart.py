"""Quickstart shows its examples in an environment with what they need."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import pytest

from examples import tour, tour_options


def run_main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["quickstart.py", *arguments])
    return tour_options.main()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """The extras of the environment, which is neither made nor entered, and what is shown there."""
    asked: list[tuple[object, ...]] = []

    def show(folders: Sequence[str], serve: bool) -> int:
        asked.append(("show", *folders, serve))
        return 0

    monkeypatch.setattr(tour_options, "enter", lambda extras: asked.append(("enter", *extras)))
    monkeypatch.setattr(tour, "tour", show)
    return asked


def test_the_tour_runs_in_the_environment(
    calls: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_main(monkeypatch) == 0
    assert calls == [("enter", "timm"), ("show", *tour_options.SHOWN, False)]


def test_serving_needs_the_server(calls: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_main(monkeypatch, "--serve") == 0
    assert calls == [("enter", "timm", "server"), ("show", *tour_options.SHOWN, True)]


def test_a_tour_may_be_of_some_handlers_only(
    calls: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_main(monkeypatch, "--only", "image_segmenter") == 0
    assert calls == [("enter", "timm"), ("show", "image_segmenter", False)]
    with pytest.raises(SystemExit):
        run_main(monkeypatch, "--only", "image_segmentor")
    assert "invalid choice: 'image_segmentor'" in capsys.readouterr().err
