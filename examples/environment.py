"""The virtual environment in the repository's root that quickstart and the sanity script share."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from examples.steps import run_step

ROOT = Path(__file__).resolve().parents[1]
LOGS = ROOT / "logs"

# The pair that the tests run with; on Python 3.9, which it does not support, pip takes the newest that does.
TESTED_TORCH = (
    "torch==2.14.1; python_version >= '3.10'",
    "torchvision==0.29.1; python_version >= '3.10'",
)
# The oldest that pyproject.toml promises. Its wheels end at Python 3.12, and it is older than NumPy 2;
# transformers 5 takes a newer one.
OLDEST_TORCH = ("torch==2.3.1", "torchvision==0.18.1", "torchtext==0.18.0", "numpy<2", "transformers<5")
OLDEST_TORCH_NEWEST_PYTHON = (3, 12)


@dataclass(frozen=True)
class Environment:
    """A virtual environment with this project installed in it, editable.

    Attributes:
        folder: of the environment.
        requirements: what is installed beside the project.
    """

    folder: Path = ROOT / ".venv"
    requirements: tuple[str, ...] = TESTED_TORCH

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def ensure(self, extras: Iterable[str] = ()) -> None:
        """Create the environment if it is missing or broken, and install the project if it is not up to date.

        Args:
            extras: of the project; those that an earlier call asked for stay installed.

        Raises:
            StepFailedError: if `venv` or pip fails.
        """
        if not self._runs():
            run_step(
                f"create {self.folder.name}",
                [sys.executable, "-m", "venv", "--clear", self.folder],
                LOGS / "venv.log",
            )
        installed = self._read_stamp()
        wanted = {"digest": self._digest(), "extras": sorted({*extras, *installed.get("extras", ())})}
        if installed != wanted:
            self._install(wanted)

    def execute(self, script: Path, arguments: Sequence[str]) -> int:
        """Run a script in the environment, in place of this process where the system can do that."""
        command = [str(self.python), str(script), *arguments]
        if os.name == "posix":
            sys.stdout.flush()
            os.execv(command[0], command)
        return subprocess.call(command)

    def _runs(self) -> bool:
        """Whether the interpreter starts; it does not once the Python that it links to has gone."""
        try:
            return subprocess.run([self.python, "-c", ""], capture_output=True).returncode == 0
        except OSError:
            return False

    def _install(self, stamp: dict[str, Any]) -> None:
        self._stamp.unlink(missing_ok=True)
        extras = f"[{','.join(stamp['extras'])}]" if stamp["extras"] else ""
        project = ["--editable", f"{ROOT}{extras}"]
        run_step(
            f"install torchserve-handlers{extras}",
            [self.python, "-m", "pip", "install", *project, *self.requirements],
            LOGS / "install.log",
        )
        self._stamp.write_text(json.dumps(stamp), encoding="utf-8")

    @property
    def _stamp(self) -> Path:
        """A file that says what the last install that went well has installed."""
        return self.folder / "torchserve-handlers.json"

    def _read_stamp(self) -> dict[str, Any]:
        try:
            return json.loads(self._stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}

    def _digest(self) -> str:
        """A digest of all that an install depends on, save the extras."""
        digest = hashlib.sha256(repr((str(ROOT), self.requirements)).encode())
        for name in ("setup.py", "pyproject.toml"):
            digest.update((ROOT / name).read_bytes())
        return digest.hexdigest()
