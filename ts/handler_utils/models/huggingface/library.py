"""The library transformers, imported when a saved model is loaded, and kept from the network."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

_offline = threading.RLock()


def import_transformers() -> Any:
    """The library.

    Raises:
        ImportError: it is not installed, or is a version that does not work with this torch.
    """
    try:
        import transformers
    except ImportError as error:
        message = "A saved model folder needs transformers: pip install 'torchserve-handlers[transformers]'"
        raise ImportError(message) from error
    if not transformers.is_torch_available():
        raise ImportError(
            f"transformers {transformers.__version__} does not work with torch {torch.__version__}:"
            " pip install 'transformers<5', or a newer torch"
        )
    return transformers


@contextmanager
def offline() -> Iterator[None]:
    """Keeps the libraries of Hugging Face from the network, as HF_HUB_OFFLINE does for a whole process, and quiet.

    A config can name a backbone, a class or a kernel by the name of a repository, which they would go and get.
    """
    from huggingface_hub import constants
    from transformers.utils import hub, logging

    switches = [(constants, "HF_HUB_OFFLINE"), (hub, "_is_offline_mode")]
    with _offline:
        before = [(module, name, vars(module)[name]) for module, name in switches if name in vars(module)]
        try:
            for module, name, _ in before:
                setattr(module, name, True)
            _forget_sessions()
            with _quiet(logging):
                yield
        finally:
            for module, name, value in before:
                setattr(module, name, value)
            _forget_sessions()


@contextmanager
def _quiet(logging: Any) -> Iterator[None]:
    """Shows no bars, and no reports on weights, of which `load_network` tells what matters."""
    shows, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    try:
        logging.disable_progress_bar()
        logging.set_verbosity_error()
        yield
    finally:
        logging.set_verbosity(level)
        if shows:
            logging.enable_progress_bar()


def _forget_sessions() -> None:
    """Before version 1 of huggingface_hub, whether a session is online is settled when it is made."""
    from huggingface_hub.utils import _http

    forget = getattr(_http, "reset_sessions", None)
    if forget is not None:
        forget()
