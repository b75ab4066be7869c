"""One check of the doctor's, and how it asks another process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

SECONDS = 60  # for an answer of a process; torch alone takes some to import
OK, NOTE, WRONG = "ok", "note", "wrong"


@dataclass(frozen=True)
class Check:
    """What was found.

    Attributes:
        name: Of what was looked at.
        state: "ok"; "note", for what is missing but need not be there; or "wrong".
        found: What there is, for a reader.
        advice: What to do; empty if that is nothing.
    """

    name: str
    state: str
    found: str
    advice: str = ""


class NoAnswerError(Exception):
    """A process did not say what it was asked; the text says why."""


def ask(command: Sequence[str], env: Optional[Mapping[str, str]] = None) -> Any:
    """What a process prints on its last line, as JSON.

    Raises:
        NoAnswerError: It ends otherwise, or not in time.
    """
    try:
        done = subprocess.run(
            command,
            env=env,
            cwd=os.path.dirname(sys.executable),  # no folder of the user's gets onto its sys.path
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise NoAnswerError(f"no answer within {SECONDS} seconds") from error
    except OSError as error:
        raise NoAnswerError(f"{command[0]} does not start: {error}") from error
    try:
        return json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError) as error:
        raise NoAnswerError((done.stderr.splitlines() or ["no answer"])[-1]) from error
