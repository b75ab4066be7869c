"""Whose `ts`, and whose archiver, each place on this machine gets."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shlex
import shutil
import site
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Optional, Union

from ts import HANDLERS_VERSION
from ts.overlay import overlay_folder
from ts.runner.doctor.check import NOTE, OK, WRONG, Check, ask

DISTRIBUTION = "torchserve-handlers"
SWITCH = "TORCHSERVE_HANDLERS"

FIND = """
import importlib.util, json, sys
found = importlib.util.find_spec(sys.argv[1])
print(json.dumps(found and found.origin))
"""
# What TorchServe's launcher hands on to all that it starts.
LAUNCH = """
import json, os, sys
sys.argv[0] = "torchserve"
try:
    import ts
except ImportError:
    pass
print(json.dumps(os.environ.get("PYTHONPATH")))
"""


def this_python() -> Check:
    """The interpreter that runs this."""
    return whose("python", [sys.executable])


def without_site() -> Check:
    """`python -S`, which reads no `.pth` file."""
    return whose("python -S", [sys.executable, "-S"], none_is=OK)


def virtual_environment() -> Check:
    """The environment that TorchServe makes for a model with `useVenv: true`, made as TorchServe makes it."""
    import venv  # for this alone

    passed_on = ask([sys.executable, "-c", LAUNCH])
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, symlinks=os.name != "nt")
        purelib = next(Path(folder).glob("[Ll]ib/**/site-packages"))
        (purelib / "inherited.pth").write_text("\n".join(site.getsitepackages()), encoding="utf-8")
        python = Path(folder, "Scripts" if os.name == "nt" else "bin", "python")
        env = {**os.environ, **({"PYTHONPATH": passed_on} if passed_on else {})}
        return whose("a model with useVenv", [str(python)], env)


def torchserve_command() -> Check:
    """The command `torchserve` on PATH, which may be that of another environment."""
    path = shutil.which("torchserve")
    if path is None:
        return Check("torchserve", NOTE, "not on PATH; `torch-model-runner serve` does without that command")
    python = interpreter(Path(path))
    if python is None:
        return Check("torchserve", NOTE, f"{path}: no script that names its Python")
    check = whose("torchserve", [python])
    if check.state != WRONG:
        return Check("torchserve", check.state, f"{path}: {check.found}", check.advice)
    advice = (
        f"start `{sys.executable} -m ts.model_server` in its place, or install {DISTRIBUTION} for {python}"
    )
    return Check("torchserve", WRONG, f"{path}: {check.found}", advice)


def copies() -> Check:
    """Whether all copies of this library that Python sees are of one version."""
    found = {found.version for found in importlib.metadata.distributions(name=DISTRIBUTION)}
    if not found:
        return Check("installed", NOTE, f"no {DISTRIBUTION} that pip knows of; running {HANDLERS_VERSION}")
    if found == {HANDLERS_VERSION}:
        return Check("installed", OK, f"{DISTRIBUTION} {HANDLERS_VERSION}")
    versions = ", ".join(sorted(found | {HANDLERS_VERSION}))
    advice = f"pip uninstall {DISTRIBUTION}, until pip finds none, and install it again"
    return Check("installed", WRONG, f"{DISTRIBUTION} of several versions: {versions}", advice)


def archiver_command() -> Check:
    """The command `torch-model-archiver`: the file is PyPI's, what it runs is to be this library's."""
    name = "torch-model-archiver"
    path = shutil.which(name) or shutil.which(name, path=os.path.dirname(sys.executable))
    if path is None:
        advice = (
            f"pip install --force-reinstall --no-deps {name}, or use python -m model_archiver.model_packaging"
        )
        return Check(name, NOTE, "no such command", advice)
    python = interpreter(Path(path))
    origin = ask([python, "-c", FIND, "model_archiver"]) if python else None
    version = version_in(Path(origin).parents[1] / "ts" / "__init__.py") if origin else None
    if version:
        return Check(name, OK, f"{path}: {DISTRIBUTION} {version}")
    return Check(name, NOTE, f"{path}: not this library's", remedy())


def whose(
    name: str, python: Sequence[str], env: Optional[Mapping[str, str]] = None, none_is: str = WRONG
) -> Check:
    """Whose `ts` an interpreter would import; `none_is` is the state where it finds none."""
    origin = ask([*python, "-c", FIND, "ts"], env)
    if origin is None:
        found = "no ts: neither this library's nor torchserve's"
        return Check(name, none_is, found, remedy() if none_is == WRONG else "")
    version, folder = version_in(origin), os.path.dirname(origin)
    if version == HANDLERS_VERSION:
        return Check(name, OK, f"{DISTRIBUTION} {version} in {folder}")
    found = f"another copy of {DISTRIBUTION}, {version}" if version else "torchserve's own ts"
    return Check(name, WRONG, f"{found}, in {folder}", remedy())


@cache
def remedy() -> str:
    """What to do where torchserve's own `ts` is found."""
    find = [sys.executable, "-c", FIND, "ts"]
    without = {key: value for key, value in os.environ.items() if key != SWITCH}
    if SWITCH in os.environ and not version_in(ask(find)) and version_in(ask(find, without)):
        return f"unset {SWITCH}, which is {os.environ[SWITCH]!r}"
    return f"put {overlay_folder()} in front of PYTHONPATH"


def version_in(init: Union[str, Path, None]) -> Optional[str]:
    """The version that this library's `ts/__init__.py` states; None for another's, or for none."""
    try:
        text = Path(init).read_text(encoding="utf-8") if init else ""
    except (OSError, ValueError):
        return None
    match = re.search(r'^HANDLERS_VERSION = "(.+)"$', text, re.MULTILINE)
    return match[1] if match else None


def interpreter(script: Path) -> Optional[str]:
    """The Python that a console script starts with, by its first lines as pip writes them; None if it has none."""
    try:
        first, second = [*script.read_text(encoding="utf-8").splitlines(), "", ""][:2]
    except (OSError, ValueError):
        return None
    if first.startswith("#!/bin/sh"):  # a path too long, or with spaces: '''exec' "/path/python" "$0" "$@"
        words = shlex.split(second.replace("'''", "", 1).replace("'", "", 1)) if "exec" in second else []
        return words[1] if len(words) > 1 else None
    words = first[2:].split() if first.startswith("#!") else []
    if words and os.path.basename(words[0]) == "env":
        return shutil.which(words[-1])
    return words[0] if words else None
