"""Virtual environments that tests make, without the network."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ORIGINS = """
import importlib.util, json, sys
print(json.dumps([importlib.util.find_spec(name).origin for name in sys.argv[1:]]))
"""


# What would let other copies of `ts` in, or switch ours off.
ISOLATED = ("PYTHONPATH", "TORCHSERVE_HANDLERS")


class Venv:
    """A fresh virtual environment; it may borrow torch and the like from the one that runs the tests."""

    def __init__(self, folder: Path, borrow: bool = True) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        self.python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
        self.purelib = Path(self.run("import sysconfig; print(sysconfig.get_path('purelib'))"))
        if borrow:
            borrowed = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
            (self.purelib / "zz_borrowed.pth").write_text("\n".join(dict.fromkeys(borrowed)))

    def pip(self, *arguments: str) -> None:
        """Runs this Python's pip in the environment, as `pip --python` does after it has started once more."""
        # Not by an import of pip, or a search for it: setuptools takes either for a run of pip, in which it
        # leaves distutils to Python, and can itself no longer be imported.
        runner = importlib.metadata.distribution("pip").locate_file("pip/__pip-runner__.py")
        command = [str(self.python), str(runner), *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def install(self, *what: str) -> None:
        offline = ("--no-deps", "--no-index", "--no-build-isolation", "--no-compile")
        self.pip("install", *offline, "--ignore-installed", *what)

    def origins(self, modules: list[str]) -> list[Path]:
        """The files that modules would be imported from."""
        return [Path(origin).resolve() for origin in json.loads(self.run(ORIGINS, *modules))]

    def run(self, code: str, *arguments: str) -> str:
        """What a piece of code prints."""
        return self.command(str(self.python), "-W", "ignore", "-c", code, *arguments).stdout.strip()

    def command(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs a command in the environment's folder of commands; it must end with 0.

        Args:
            command: a name that has no slash is that of a command of the environment.
            environment: variables beside this process's; PYTHONPATH has only what is given here.
        """
        program = command[0] if os.sep in command[0] else str(self.python.parent / command[0])
        variables = {key: value for key, value in os.environ.items() if key not in ISOLATED}
        done = subprocess.run(
            [program, *command[1:]],
            capture_output=True,
            text=True,
            cwd=self.python.parent,
            env={**variables, **environment},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done


def repack(distribution: str, folder: Path) -> Path:
    """Makes the wheel of an installed pure-Python distribution again, since a test must not ask the network."""
    try:
        installed = importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"needs {distribution} installed: pip install 'torchserve-handlers[server,test]'")
    left_out = {"INSTALLER", "REQUESTED", "RECORD", "direct_url.json"}
    stem = f"{distribution.replace('-', '_')}-{installed.version}"
    wheel = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for file in installed.files or []:
            if not (file.parts[0] == ".." or file.suffix == ".pyc" or file.name in left_out):
                archive.write(str(file.locate()), str(file))
        archive.writestr(f"{stem}.dist-info/RECORD", f"{stem}.dist-info/RECORD,,\n")
    return wheel
