"""One line in the log of a worker that starts: which library answers, and by whose handler."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any

from ts import HANDLERS_VERSION
from ts.overlay import overlay_folder

LIBRARY = "torchserve-handlers"

logger = logging.getLogger(__name__)


def announce(handler: Any) -> None:
    """Logs, as INFO, which in TorchServe makes a line of the model's log, for instance:

        torchserve-handlers 0.1.0: cats uses ts.torch_handler.image_classifier of torchserve-handlers

    Args:
        handler: a `BaseHandler` whose `initialize` has read the manifest.
    """
    model = handler.manifest.get("model") if isinstance(handler.manifest, dict) else None
    name = model.get("modelName") if isinstance(model, dict) else None
    logger.info("%s %s: %s uses %s", LIBRARY, HANDLERS_VERSION, name or "a model", origin(type(handler)))


def origin(kind: type) -> str:
    """A handler's class in words: one of this library's, or one of its own on one of this library's."""
    base = next((base for base in kind.__mro__ if is_ours(base)), object)
    if base is kind:
        return f"{kind.__module__} of {LIBRARY}"
    return f"{kind.__module__}.{kind.__qualname__}, a handler of its own on {base.__module__}"


def is_ours(kind: type) -> bool:
    """Whether this library's folder has the file that a class is defined in."""
    file = getattr(sys.modules.get(kind.__module__), "__file__", None) or ""
    return os.path.abspath(file).startswith(os.path.join(overlay_folder(), "ts", ""))
