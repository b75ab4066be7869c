"""Faster code for the parts of a detector that compute longest on a CPU."""

from __future__ import annotations

from typing import Any

import torch

from ts.handler_utils.configuration import Configuration
from ts.handler_utils.detection.roi_pooling import quicken_roi_pooling
from ts.handler_utils.detection.ssd import quicken_ssd
from ts.handler_utils.models.fused import fuse_convolutions
from ts.handler_utils.parts import Part


class Quickening(Part):
    """Lets faster code answer for parts of a handler's eager model, unless settings have other code answer."""

    _model: Any = None

    def prepare(self) -> None:
        """Does so, where it was not yet done for the model that the handler has now."""
        model, settings = self.handler.model, Configuration.of(self.handler).settings
        if model is self._model:
            return
        self._model = model
        is_eager = isinstance(model, torch.nn.Module) and not isinstance(model, torch.jit.ScriptModule)
        is_compiled = hasattr(model, "_orig_mod")
        if is_eager and not is_compiled and settings.frozen:
            quicken_roi_pooling(model)
            quicken_ssd(model)
            if settings.engine != "openvino":  # which computes the convolutions, too
                fuse_convolutions(model)
