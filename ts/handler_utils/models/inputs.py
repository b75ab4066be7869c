"""The precision and the layout in memory that a model computes in, whoever calls it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch

from ts.handler_utils.settings import HandlerSettings

HALVES = (torch.float16, torch.bfloat16)


@dataclass(frozen=True)
class InputForm:
    """How a model takes its floating-point inputs.

    Attributes:
        dtype: what they are converted to; None leaves them.
        channels_last: whether batches of images [N, C, H, W] are laid out as [N, H, W, C]; None leaves it open.
    """

    dtype: torch.dtype | None = None
    channels_last: bool | None = None

    def prepare(self, value: Any) -> Any:
        """An input in this form; lists and tuples of tensors too."""
        if isinstance(value, (list, tuple)):
            return type(value)([self.prepare(item) for item in value])
        if not isinstance(value, torch.Tensor) or not value.is_floating_point():
            return value
        value = value if self.dtype is None else value.to(self.dtype)
        if self.channels_last and value.dim() == 4:
            return value.contiguous(memory_format=torch.channels_last)
        return value

    def restore(self, output: Any) -> Any:
        """A model's output in float32: a tensor, or dictionaries, lists and tuples of them."""
        if self.dtype is None:
            return output
        if isinstance(output, torch.Tensor):
            return output.float() if output.is_floating_point() else output
        if isinstance(output, Mapping):
            return {name: self.restore(value) for name, value in output.items()}
        if isinstance(output, (list, tuple)):
            values = [self.restore(value) for value in output]
            return type(output)(*values) if hasattr(output, "_fields") else type(output)(values)
        return output


def input_form(settings: HandlerSettings) -> InputForm:
    """The form that the settings `precision` and `memory_format` ask for; any, where OpenVINO computes."""
    if settings.engine == "openvino":
        return InputForm()
    dtype = None if settings.mixed_precision else _dtype(settings)
    channels_last = None if settings.memory_format is None else settings.memory_format == "channels_last"
    return InputForm(dtype, channels_last)


def autocast_dtype(settings: HandlerSettings) -> torch.dtype | None:
    """What the operations of a model of mixed precision compute in; None for what its weights are."""
    in_torch = settings.engine != "openvino"
    dtype = _dtype(settings) if settings.mixed_precision and in_torch else None
    return None if dtype == torch.float32 else dtype


def is_in_autocast() -> bool:
    """Whether this thread computes on the CPU in what `torch.autocast` chooses."""
    with suppress(TypeError):  # before torch 2.4
        return torch.is_autocast_enabled("cpu")
    return torch.is_autocast_cpu_enabled()


def half_precision(model: Any) -> torch.dtype | None:
    """The type of weights of 16 bits in a model; None where there are none."""
    weights = model.parameters() if isinstance(model, torch.nn.Module) else ()
    return next((weight.dtype for weight in weights if weight.dtype in HALVES), None)


def in_float32(model: Any) -> Any:
    """A model whose weights of 16 bits are changed, in place, to numbers of 32."""
    if half_precision(model) is not None:
        model._apply(lambda tensor: tensor.float() if tensor.dtype in HALVES else tensor)
    return model


def _dtype(settings: HandlerSettings) -> torch.dtype | None:
    return getattr(torch, settings.precision) if settings.precision else None


def adapt_model(model: Any, form: InputForm) -> Any:
    """A model whose weights are in a form, and which brings inputs into it and outputs back, whoever calls it.

    Args:
        model: a `torch.nn.Module`, changed in place. Of a TorchScript model only the weights are, since it takes
            no hooks: a `ScriptCaller` brings its inputs and outputs.
        form: the form.

    Raises:
        ValueError: it is another kind of model, whose form was settled when it was exported.
    """
    if form.dtype is None and not form.channels_last:
        return model
    if not isinstance(model, torch.nn.Module):
        raise ValueError(
            "model-config.yaml: handler.precision and handler.memory_format are for PyTorch modules; this model's"
            f" were settled when it was exported ({type(model).__name__})"
        )
    model = model.to(form.dtype) if form.dtype is not None else model
    model = model.to(memory_format=torch.channels_last) if form.channels_last else model
    if isinstance(model, torch.jit.ScriptModule):
        return model
    model.register_forward_pre_hook(lambda _, inputs: tuple(form.prepare(value) for value in inputs))
    model.register_forward_hook(lambda _, __, output: form.restore(output))
    return model
