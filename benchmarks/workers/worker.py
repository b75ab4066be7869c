"""One contender of a benchmark, in a process of its own: does a task whenever it is told to.

    python -S worker.py PATHS TASKS

PATHS is the JSON list that becomes `sys.path`: it alone decides whose `ts` is imported, since `-S` keeps `.pth`
files out. TASKS names a module with a class `Tasks`, whose methods are the messages that are understood. Messages
are pickles on the standard streams, a tuple in and `(failed, value)` out.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import pickle
import sys
import traceback
from typing import Any, BinaryIO


def main() -> None:
    sys.path[:] = json.loads(sys.argv[1])
    messages, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not get among the answers
    sys.stdin = io.StringIO()
    serve(importlib.import_module(sys.argv[2]).Tasks(), messages, answers)


def serve(tasks: Any, messages: BinaryIO, answers: BinaryIO) -> None:
    while True:
        try:
            name, *arguments = pickle.load(messages)
        except EOFError:
            return
        failed, value = False, None
        try:
            value = getattr(tasks, name)(*arguments)
        except Exception as error:
            traceback.print_exc()
            failed, value = True, one_line(error)
        pickle.dump((failed, value), answers, pickle.HIGHEST_PROTOCOL)
        answers.flush()


def one_line(error: Exception) -> Any:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"[:300]


if __name__ == "__main__":
    main()
