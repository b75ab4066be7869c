"""`torch.compile` as `pt2` in model-config.yaml asks for it, and Intel's extension as TS_IPEX_ENABLE does."""

from __future__ import annotations

import logging
import os
from typing import Any

import torch

from ts.utils.util import PT2Backend, check_valid_pt2_backend

logger = logging.getLogger(__name__)


def compile_options(config: dict[str, Any] | None) -> dict[str, Any] | None:
    """The keyword arguments of `torch.compile` that a model-config.yaml asks for, or None if it asks for none.

    `pt2` is a backend's name; or those keyword arguments; or `{compile: {enable: true, ...}}` with them, where
    `enable` is true if it is absent.

    Raises:
        ValueError: `pt2` has another form.
    """
    pt2 = (config or {}).get("pt2")
    if pt2 is None:
        return None
    if isinstance(pt2, str):
        return _of_known_backend({"backend": pt2})
    if not isinstance(pt2, dict):
        raise ValueError(f"model-config.yaml: pt2 must be a backend's name or a mapping: {pt2!r}")
    if "compile" in pt2:
        options = dict(pt2["compile"] or {})
        return _of_known_backend(options) if options.pop("enable", True) else None
    return None if "export" in pt2 else _of_known_backend(dict(pt2)) if pt2 else None


def _of_known_backend(options: dict[str, Any]) -> dict[str, Any] | None:
    """The options, unless their backend is one that `check_valid_pt2_backend` warns of."""
    return options if check_valid_pt2_backend(options.get("backend", PT2Backend.INDUCTOR.value)) else None


def uses_aot_compile(config: dict[str, Any] | None) -> bool:
    """Whether `pt2: {export: {aot_compile: true}}` says that AOTInductor compiled the serialized file."""
    pt2 = (config or {}).get("pt2")
    export = pt2.get("export") if isinstance(pt2, dict) else None
    return bool(isinstance(export, dict) and export.get("aot_compile"))


def compile_model(model: Any, config: dict[str, Any] | None) -> Any:
    """The model, compiled if the archive's model-config.yaml asks for it; a TorchScript one is left as it is."""
    options = compile_options(config)
    if options is None:
        return model
    if isinstance(model, torch.jit.ScriptModule) or not isinstance(model, torch.nn.Module):
        logger.warning(
            "pt2 in model-config.yaml is for eager models: it is not applied to this %s", type(model).__name__
        )
        return model
    call = f"torch.compile({', '.join(f'{key}={value!r}' for key, value in options.items())})"
    try:
        compiled = torch.compile(model, **options)
    except Exception as error:  # a backend's own may be of any kind
        logger.warning("%s failed, so the model runs as it is: %s", call, error)
        return model
    logger.info("%s", call)
    return compiled


def optimize_for_intel(model: Any) -> Any:
    """The model, optimized by Intel's extension for PyTorch if the environment has TS_IPEX_ENABLE=true."""
    if os.environ.get("TS_IPEX_ENABLE", "false").lower() != "true":
        return model
    try:
        import intel_extension_for_pytorch as ipex
    except ImportError:
        logger.warning("TS_IPEX_ENABLE is set, but intel_extension_for_pytorch is not installed")
        return model
    return ipex.optimize(model.to(memory_format=torch.channels_last))
