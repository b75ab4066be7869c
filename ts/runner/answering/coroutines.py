"""Handlers whose `handle` is a coroutine function (`async def`), for TorchServe's asyncCommunication."""

from __future__ import annotations

import inspect
import logging
import warnings
from collections.abc import Awaitable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

logger = logging.getLogger(__name__)


def check_coroutine(handle: Callable[..., Any], config: Mapping[str, Any]) -> None:
    """Warns of a `handle` that TorchServe cannot call: it awaits one if and only if the settings ask for that."""
    is_coroutine, awaited = inspect.iscoroutinefunction(handle), bool(config.get("asyncCommunication"))
    if is_coroutine and not awaited:
        logger.warning("TorchServe awaits `handle` only with asyncCommunication: true in model-config.yaml")
    if awaited and not is_coroutine:
        logger.warning(
            "asyncCommunication: true in model-config.yaml is for a handler with `async def handle`"
        )


class Coroutines:
    """Awaits what a handler's `handle` returns, always in one event loop, as a worker does."""

    def __init__(self) -> None:
        self._own: Any = None

    def result_of(self, value: Any) -> Any:
        """The value itself, or if it is one to be awaited what that returns."""
        if not inspect.isawaitable(value):
            return value
        import asyncio  # which most handlers can do without

        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._run(value)
        with ThreadPoolExecutor(1) as thread:  # this one runs a loop already, as that of a notebook does
            return thread.submit(self._run, value).result()

    def close(self) -> None:
        if self._own is not None:
            self._own.close()

    def _run(self, value: Awaitable[Any]) -> Any:
        return self._loop().run_until_complete(value)

    def _loop(self) -> Any:
        """The thread's event loop, which `initialize` may have got too, or else one of the model's own."""
        import asyncio

        if self._own is None:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")  # Python's, of making a loop where there is none
                    loop = asyncio.get_event_loop()
                if not loop.is_closed():
                    return loop
            except RuntimeError:
                pass  # only the main thread has one, and from Python 3.14 on not even that
            self._own = asyncio.new_event_loop()
        return self._own
