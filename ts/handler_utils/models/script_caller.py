"""Calls TorchScript models: faster on a CPU, with the same answers, and in the form that settings ask for."""

from __future__ import annotations

import copy
import logging
import warnings
from dataclasses import replace
from typing import Any

import torch

from ts.handler_utils.models.inputs import InputForm

logger = logging.getLogger(__name__)


class ScriptCaller:
    """Stands for a TorchScript model where answers are inferred, since such a model takes no hooks.

    On a CPU a frozen copy answers: its batch norms are folded into convolutions, and images are laid out as
    [N, H, W, C], which oneDNN convolves faster, unless the form says otherwise. Where the copy cannot take an
    input, the model itself does.

    Args:
        source: the model.
        form: of its weights and inputs.
        device: where it is.

    Attributes:
        source: the model that it stands for.
    """

    def __init__(self, source: torch.jit.ScriptModule, form: InputForm, device: Any) -> None:
        self.source = source
        self._form = form
        self._frozen_form = replace(form, channels_last=form.channels_last is not False)
        on_cpu = torch.device(device).type == "cpu"
        self._frozen = _freeze(source, self._frozen_form) if on_cpu and not source.training else None

    def __call__(self, *inputs: Any, **keywords: Any) -> Any:
        if self._frozen is None:
            return self.call_source(*inputs, **keywords)
        try:
            form = self._frozen_form
            return form.restore(self._frozen(*map(form.prepare, inputs), **keywords))
        except Exception as error:
            answer = self.call_source(*inputs, **keywords)  # raises in its turn where the input is at fault
            logger.info("The model runs as it is, since its frozen copy failed: %s", error)
            self._frozen = None
            return answer

    def call_source(self, *inputs: Any, **keywords: Any) -> Any:
        """Calls the model itself, through which gradients flow."""
        return self._form.restore(self.source(*map(self._form.prepare, inputs), **keywords))


def _freeze(source: torch.jit.ScriptModule, form: InputForm) -> Any:
    """A copy for inference alone; None of a model that cannot be frozen."""
    layout = torch.channels_last if form.channels_last else torch.preserve_format
    with warnings.catch_warnings(), torch.no_grad():  # with gradients, the copies of weights are no leaves
        warnings.filterwarnings("ignore", "`torch.jit.freeze` is deprecated")
        try:
            return torch.jit.freeze(copy.deepcopy(source).to(memory_format=layout))
        except RuntimeError as error:
            logger.info("The model runs as it is, since it cannot be frozen: %s", error)
            return None
