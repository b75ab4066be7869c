"""Notes in a worker of TorchServe when each batch came, was answered and left; the standard library alone.

A `.pth` file of the worker's environment imports it, before anything of torchserve. Once TorchServe's modules are
imported, some of their functions are wrapped; each batch becomes a line of JSON in the folder that PROBE_FOLDER
names, of seconds by the clock that all processes of a machine share.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import sys
from collections.abc import Mapping, Sequence
from time import perf_counter
from types import ModuleType
from typing import Any, Callable, Optional

FOLDER = "PROBE_FOLDER"
SUFFIX = ".batches.jsonl"
HOOKS = ("preprocess", "inference", "postprocess")


class Probe:
    """The batch that is being answered, and the file of those that were."""

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, f"{os.getpid()}{SUFFIX}")
        self._batch: dict[str, Any] = {}

    def wrap_wire(self, module: Any) -> None:
        """Of `ts.protocol.otf_message_handler`: `came` is when a batch's first byte was read."""
        retrieve, decode = module.retrieve_msg, module._retrieve_inference_msg

        def retrieve_msg(connection: Any) -> Any:
            self._end()
            return retrieve(connection)

        def retrieve_inference_msg(connection: Any) -> Any:
            self._batch = {"came": perf_counter()}
            message = decode(connection)
            self._batch["decoded"] = perf_counter()
            return message

        module.retrieve_msg, module._retrieve_inference_msg = retrieve_msg, retrieve_inference_msg

    def wrap_service(self, module: Any) -> None:
        """Of `ts.service`: `begun` and `ended` are the handler's, `encoded` is when its answers are bytes."""
        predict = module.Service.predict

        def timed_predict(service: Any, batch: Any) -> Any:
            if not getattr(service._entry_point, "timed", False):
                service._entry_point = self._timed_entry(service._entry_point)
            answer = predict(service, batch)
            self._batch["encoded"] = perf_counter()
            self._batch["worker"] = os.getpid()
            self._batch["requests"] = [request["requestId"].decode() for request in batch]
            return answer

        module.Service.predict = timed_predict

    def _timed_entry(self, entry: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        handler = getattr(entry, "__self__", None)
        for name in HOOKS:
            if hasattr(handler, name):
                setattr(handler, name, self._timed_hook(name, getattr(handler, name)))

        def run(rows: Any, context: Any) -> Any:
            self._batch["begun"] = perf_counter()
            try:
                return entry(rows, context)
            finally:
                self._batch["ended"] = perf_counter()

        run.timed = True  # type: ignore[attr-defined]
        return run

    def _timed_hook(self, name: str, hook: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            start = perf_counter()
            result = hook(*arguments, **named)
            self._batch[name] = self._batch.get(name, 0.0) + perf_counter() - start
            return result

        return run

    def _end(self) -> None:
        """Writes the batch down, whose answers have left."""
        if "requests" in self._batch:
            self._batch["left"] = perf_counter()
            with open(self._path, "a") as file:
                file.write(json.dumps(self._batch) + "\n")
        self._batch = {}


class Wrapping(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds some modules as others do, and wraps their functions once they are imported."""

    def __init__(self, wrappers: Mapping[str, Callable[[Any], None]]) -> None:
        self._wrappers = wrappers
        self._loaders: dict[str, Any] = {}

    def find_spec(
        self, name: str, path: Optional[Sequence[str]], target: Optional[ModuleType] = None
    ) -> Optional[importlib.machinery.ModuleSpec]:
        if name not in self._wrappers or name in self._loaders:
            return None
        self._loaders[name] = None  # for the search below, which comes here too
        spec = importlib.util.find_spec(name)
        if spec is not None:
            self._loaders[name], spec.loader = spec.loader, self
        return spec

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> Optional[ModuleType]:
        return self._loaders[spec.name].create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loaders[module.__name__].exec_module(module)
        self._wrappers[module.__name__](module)


def install(folder: str) -> None:
    probe = Probe(folder)
    wrappers = {"ts.protocol.otf_message_handler": probe.wrap_wire, "ts.service": probe.wrap_service}
    sys.meta_path.insert(0, Wrapping(wrappers))


if FOLDER in os.environ:
    install(os.environ[FOLDER])
