"""A folder of texts, an archive whose handler obeys them, and the command on both."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Optional

import pytest

from ts.runner.main import main
from unit_tests.runner.conftest import manifest_of, write_zip

OBEYS = """
import os, signal, time

class Obeys:
    def initialize(self, context):
        pass

    def handle(self, data, context):
        texts = [bytes(row.get("data") or row["body"]).decode() for row in data]
        with open(os.environ["MARKS"], "a") as marks:
            marks.write("".join(f"{text}\\n" for text in texts))
        return [self.answer(text, index, len(data), context) for index, text in enumerate(texts)]

    def answer(self, text, index, rows, context):
        order, _, what = text.partition(" ")
        if order == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if order == "interrupt":
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(10)
        if order == "delete":
            os.unlink(what)
        if order == "wait":
            while not os.path.exists(what):
                time.sleep(0.01)
        if order == "raise":
            raise ValueError(what)
        if order == "bad":
            context.set_response_status(400, "Bad Request", index)
            return {"code": 400, "message": f"it is {what}"}
        if order == "picture":
            context.set_response_content_type(index, "image/png")
            return b"\\x89PNG"
        return {"said": text, "rows": rows}
"""


class Place:
    """A folder to work in.

    Attributes:
        folder: Of all; its `in` holds the inputs, `obeys.mar` is the archive.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._marks = folder / "marks"

    def write(self, **texts: str) -> None:
        """Makes inputs: `in/NAME.txt` with its text."""
        (self.folder / "in").mkdir(exist_ok=True)
        for name, text in texts.items():
            (self.folder / "in" / f"{name}.txt").write_text(text)

    def run(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._command(arguments), **self._where(), capture_output=True, text=True, **options
        )

    def start(
        self, *arguments: str, env: Optional[dict[str, str]] = None, **files: Any
    ) -> subprocess.Popen[str]:
        where = self._where()
        where["env"].update(env or {})
        files = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **files}
        return subprocess.Popen(self._command(arguments), **where, **files, text=True)

    def here(self, *arguments: str) -> int:
        """Runs the command in this process, where signals stay as they are."""
        return main(["predict", "obeys.mar", *arguments, "--device", "cpu"])

    def asked(self) -> list[str]:
        """The texts that the handler got so far."""
        return self._marks.read_text().splitlines() if self._marks.exists() else []

    def await_asked(self, text: str) -> None:
        for _ in range(6000):
            if text in self.asked():
                return
            time.sleep(0.01)
        raise AssertionError(f"{text} was not asked")

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "ts.runner", "predict", "obeys.mar", *arguments, "--device", "cpu"]

    def _where(self) -> dict[str, Any]:
        return {"cwd": self.folder, "env": {**os.environ, "MARKS": str(self._marks)}}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The texts are answered two at a time."""
    files = {"own.py": OBEYS.encode(), "config.yaml": b"batchSize: 2"}
    files["MAR-INF/MANIFEST.json"] = manifest_of("own.py", configFile="config.yaml")
    write_zip(tmp_path / "obeys.mar", files)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MARKS", str(tmp_path / "marks"))
    monkeypatch.setattr("ts.runner.main.unwind_on_signals", lambda: None)
    return Place(tmp_path)
