"""How each script of this project starts: it goes on in `.venv/`, whichever Python it was started with.

A Python that is too old gets a sentence: this file and the scripts are written so that Python 2.7 reads them too.
"""

import importlib
import os
import subprocess
import sys

OLDEST_PYTHON = (3, 9)
NEWEST_PYTHON = (3, 14)  # that is tested


def start(module, *extras):
    # type: (str, *str) -> None
    """Goes on with a module's `main`, in a Python that has this project with these extras."""
    refuse_old_python()
    from examples.environment import enter

    enter(extras)
    run(module)


def run(module):
    # type: (str) -> None
    """Goes on with a module's `main` in this Python."""
    refuse_old_python()
    sys.exit(importlib.import_module(module).main())


def refuse_old_python():
    # type: () -> None
    """Ends the script with a sentence where this Python is too old."""
    if sys.version_info[:2] >= OLDEST_PYTHON:
        return
    here = "%s is Python %s, and this needs 3.9 or newer" % (sys.executable, sys.version.split()[0])
    newer = newer_python()
    hint = " ".join(["type", newer] + sys.argv) if newer else "there is none on the PATH"
    sys.stderr.write("%s: %s\n" % (here, hint))
    sys.exit(2)


def newer_python():
    # type: () -> str
    """The newest Python on the PATH that is new enough, by its command; nothing if there is none."""
    names = ["python3.%d" % minor for minor in range(NEWEST_PYTHON[1], OLDEST_PYTHON[1] - 1, -1)]
    return next((name for name in ["python3"] + names if is_new_enough(name)), "")


def is_new_enough(name):
    # type: (str) -> bool
    with open(os.devnull, "w") as nowhere:
        code = "import sys; sys.exit(sys.version_info[:2] < %r)" % (OLDEST_PYTHON,)
        try:
            return subprocess.call([name, "-c", code], stdout=nowhere, stderr=nowhere) == 0
        except OSError:
            return False
