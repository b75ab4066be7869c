"""The parts of a model that OpenVINO computes, where it cannot compute the whole: of a detector, for one."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any, Optional

import torch
from torch import fx, nn

from ts.handler_utils.models.openvino.conversion import CannotConvertError, refusal
from ts.handler_utils.models.openvino.forms import Form, make_form
from ts.handler_utils.models.openvino.signature import Signature, taken_apart
from ts.handler_utils.models.openvino.source import Source
from ts.handler_utils.models.stand_in import StandIn

MOST = 8  # parts, each of which is a network of its own

_TRANSFORM = "torchvision.models.detection.transform"  # what all of its detectors have, and they alone
_CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)

logger = logging.getLogger(__name__)


def depends_on_what_it_finds(model: Any) -> bool:
    """Whether a model is one of torchvision's detectors, or has one inside."""
    modules = model.modules() if isinstance(model, nn.Module) else ()
    return any(type(module).__module__ == _TRANSFORM for module in modules)


class OpenVinoParts:
    """Has OpenVINO compute the largest parts of a model that are plain functions of tensors; torch does the rest.

    A part is a module with convolutions in it, called with nothing but batches of images or features [N, C, H, W],
    alone or in lists and dictionaries, whose code torch.fx can follow. They are found while the model is called.

    Args:
        source: the model.
        reason: why the whole cannot be converted: a part of a sentence.
        strict: whether it is an error if OpenVINO computes no part.

    Attributes:
        names: of the modules that OpenVINO computes.
        are_found: whether the model was called, and they are all.
    """

    def __init__(self, source: Source, reason: str, *, strict: bool) -> None:
        self._source, self._reason, self._strict = source, reason, strict
        self.names: list[str] = []
        self.are_found = False
        self._reasons: list[str] = []

    def find(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Calls the model, of which OpenVINO computes what it can from now on.

        Raises:
            CannotConvertError: that is nothing, and this is strict.
        """
        model = self._source.model
        modules = [*model.modules()] if can_be_taken_apart(model) else []
        try:
            if modules:
                self._offer_children("", model)
            answer = self._source.call(*args, **kwargs)
        finally:
            for module in modules:
                if isinstance(module._compiled_call_impl, _Offer):
                    module._compiled_call_impl = None
        self._tell()
        self.are_found = True
        return answer

    def settle(self, name: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Has OpenVINO compute a module from the call on that is being made; or offers it the modules inside."""
        part = self._part(name, module, args, kwargs)
        if part is None:
            self._offer_children(f"{name}.", module)
        else:
            self.names.append(name)
            part.take_over()

    def _offer_children(self, prefix: str, module: nn.Module) -> None:
        for name, child in module.named_children():
            if child._compiled_call_impl is None and _may_be_part(child):
                child._compiled_call_impl = _Offer(f"{prefix}{name}", child, self)

    def _part(
        self, name: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Optional[OpenVinoPart]:
        """What stands for a module from a call on, if OpenVINO can compute it."""
        signature, tensors = taken_apart(args, {})
        if signature is None or kwargs or not tensors or not all(map(_is_batch, tensors)):
            return None
        if len(self.names) == MOST or not _can_be_followed(module, signature):
            return None
        # Where nothing was found there is nothing to compute: noise of the same sizes stands for it.
        tensors = [tensor if len(tensor) else torch.rand(2, *tensor.shape[1:]) for tensor in tensors]
        try:
            form = make_form(
                replace(self._source, model=module, call=module._call_impl, part=name), signature, tensors
            )
            if not form.output.has_tensors_only:
                raise refusal(module, "it returns other things than tensors")
            return OpenVinoPart(module, form)
        except (
            CannotConvertError,
            RuntimeError,
        ) as error:  # made in inference mode, it cannot be looked after
            reason = getattr(error, "reason", None) or error
            self._reasons.append(f"of its parts none can be computed: {name}: {reason}")
            return None

    def _tell(self) -> None:
        if self.names:
            names = ", ".join(self.names)
            logger.info(
                "OpenVINO computes %s of the model, and torch the rest: the whole cannot be converted, since %s",
                names,
                self._reason,
            )
            return
        model = self._source.model
        if isinstance(model, torch.jit.ScriptModule):
            self._reasons = ["TorchScript cannot be taken apart: pack its model file or architecture instead"]
        reason = self._reasons[0] if self._reasons else "no part of it is a network of convolutions by itself"
        error = refusal(model, f"{self._reason}, and {reason}")
        if self._strict:
            raise error
        logger.warning("%s computes the model, and not OpenVINO: %s", self._source.engine, error)


class _Offer:
    """Stands for a module until its first call."""

    def __init__(self, name: str, module: nn.Module, parts: OpenVinoParts) -> None:
        self._name, self._module, self._parts = name, module, parts

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._module._compiled_call_impl = None
        self._parts.settle(self._name, self._module, args, kwargs)
        return self._module(*args, **kwargs)


class OpenVinoPart(StandIn):
    """Stands for a module that takes batches of images or features [N, C, H, W].

    Args:
        module: the module.
        form: of its calls, which OpenVINO answers.
    """

    def __init__(self, module: nn.Module, form: Form) -> None:
        super().__init__(module)
        self._form = form

    def takes(self, *args: Any) -> bool:
        """Whether a call is of the form, and of something."""
        signature, tensors = taken_apart(args, {})
        return signature == self._form.signature and all(_is_batch(item) and len(item) for item in tensors)

    def answer(self, *args: Any) -> Any:
        """What the module returns."""
        return self._form(taken_apart(args, {})[1])


def _is_batch(tensor: torch.Tensor) -> bool:
    return tensor.dim() == 4 and tensor.dtype == torch.float32 and tensor.device.type == "cpu"


def can_be_taken_apart(model: Any) -> bool:
    """Whether the modules in a model are called as they are, each by itself."""
    is_compiled = hasattr(model, "_orig_mod") or getattr(model, "_compiled_call_impl", None) is not None
    return _is_eager(model) and not is_compiled


def _is_eager(model: Any) -> bool:
    return isinstance(model, nn.Module) and not isinstance(model, torch.jit.ScriptModule)


def _may_be_part(module: nn.Module) -> bool:
    """Whether there are convolutions inside."""
    modules = [*module.modules()]
    return len(modules) > 1 and any(isinstance(item, _CONVOLUTIONS) for item in modules)


def _can_be_followed(module: nn.Module, signature: Signature) -> bool:
    """Whether torch.fx can follow a module's code: then what it does depends on no values. Hooks are none."""
    for part in module.modules():
        if part.training or part._forward_hooks or part._forward_pre_hooks or not _is_eager(part):
            return False
    try:
        fx.Tracer().trace(_OfRow(module, signature))
    except Exception:  # what follows code with other things than tensors fails in all ways
        return False
    return True


class _OfRow(nn.Module):
    """A module that is called with the tensors of a call in a row."""

    def __init__(self, module: nn.Module, signature: Signature) -> None:
        super().__init__()
        self.module, self._signature = module, signature

    def forward(self, tensors: Any) -> Any:
        args, kwargs = self._signature.arguments(
            [tensors[place] for place in range(len(self._signature.kinds))]
        )
        return self.module(*args, **kwargs)
