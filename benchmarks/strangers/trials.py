"""What a worker does for `benchmarks/hostile.py`: it answers one request after the other, and says what each cost.

Memory is what the process has in RAM at most while it answers (VmHWM of /proc/self/status), above what it had once
its handler had answered an ordinary request. So it runs on Linux only.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import resource
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional

ADDRESS_SPACE = 4 << 30  # bytes that a worker may ask for beyond those of its start
ENVELOPE = "ts.torch_handler.request_envelope.json"


@dataclass(frozen=True)
class Asked:
    """A request as it comes in: the parts of its form, or its "body"."""

    parts: dict[str, bytes]
    content_type: str
    headers: dict[str, str]
    explain: bool


@dataclass(frozen=True)
class Answered:
    """What became of a request.

    Attributes:
        status: of the answer; 0 where there is none, since the worker was ended.
        size: bytes of its body.
        seconds: of CPU, in all threads and processes.
        megabytes: above the worker's rest.
        message: of an error.
    """

    status: int
    size: int
    seconds: float
    megabytes: float
    message: str = ""


class Tasks:
    """The messages that a worker understands."""

    _rest = 0  # KiB

    def start(self, folder: str, model: dict[str, str], settings: dict[str, Any], envelope: bool) -> None:
        """Loads an archive as a worker of TorchServe does."""
        warnings.simplefilter("ignore")
        os.chdir(folder)
        sys.path.insert(0, folder)
        module = importlib.import_module(f"ts.torch_handler.{model['handler']}")
        handler = getattr(module, "".join(part.capitalize() for part in model["handler"].split("_")))()
        self._context = make_context(folder, model, settings)
        handler.initialize(self._context)
        self._handle: Callable[[Any, Any], Any] = handler.handle
        if envelope:
            self._handle = importlib.import_module(ENVELOPE).JSONEnvelope(handler.handle).handle
        limit = status_kilobytes("VmSize") * 1024 + ADDRESS_SPACE
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    def rest(self) -> None:
        """Takes what the process has now for what it has at rest."""
        self._rest = settle()

    def ask(self, asked: Asked) -> Answered:
        """Answers a request, and measures it."""
        settle()
        before = cpu_seconds()
        status, body = self._answer(asked)
        seconds, peak = cpu_seconds() - before, status_kilobytes("VmHWM")
        message = message_of(body) if status != 200 else ""
        return Answered(status, len(body), seconds, (peak - self._rest) / 1024, message)

    def _answer(self, asked: Asked) -> tuple[int, bytes]:
        from ts.runner.answering.answer import batch_answers, exception_answers
        from ts.runner.answering.context import RequestProcessor
        from ts.runner.answering.payload import decode

        processors = [RequestProcessor({**asked.headers, "explain": str(asked.explain), "url_path": ""})]
        self._context.request_processor, self._context.request_ids = processors, {0: "request"}
        self._context.metrics.set_request_ids({0: "request"})
        row = {
            name: decode(content, asked.content_type if name in ("data", "body") else "")
            for name, content in asked.parts.items()
        }
        try:
            answers = batch_answers(self._handle([row], self._context), processors)
        except Exception as error:
            answers = exception_answers(error, 1)
        return answers[0].status, answers[0].body


def make_context(folder: str, model: dict[str, str], settings: dict[str, Any]) -> Any:
    from ts.runner.answering.context import Context
    from ts.runner.answering.metrics import Metrics

    config = {"handler": settings}
    metrics = Metrics("strangers")
    return Context(
        "strangers", folder, {"model": model}, 1, None, "0.12.0", metrics=metrics, model_yaml_config=config
    )


def message_of(body: bytes) -> str:
    """The message of an error's body; the body itself where it is none."""
    try:
        return str(json.loads(body)["message"])
    except (ValueError, TypeError, LookupError):
        return body[:200].decode(errors="replace")


# What the process has used -------------------------------------------------------------------------------------


def settle() -> int:
    """Gives free memory back to the system, begins to measure the peak anew, and returns what is left, in KiB."""
    trim = _malloc_trim()
    if trim is not None:
        trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM: see proc(5)
    return status_kilobytes("VmRSS")


def _malloc_trim() -> Optional[Any]:
    return getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc


def status_kilobytes(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise KeyError(name)


def cpu_seconds() -> float:
    """Of all threads, and of processes that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
