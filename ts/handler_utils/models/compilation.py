"""`torch.compile` as `pt2` in model-config.yaml asks for it, and Intel's extension as TS_IPEX_ENABLE does."""

from __future__ import annotations

import logging
import os
from typing import Any

import torch

from ts.utils.util import check_valid_pt2_backend

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
        return {"backend": pt2} if check_valid_pt2_backend(pt2) else None
    if not isinstance(pt2, dict):
        raise ValueError(f"model-config.yaml: pt2 must be a backend's name or a mapping: {pt2!r}")
    if "compile" in pt2:
        options = dict(pt2["compile"] or {})
        return options if options.pop("enable", True) else None
    return None if "export" in pt2 else dict(pt2) or None


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
    logger.info("torch.compile(%s)", ", ".join(f"{key}={value!r}" for key, value in options.items()))
    return torch.compile(model, **options)


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
