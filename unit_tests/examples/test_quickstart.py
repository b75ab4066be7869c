"""Quickstart brings its environment up to date and goes on in it, or says in pip's words why it cannot."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from examples import quickstart
from examples.environment import Environment
from examples.steps import StepFailedError

ROOT = Path(__file__).resolve().parents[2]


def run_main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["quickstart.py", *arguments])
    return quickstart.main()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What is asked of the environment, which is neither made nor entered."""
    asked: list[tuple[str, ...]] = []

    def ensure(self: Environment, extras: Iterable[str]) -> None:
        asked.append(("ensure", *extras))

    def execute(self: Environment, script: Path, arguments: Sequence[str]) -> int:
        asked.append((script.name, *arguments))
        return 0

    monkeypatch.setattr(Environment, "ensure", ensure)
    monkeypatch.setattr(Environment, "execute", execute)
    return asked


def test_the_tour_runs_in_the_environment(
    calls: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_main(monkeypatch) == 0
    assert calls == [("ensure", "timm"), ("tour.py",)]


def test_serving_needs_the_server(calls: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_main(monkeypatch, "--serve") == 0
    assert calls == [("ensure", "timm", "server"), ("tour.py", "--serve")]


def test_a_tour_may_be_of_some_handlers_only(
    calls: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_main(monkeypatch, "--only", "image_segmenter") == 0
    assert calls == [("ensure", "timm"), ("tour.py", "--only", "image_segmenter")]
    with pytest.raises(SystemExit):
        run_main(monkeypatch, "--only", "image_segmentor")
    assert "invalid choice: 'image_segmentor'" in capsys.readouterr().err


def test_a_failed_install_ends_with_pips_last_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "install.log"
    log.write_text("Collecting torch\nERROR: No matching distribution found for torch==2.14.1\n")

    def fail(self: Environment, extras: Iterable[str]) -> None:
        raise StepFailedError("install torchserve-handlers", 1, log)

    monkeypatch.setattr(Environment, "ensure", fail)
    assert run_main(monkeypatch) == 2
    error = capsys.readouterr().err
    assert "    ERROR: No matching distribution found for torch==2.14.1\n" in error
    assert error.endswith(f"install torchserve-handlers failed with exit status 1; the whole log is {log}\n")


@pytest.mark.parametrize("script", ["examples/quickstart.py", "torchserve_sanity.py"])
def test_the_scripts_start_anywhere_with_the_standard_library_alone(script: str, tmp_path: Path) -> None:
    command = [sys.executable, "-E", "-S", str(ROOT / script), "--help"]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    assert ".venv/" in finished.stdout
