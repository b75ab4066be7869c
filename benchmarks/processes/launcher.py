"""Runs a command, and takes in what its processes leave behind, so that none of them gets lost.

Started as `python -I -S launcher.py COMMAND ARGUMENT...`. A process whose parent has ended becomes a child of
this one (PR_SET_CHILD_SUBREAPER, prctl(2)), which awaits all of them: so the CPU seconds of every process that
ended are among those of a process that still runs.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys

PR_SET_CHILD_SUBREAPER = 36


def main(command: list[str]) -> int:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child = subprocess.Popen(command)
    while True:
        pid, status = os.wait()
        if pid == child.pid:
            return abs(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
