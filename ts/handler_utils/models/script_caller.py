"""Calls TorchScript models: faster on a CPU, with the same answers, and in the form that settings ask for."""

from __future__ import annotations

import copy
import ctypes
import logging
import threading
import warnings
from dataclasses import replace
from typing import Any, Optional

import torch

from ts.handler_utils.models.inputs import InputForm

logger = logging.getLogger(__name__)


class ScriptCaller:
    """Stands for a TorchScript model where answers are inferred, since such a model takes no hooks.

    On a CPU a frozen copy answers: its batch norms are folded into convolutions, and images are laid out as
    [N, H, W, C], which oneDNN convolves faster, unless the form says otherwise. It is made for the first answer,
    and used while the model is as it was then. Where the copy cannot take an input, the model itself does.

    Args:
        source: the model.
        form: of its weights and inputs.
        device: where it is.
        frozen: whether to make that copy, which holds the weights a second time.

    Attributes:
        source: the model that it stands for.
    """

    def __init__(
        self, source: torch.jit.ScriptModule, form: InputForm, device: Any, *, frozen: bool = True
    ) -> None:
        self.source = source
        self._form = form
        self._frozen_form = replace(form, channels_last=form.channels_last is not False)
        self._may_freeze = frozen and torch.device(device).type == "cpu"
        self._frozen: Any = None
        self._state: Optional[ModelState] = None
        self._one_at_a_time = threading.Lock()

    def __call__(self, *inputs: Any, **keywords: Any) -> Any:
        frozen = self._copy() if self._may_freeze else None
        if frozen is None:
            return self.call_source(*inputs, **keywords)
        try:
            form = self._frozen_form
            return form.restore(frozen(*map(form.prepare, inputs), **keywords))
        except Exception as error:
            answer = self.call_source(*inputs, **keywords)  # raises in its turn where the input is at fault
            self._give_up(f"its frozen copy failed: {error}")
            return answer

    def call_source(self, *inputs: Any, **keywords: Any) -> Any:
        """Calls the model itself, through which gradients flow."""
        return self._form.restore(self.source(*map(self._form.prepare, inputs), **keywords))

    def freeze(self) -> None:
        """Makes the copy now, rather than for the first answer."""
        if self._may_freeze:
            self._copy()

    def _copy(self) -> Any:
        """The frozen copy; None where there is none, or the model is no longer what was copied."""
        with self._one_at_a_time:
            if self._state is None:
                if self.source.training:
                    return None
                self._freeze()
            elif not self._state.is_current():
                self._give_up("it was changed after its first answer")
        return self._frozen

    def _freeze(self) -> None:
        try:
            self._state = ModelState(self.source)
            self._frozen = _frozen_copy(self.source, self._frozen_form)
        except RuntimeError as error:
            self._give_up(f"it cannot be frozen: {error}")

    def _give_up(self, why: str) -> None:
        logger.info("The model runs as it is, since %s", why)
        self._frozen, self._may_freeze = None, False


class ModelState:
    """What a model was at some time: its parameters, buffers and modes.

    A change in place counts up the version of a tensor, and one to another type or device moves its values. One
    through `tensor.data` does neither, so three values of each tensor are compared too: of a change to single
    other ones, made in that way, nothing is seen.

    Raises:
        RuntimeError: its tensors have no versions, since it was made in inference mode.
    """

    def __init__(self, model: torch.jit.ScriptModule) -> None:
        self._tensors = [*model.parameters(), *model.buffers()]
        self._modules: list[Any] = [module._c for module in model.modules() if _asks_for_mode(module)]
        self._kept = [tensor.detach() for tensor in self._tensors]  # so that the samples' memory stays
        self._samples = [word for tensor in self._kept for word in words(tensor)]
        self._then = self._marks()
        self._sampled_then = [sample.value for sample in self._samples]

    def is_current(self) -> bool:
        """Whether the model is what it was."""
        return (
            self._marks() == self._then and [sample.value for sample in self._samples] == self._sampled_then
        )

    def _marks(self) -> list[Any]:
        versions = [tensor._version for tensor in self._tensors]
        places = [tensor.data_ptr() for tensor in self._tensors]
        return [versions, places, [module.getattr("training") for module in self._modules]]


def _asks_for_mode(module: Any) -> bool:
    """Whether the code of a module says that it differs between training and inference."""
    names = module._c._method_names()
    return any('"training"' in str(module._c._get_method(name).graph) for name in names)


def words(tensor: torch.Tensor) -> list[Any]:
    """The first, the middle and the last bytes of a tensor on a CPU, as integers that are read when asked for."""
    kind = ctypes.c_int64 if tensor.nbytes % 8 == 0 else ctypes.c_int8
    count = tensor.nbytes // ctypes.sizeof(kind) if tensor.is_contiguous() else min(tensor.numel(), 1)
    places = sorted({0, count // 2, count - 1}) if count else []
    return [kind.from_address(tensor.data_ptr() + place * ctypes.sizeof(kind)) for place in places]


def _frozen_copy(source: torch.jit.ScriptModule, form: InputForm) -> Any:
    """A copy for inference alone.

    Raises:
        RuntimeError: the model cannot be frozen.
    """
    layout = torch.channels_last if form.channels_last else torch.preserve_format
    with warnings.catch_warnings(), torch.no_grad():  # with gradients, the copies of weights are no leaves
        warnings.filterwarnings("ignore", "`torch.jit.freeze` is deprecated")
        return torch.jit.freeze(copy.deepcopy(source).to(memory_format=layout))
