"""The largest answer that may be sent: a worker that sends a larger one is killed, and its batch is lost."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from ts.handler_utils.configuration import Configuration
from ts.handler_utils.errors import InvalidInput

TORCHSERVES_DEFAULT = 6_553_500  # bytes; TorchServe's documentation of config.properties
_KEY = "max_response_size"
_FRONTEND = "org.pytorch.serve.ModelServer"


def answer_limit(handler: Any) -> int:
    """The most bytes of the answer to one request: the setting `max_answer_bytes`, or what the server takes."""
    return Configuration.of(handler).settings.max_answer_bytes or server_limit()


def check_answer_size(handler: Any, size: int, way_out: str = "") -> None:
    """Refuses an answer that is too large, or will be at the least.

    Args:
        handler: whose answer it is.
        size: bytes of the answer, or as many as it will have at the least.
        way_out: what the client can do instead: "ask for format png or rle".

    Raises:
        InvalidInput: it has more bytes than `answer_limit` (413).
    """
    limit = answer_limit(handler)
    if size > limit:
        ways = f"{way_out}, or raise" if way_out else "raise"
        raise InvalidInput(
            f"The answer is too large: {size} bytes or more, and max_answer_bytes is {limit}: {ways}"
            f" handler.max_answer_bytes in model-config.yaml and {_KEY} in config.properties",
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        )


@cache
def server_limit() -> int:
    """The `max_response_size` of the TorchServe whose worker this process is, else TorchServe's default.

    The server tells its workers nothing of it, so it is looked for where the server has it from: the file that its
    command line or TS_CONFIG_FILE names, and TS_MAX_RESPONSE_SIZE if that file says `enable_envvars_config=true`.
    """
    command, folder = _frontend()
    if not command:
        return TORCHSERVES_DEFAULT
    properties = _read_properties(folder / _config_file(command))
    value = properties.get(_KEY)
    if properties.get("enable_envvars_config", "").lower() == "true":
        value = os.environ.get("TS_MAX_RESPONSE_SIZE", value)
    return int(value) if value is not None and value.isdigit() and int(value) > 0 else TORCHSERVES_DEFAULT


def _frontend() -> tuple[Sequence[str], Path]:
    """The command line and the folder of the TorchServe that this process is a worker of; empty without one."""
    try:
        process: Any = importlib.import_module("psutil").Process()  # torchserve brings it
        for parent in process.parents():
            if _FRONTEND in parent.cmdline():
                return parent.cmdline(), Path(parent.cwd())
    except Exception:  # it is not installed, or the system does not tell
        pass
    return (), Path()


def _config_file(command: Sequence[str]) -> str:
    named = os.environ.get("TS_CONFIG_FILE")
    options = dict(zip(command, command[1:]))
    return named or options.get("-f") or options.get("--ts-config") or "config.properties"


def _read_properties(path: Path) -> Mapping[str, str]:
    """The values of a Java properties file, as far as config.properties makes use of its rules."""
    try:
        lines = path.read_text("latin-1").splitlines()
    except OSError:
        return {}
    pairs = (line.partition("=") for line in lines if not line.lstrip().startswith(("#", "!")))
    return {key.strip(): os.path.expandvars(value.strip()) for key, equals, value in pairs if equals}
