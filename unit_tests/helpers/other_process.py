"""Code that runs in a process of its own, and gives back a JSON value."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from threading import Lock
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


# Forks for each line of its input, so that what it has imported is there at once.
FORKS = """
import json, os, sys, traceback, warnings

def run(task):
    log = os.open(task["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.chdir(task["folder"])
    def answer(value):
        with open(task["answer"], "w") as file:
            json.dump(value, file)
    given = {"json": json, "sys": sys, "warnings": warnings}
    exec(task["code"], {"__name__": "__main__", "arguments": task["arguments"], "answer": answer, **given})

for line in sys.stdin:
    process = os.fork()
    if not process:
        status = 1
        try:
            run(json.loads(line))
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    print(os.waitpid(process, 0)[1], flush=True)
"""


class Forking:
    """A process that runs code in forks of its own: what it imports first, each of them finds imported.

    Args:
        first: code that it runs once.
        folder: where code runs.
        *options: of the interpreter.
    """

    def __init__(self, first: str, folder: Path, *options: str) -> None:
        self._folder = folder
        self._lock = Lock()
        self._process = subprocess.Popen(
            [
                sys.executable,
                *options,
                "-c",
                f"import sys, warnings\nwarnings.simplefilter('ignore')\n{first}\n{FORKS}",
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        )

    def __call__(self, code: str, **arguments: Any) -> Any:
        """What the code gave to `answer`; its arguments are in the dictionary `arguments`."""
        log, answer = self._folder / "log", self._folder / "answer.json"
        paths = {"folder": str(self._folder), "log": str(log), "answer": str(answer)}
        with self._lock:
            print(
                json.dumps({"code": code, "arguments": arguments, **paths}),
                file=self._process.stdin,
                flush=True,
            )
            status = self._process.stdout.readline().strip()
            assert status == "0", log.read_text() if log.exists() else "the process ended"
            return json.loads(answer.read_text())

    def close(self) -> None:
        """Ends the process; not by the end of its input, which other forks of this one may hold open."""
        self._process.kill()
        self._process.communicate()
