"""Code that runs in a process of its own, and gives back a JSON value."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

# What the code finds: the dictionary `arguments`, and `answer(value)`.
PRELUDE = """
import json, sys, warnings
warnings.simplefilter("ignore")
arguments = json.load(sys.stdin)
def answer(value):
    print("\\n=answer=" + json.dumps(value))
"""


def run(code: str, arguments: dict[str, Any], folder: Path, *options: str) -> Any:
    """What the code gave to `answer`.

    Args:
        code: Python, whose arguments are in the dictionary `arguments`.
        arguments: JSON values by name.
        folder: where it runs.
        *options: of the interpreter.
    """
    done = subprocess.run(
        [sys.executable, *options, "-c", PRELUDE + code],
        input=json.dumps(arguments),
        capture_output=True,
        text=True,
        cwd=folder,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.rpartition("\n=answer=")[2])
