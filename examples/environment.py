"""The virtual environment in the repository's root, which all scripts share."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from examples import steps
from examples.installing import SetupError, Torch, ask_pip, check_room, choose_torch, ensure_pip, run_pip
from examples.start import OLDEST_PYTHON
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

# What an editable install is made of; ts/__init__.py has the version.
INSTALLED_FROM = ("setup.py", "pyproject.toml", "ts/__init__.py")


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

        An environment that somebody else has made is used as it is, with the torch that it has, and never deleted.

        Args:
            extras: of the project; those that an earlier call asked for stay installed.

        Raises:
            SetupError: in a sentence, why it cannot be.
            StepFailedError: if `venv` or pip fails for a reason of its own.
        """
        try:
            if (version := self._version()) is None or version < OLDEST_PYTHON:
                self._create(version)
            installed = self._read_stamp()
            wanted = {"digest": self._digest(), "extras": sorted({*extras, *installed.get("extras", ())})}
            if any(installed.get(key) != value for key, value in wanted.items()):
                self._install(wanted)
        except OSError as error:
            raise SetupError(f"{self.folder} cannot be written: {error}") from error

    def execute(self, script: Path, arguments: Sequence[str]) -> int:
        """Run a script in the environment, in place of this process where the system can do that."""
        command = [str(self.python), str(script), *arguments]
        if os.name == "posix":
            sys.stdout.flush()
            os.execv(command[0], command)
        return subprocess.call(command)

    def _version(self) -> tuple[int, ...] | None:
        """Of the interpreter; None where it does not start, e.g. since the Python that it links to has gone."""
        code = "import sys; print('%d %d' % sys.version_info[:2])"
        try:
            done = subprocess.run([self.python, "-c", code], capture_output=True, text=True)
        except OSError:
            return None
        return tuple(map(int, done.stdout.split())) if done.returncode == 0 else None

    def _create(self, version: tuple[int, ...] | None) -> None:
        if self._is_foreign():
            why = (
                f"of Python {version[0]}.{version[1]}, which is too old"
                if version
                else "whose Python does not start"
            )
            raise SetupError(
                f"{self.folder} is no environment of this project's making, but one {why}: move it away, and this"
                " makes one of its own"
            )
        if find_spec("ensurepip") is None or find_spec("venv") is None:
            raise SetupError(
                f"{sys.executable} cannot make virtual environments: on Debian and Ubuntu apt install python3-venv"
                f" mends that, elsewhere uv venv --seed {self.folder}"
            )
        command: list[str | Path] = [sys.executable, "-m", "venv", "--clear", self.folder]
        run_step(f"create {self.folder.name}", command, LOGS / "venv.log")
        self._write_stamp({})

    def _is_foreign(self) -> bool:
        """Whether something is at the folder's place that this did not make."""
        made_here = self._stamp.is_file() and self._read_stamp().get("is_ours", True)
        return (
            not made_here
            and self.folder.exists()
            and (not self.folder.is_dir() or any(self.folder.iterdir()))
        )

    def _install(self, stamp: dict[str, Any]) -> None:
        is_ours = not self._is_foreign()
        self._write_stamp({"is_ours": is_ours, "extras": stamp["extras"]})
        ensure_pip(self.python)
        has_torch = ask_pip(self.python, "show", "torch") != ""
        torch = Torch(()) if has_torch and not is_ours else choose_torch(self.python, self.requirements)
        if not has_torch:
            check_room(self.folder, torch.gigabytes)
            if torch.comes:
                print(f"        {torch.comes}", flush=True)
        extras = f"[{','.join(stamp['extras'])}]" if stamp["extras"] else ""
        project = ["--editable", f"{ROOT}{extras}"]
        run_pip(
            f"install torchserve-handlers{extras}",
            [self.python, "-m", "pip", "install", *project, *torch.arguments],
            LOGS / "install.log",
        )
        self._write_stamp({"is_ours": is_ours, **stamp})

    @property
    def _stamp(self) -> Path:
        """A file that says whether this made the environment, and what an install that went well has installed."""
        return self.folder / "torchserve-handlers.json"

    def _write_stamp(self, stamp: dict[str, Any]) -> None:
        self._stamp.write_text(json.dumps(stamp), encoding="utf-8")

    def _read_stamp(self) -> dict[str, Any]:
        try:
            return json.loads(self._stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}

    def _digest(self) -> str:
        """A digest of all that an install depends on, save the extras."""
        digest = hashlib.sha256(repr((str(ROOT), self.requirements)).encode())
        for name in INSTALLED_FROM:
            digest.update((ROOT / name).read_bytes())
        return digest.hexdigest()


MODULES = {"server": "ts.model_server"}  # of an extra whose name is not that of its module


def enter(extras: Sequence[str] = ()) -> None:
    """Returns where this Python has the project with these extras, and else starts the script again in `.venv`."""
    if has_project(extras):
        return
    if {"-h", "--help"} & {*sys.argv[1:]}:
        print(sys.modules["__main__"].__doc__)
        sys.exit()
    sys.exit(steps.exit_code(lambda: run_in_environment(extras), SetupError))


def run_in_environment(extras: Sequence[str]) -> int:
    environment = Environment()
    environment.ensure(extras)
    return environment.execute(Path(sys.argv[0]).resolve(), sys.argv[1:])


def has_project(extras: Sequence[str]) -> bool:
    """Whether the project is installed for this Python, and the module of each extra."""
    return all(
        is_installed(name)
        for name in ("_torchserve_handlers", *(MODULES.get(extra, extra) for extra in extras))
    )


def is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ImportError:  # its package is not
        return False
