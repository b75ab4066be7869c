"""torch-model-runner: answers, shows, serves and exports model archives from the command line.

Exit codes: 0 if every answer is a 200 (`inspect --verify`: if every file is as it was packed; `export`: if it is
the old archive's; `quantize`: if it agrees with that; `compare`: if both sides answer the same; `doctor`: if
nothing is wrong), 1 if any is not, 2 if the archive cannot be opened, served, exported or quantized, or the usage
is wrong; 128 + N if signal N ended it (of `serve`, only before its models are ready).
"""

from __future__ import annotations

import io
import logging
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import Optional

from ts.runner.errors import RunnerError
from ts.runner.parser import parser
from ts.runner.signals import ignore_signals, unwind_on_signals


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Runs one command and returns its exit code."""
    arguments = parser().parse_args(argv)
    level = logging.INFO if arguments.debug else logging.WARNING
    logging.basicConfig(level=level, format="%(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("ts.runner.fetching").setLevel(logging.INFO)  # what takes minutes is told
    unwind_on_signals()  # so that folders and servers are cleaned up
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # an archive's texts may be of any characters
    try:
        return arguments.run(arguments)
    except RunnerError as error:
        if arguments.debug:
            traceback.print_exc()
        sys.stderr.write(f"torch-model-runner: {error}\n")
        return 2
    except KeyboardInterrupt as error:
        ignore_signals()
        return 128 + getattr(
            error, "number", signal.SIGINT
        )  # as a shell reports a command that a signal ended
