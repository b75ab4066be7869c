"""Where this library's `ts` stands, and how the processes of a TorchServe come to have it.

Imported by `ts` itself, before torch: the standard library alone, and little of it.
"""

from __future__ import annotations

import os
import sys

# sys.argv[0] while `python -m ts.model_server` imports `ts`, or of torchserve's own command.
LAUNCHERS = ("-m", "torchserve", "torchserve.exe")


def overlay_folder() -> str:
    """The folder that holds this library's `ts`, to be put in front of `sys.path` or of PYTHONPATH."""
    return os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def in_front(pythonpath: str | None) -> str:
    """A value for PYTHONPATH whose first folder is `overlay_folder()`.

    Args:
        pythonpath: its value before; None where it has none.
    """
    folder = overlay_folder()
    others = [path for path in (pythonpath or "").split(os.pathsep) if path and path != folder]
    return os.pathsep.join([folder, *others])


def pass_on() -> None:
    """Gives this library to all that a launcher of TorchServe starts, by its environment.

    For a model with `useVenv` TorchServe makes a virtual environment which names the site-packages of the
    launcher's Python as a plain folder, in which no `.pth` file is read. PYTHONPATH reaches it. In a process
    that is no launcher nothing changes.
    """
    if os.path.basename(sys.argv[0] if sys.argv else "") in LAUNCHERS:
        os.environ["PYTHONPATH"] = in_front(os.environ.get("PYTHONPATH"))
