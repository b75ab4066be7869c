"""Faster code for modules of an eager model: it answers in their place while they are what they were."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from typing import Any

import torch

from ts.handler_utils.models.script_caller import words

logger = logging.getLogger(__name__)


class StandIn(ABC):
    """Answers the calls of a module, without gradients, with what the module itself would return.

    It is where torch keeps the compiled code of a module: neither the module's `state_dict`, nor its copies, nor
    its pickles have it. The module itself answers where gradients flow or a tracer looks on, and for good once it
    was changed (see `ModuleState`) or this failed.

    Args:
        module: the module.

    Raises:
        RuntimeError: its tensors have no versions, since it was made in inference mode.
    """

    def __init__(self, module: torch.nn.Module) -> None:
        self.module = module
        self._state = ModuleState(module)

    def take_over(self) -> None:
        """Answers from now on."""
        self.module._compiled_call_impl = self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the module; the arguments are its own."""
        is_traced = torch.jit.is_tracing() or torch.compiler.is_compiling()
        if not (kwargs or is_traced or torch.is_grad_enabled()) and self.takes(*args):
            if not self._state.is_current():
                self._give_up("it was changed")
            else:
                try:
                    return self.answer(*args)
                except Exception as error:
                    answer = self.module._call_impl(*args)  # raises in its turn where the input is at fault
                    self._give_up(f"its faster code failed: {error}")
                    return answer
        return self.module._call_impl(*args, **kwargs)

    @abstractmethod
    def takes(self, *args: Any) -> bool:
        """Whether this can answer a call."""

    @abstractmethod
    def answer(self, *args: Any) -> Any:
        """What the module returns."""

    def _give_up(self, why: str) -> None:
        logger.info("A %s of the model runs as it is, since %s", type(self.module).__name__, why)
        self.module._compiled_call_impl = None


class ModuleState:
    """What a module was at some time: the modules in it, their modes and hooks, and their tensors.

    Of a tensor it keeps which one it is, and its version, which a change in place counts up. One through
    `tensor.data` does not, so three of its values are compared too.

    Raises:
        RuntimeError: its tensors have no versions.
    """

    def __init__(self, module: torch.nn.Module) -> None:
        self._module, self._modules = module, [*module.modules()]
        self._kept = [item.detach() for item in (*module.parameters(), *module.buffers())]  # for their memory
        self._words = [word for tensor in self._kept for word in words(tensor)]
        self._values = [word.value for word in self._words]
        self._then = self._marks()

    def is_current(self) -> bool:
        """Whether the module is what it was."""
        return self._marks() == self._then and [word.value for word in self._words] == self._values

    def _marks(self) -> list[Any]:
        marks: list[Any] = []
        for module in self._module.modules():
            hooks = module._forward_hooks or module._forward_pre_hooks
            marks += (id(module), module.training, bool(hooks))
            for tensor in (*module._parameters.values(), *module._buffers.values()):
                if tensor is not None:
                    marks += (tensor.data_ptr(), tensor._version)
        return marks
