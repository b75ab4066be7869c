"""The installed wheel is typed: a type checker sees how subclasses override the handlers' hooks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fresh_venv import Venv

RIGHT = """
from typing import Any

from ts.torch_handler.base_handler import BaseHandler
from ts.torch_handler.image_classifier import ImageClassifier


class Doubler(BaseHandler):
    def preprocess(self, data: Any) -> Any:
        return super().preprocess(data)

    def inference(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        return super().inference(data, *args, **kwargs)

    def postprocess(self, data: Any) -> list[Any]:
        return super().postprocess(2 * data)


class Sure(ImageClassifier):
    topk = 1

    def postprocess(self, data: Any) -> list[dict[str, float]]:
        return [{label: round(p, 2) for label, p in row.items()} for row in super().postprocess(data)]
"""
# Each hook that `timed` decorates, overridden in a way that a handler's caller would trip over.
WRONG = """
from typing import Any

from ts.torch_handler.base_handler import BaseHandler
from ts.torch_handler.image_classifier import ImageClassifier


class Worded(BaseHandler):
    def preprocess(self, data: Any, extra: int) -> Any: return data
    def inference(self) -> Any: return None
    def postprocess(self, data: int) -> str: return str(data)


class Sentence(ImageClassifier):
    def postprocess(self, data: Any) -> str: return "a cat"


answers: str = BaseHandler().postprocess(1)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, our_wheel: Path) -> Venv:
    """The wheel alone: what it imports of others is unknown to the checker, which then is quick."""
    venv = Venv(tmp_path_factory.mktemp("typed") / "venv", borrow=False)
    venv.install(str(our_wheel))
    return venv


def problems(installed: Venv, source: str, folder: Path) -> list[str]:
    """What mypy reports, as `line number: code of the error`."""
    (folder / "handler.py").write_text(source)
    command = ["-m", "mypy", "--python-executable", str(installed.python), "--no-incremental", "--strict"]
    shown = ["--no-error-summary", "--hide-error-context", "--ignore-missing-imports", "--no-pretty"]
    done = subprocess.run(
        [sys.executable, *command, *shown, "handler.py"], cwd=folder, capture_output=True, text=True
    )
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert len(errors) > 0 or done.returncode == 0, done.stdout + done.stderr
    return sorted({f"{line.split(':')[1]}: {line.rsplit('[')[-1].rstrip(']')}" for line in errors})


def test_right_overrides_pass(installed: Venv, tmp_path: Path) -> None:
    assert problems(installed, RIGHT, tmp_path) == []


def test_wrong_overrides_are_reported(installed: Venv, tmp_path: Path) -> None:
    assert problems(installed, WRONG, tmp_path) == [
        "10: override",
        "11: override",
        "15: override",
        "18: assignment",
        "9: override",
    ]
