"""Stands between a process and the TorchServe that it started, and stops that when its owner is gone.

Run as a script, `guard.py OWNER PID_FILE FOLDER COMMAND...`, so that it imports the standard library only. It
writes the server's process group to standard output, and ends when the server does. It stops the server when it
gets a SIGTERM, or when it is no longer a child of the process OWNER, which may have been killed; then it deletes
FOLDER too.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType
from typing import Optional

POLL_SECONDS = 0.2
STOP_SECONDS = 15  # after which what is left is killed


class Asked:
    """Whether a signal has come that asks this process to end."""

    def __init__(self) -> None:
        self.to_stop = False
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note)

    def _note(self, number: int, _: Optional[FrameType]) -> None:
        self.to_stop = True


def guard(owner: int, pid_file: str, folder: str, command: Sequence[str]) -> int:
    """Runs a server as long as its owner lives and wants it.

    Returns:
        The server's exit status.
    """
    asked = Asked()
    server = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr.fileno(),
        start_new_session=True,  # its own process group, so that all of it can be ended
    )
    with suppress(BrokenPipeError):  # the owner may be gone already
        os.write(sys.stdout.fileno(), b"%d\n" % server.pid)
    while server.poll() is None and not asked.to_stop and os.getppid() == owner:
        time.sleep(POLL_SECONDS)
    stop(server, pid_file)
    if os.getppid() != owner:
        shutil.rmtree(folder, ignore_errors=True)
    return server.wait()


def stop(server: subprocess.Popen[bytes], pid_file: str) -> None:
    """Ends the server: its Java process in order, which ends its workers, then whatever is left of the group."""
    with suppress(ProcessLookupError):
        os.kill(frontend_pid(server, pid_file), signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        server.wait(STOP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)


def frontend_pid(server: subprocess.Popen[bytes], pid_file: str) -> int:
    """The pid of the Java process, which the launcher writes down; the launcher's own before it has."""
    try:
        with open(pid_file, encoding="ascii") as file:
            pid = int(file.read())
        return pid if os.getpgid(pid) == server.pid else server.pid
    except (OSError, ValueError):
        return server.pid


if __name__ == "__main__":
    sys.exit(guard(int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]))
