"""A child process in a network of its own, since Ray listens on all addresses that there are."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Optional

ROOT = Path(__file__).resolve().parents[2]
SIOCSIFFLAGS = 0x8914  # netdevice(7)
IFF_UP, IFF_RUNNING = 0x1, 0x40


def unshare() -> list[str]:
    """The command before a command that runs it so; all that it starts ends with it."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *user, "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]


def why_not() -> Optional[str]:
    """Why there can be no such process here; None if there can."""
    if sys.platform != "linux":
        return "network namespaces are Linux's"
    try:
        tried = subprocess.run([*unshare(), "true"], capture_output=True, text=True)
    except OSError as error:
        return f"unshare cannot be run: {error}"
    return f"no network namespace can be made: {tried.stderr.strip()}" if tried.returncode else None


def run_in_namespace(module: str, *arguments: str, timeout: float) -> subprocess.CompletedProcess[str]:
    """Runs a module of this project, and keeps what it prints."""
    command = [*unshare(), sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout)


def enter(marker: str) -> None:
    """Goes on in such a network, in place of this process, with its loopback device up.

    Args:
        marker: An environment variable, which is set for the process that runs there.
    """
    if marker in os.environ:
        bring_loopback_up()
        return
    if reason := why_not():
        sys.exit(f"servers, and Ray's above all, are not to listen in a network that others use: {reason}")
    command = [*unshare(), sys.executable, *sys.argv]
    os.execvpe(command[0], command, {**os.environ, marker: "1"})


def bring_loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh", b"lo", IFF_UP | IFF_RUNNING))
