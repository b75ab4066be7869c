"""Answers every case by TorchServe's own worker code: its model loader, its service, its context, its metrics.

The whole file runs twice, in processes of their own: with torchserve's handlers, and with this library's. It finds
`arguments` and `answer` as code for the fixture `upstream` does.
"""

import base64
import contextlib
import importlib.util
import io
import logging
import os
import struct
import sys
import traceback
from collections.abc import Iterator
from typing import Any

import torch
from ts.metrics.metric_cache_yaml_impl import MetricsCacheYamlImpl
from ts.model_loader import TsModelLoader

import ts

torch.set_num_threads(1)


class Reader:
    """Reads the message that a worker sends to TorchServe's frontend."""

    def __init__(self, message: bytes) -> None:
        self.stream = io.BytesIO(message)

    def number(self) -> int:
        return struct.unpack("!i", self.stream.read(4))[0]

    def content(self) -> bytes:
        return self.stream.read(self.number())

    def text(self) -> str:
        return self.content().decode()

    def row(self) -> dict[str, Any]:
        self.text()  # the request's id
        content_type, status, phrase = self.text(), self.number(), self.text()
        headers = {self.text(): self.text() for _ in range(self.number())}
        body = base64.b64encode(self.content()).decode()
        return {
            "status": status,
            "phrase": phrase,
            "content_type": content_type,
            "headers": headers,
            "body": body,
        }

    def rows(self, count: int) -> list[dict[str, Any]]:
        """The rows; of a batch that failed as a whole, what the frontend tells each client."""
        code, message = self.number(), self.text()
        rows = [self.row() for _ in range(count)]
        if code == 200:
            return rows
        return [{"status": code, "message": message} for _ in range(count)]


class Socket:
    """Takes the intermediate answers that a handler streams."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []

    def sendall(self, message: bytes) -> None:
        self.messages.append(Reader(bytes(message)).rows(1)[0])


class MetricLines(logging.Handler):
    """Keeps what the metrics log says of a handler's own metrics; of times only that there were some."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[list[Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if text.startswith("[METRICS]") and not text.startswith(
            ("[METRICS]HandlerTime", "[METRICS]Prediction")
        ):
            name, _, rest = text[len("[METRICS]") :].partition(":")
            value, dimensions, kind, host = rest.split("|")
            value = "" if name.startswith("ts_handler_") else value
            requests = [part for part in host.split(",")[2:] if part.startswith("request-")]
            self.lines.append([name, value, dimensions, kind, requests])


def load_cases(path: str) -> dict[str, dict[str, Any]]:
    spec = importlib.util.spec_from_file_location("cases_of_a_pattern", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.CASES


def message_of(index: int, request: dict[str, Any]) -> dict[str, Any]:
    """A request of a case, as a worker's codec hands it to TorchServe's service."""
    row = {key: value for key, value in request.items() if key not in ("headers", "id")}
    headers = {"explain": "False", **request.get("headers", {})}
    return {
        "requestId": request.get("id", f"request-{index}").encode(),
        "parameters": [{"name": key, "contentType": "", "value": as_sent(row[key])} for key in row],
        "headers": [{"name": key.encode(), "value": headers[key].encode()} for key in headers],
    }


def as_sent(value: Any) -> Any:
    return bytearray(value) if isinstance(value, bytes) else value


def load_service(folder: str, case: dict[str, Any]) -> Any:
    torchserve = os.path.dirname(importlib.util.find_spec("ts.model_server").origin)
    metrics = MetricsCacheYamlImpl(os.path.join(torchserve, "configs", "metrics.yaml"))
    metrics.initialize_cache()
    metrics.model_name = "model"
    return TsModelLoader().load(
        "model", folder, case["handler"], None, 8, case.get("envelope"), metrics_cache=metrics
    )


def run(folder: str, case: dict[str, Any]) -> dict[str, Any]:
    """What a case's requests are answered, batch after batch, by one handler."""
    lines = MetricLines()
    metrics_log = logging.getLogger("ts.metrics.caching_metric")
    metrics_log.addHandler(lines)
    metrics_log.setLevel(logging.INFO)
    os.environ.update(case.get("environment", {}))
    try:
        service, socket = load_service(folder, case), Socket()
        service.set_cl_socket(socket)
        batches = []
        for batch in case["batches"]:
            message = service.predict([message_of(*item) for item in enumerate(batch)])
            service.context.stopping_criteria = None
            batches.append(Reader(bytes(message)).rows(len(batch)))
        return {"batches": batches, "metrics": lines.lines, "streamed": socket.messages}
    except Exception:
        return {"error": traceback.format_exc()}
    finally:
        metrics_log.removeHandler(lines)
        for name in case.get("environment", {}):
            del os.environ[name]


@contextlib.contextmanager
def inside(folder: str) -> Iterator[None]:
    """As in a worker: the archive is the working directory, and first where modules are looked for."""
    before, path = set(sys.modules), list(sys.path)
    sys.path.insert(0, folder)
    os.chdir(folder)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - before:
        own = str(getattr(sys.modules[name], "__file__", None)).startswith(folder)
        if own or name.startswith("ts.torch_handler.request_envelope."):  # a worker serves one model
            del sys.modules[name]


def main() -> None:
    log = io.StringIO()
    results = {}
    sys.path.append(arguments["helpers"])  # noqa: F821
    for case_id, (folder, path, name) in arguments["cases"].items():  # noqa: F821
        log.truncate(0)
        handler = logging.StreamHandler(log)
        logging.getLogger().addHandler(handler)
        with inside(folder):
            case = load_cases(path)[name]
            case.setdefault("handler", os.path.basename(path))
            results[case_id] = {**run(folder, case), "log": log.getvalue()[-2500:]}
        logging.getLogger().removeHandler(handler)
    answer({"ts": ts.__file__, "results": results})  # noqa: F821
    sys.stdout.flush()
    os._exit(0)  # 0.12's MicroBatching leaves threads that nobody ends


main()
