"""Convolutions of an eager model with their batch norms folded in, and laid out as a CPU computes them fastest."""

from __future__ import annotations

import copy
import operator
from collections import Counter, OrderedDict
from typing import Any, Optional

import torch
from torch import fx, nn
from torchvision.ops import FrozenBatchNorm2d

from ts.handler_utils.models.stand_in import StandIn

_NORMS = (nn.BatchNorm2d, FrozenBatchNorm2d)
_KNOWN = ("torch.nn.", "torchvision.")  # whose code does the same each time, and nothing beside


def fuse_convolutions(module: nn.Module) -> None:
    """Lets faster code answer for each largest part of a model on a CPU that convolves, and torch.fx can follow.

    Only for parts made of torch's and torchvision's own modules, in float32; of all others, the parts inside.
    Answers differ by rounding. The weights of the convolutions are held a second time.
    """
    if module._compiled_call_impl is not None:
        return
    fused = FusedPart.of(module)
    if fused is not None:
        fused.take_over()
        return
    for child in module.children():
        fuse_convolutions(child)


class FusedPart(StandIn):
    """Stands for a module that takes one batch of images or features [N, C, H, W].

    Args:
        module: the module.
        code: what computes the same.
    """

    def __init__(self, module: nn.Module, code: fx.GraphModule) -> None:
        super().__init__(module)
        self._code = code

    @classmethod
    def of(cls, module: nn.Module) -> Optional[FusedPart]:
        """What can stand for a module; None where nothing can."""
        if not _is_of_known_code(module) or not any(isinstance(part, nn.Conv2d) for part in module.modules()):
            return None
        try:
            return cls(module, _fused(module))
        except Exception:  # what follows a module's code with other things than tensors fails in all ways
            return None

    def takes(self, *args: Any) -> bool:
        """Whether the arguments are one batch in float32 on a CPU."""
        (batch,) = args if len(args) == 1 else (None,)
        return (
            isinstance(batch, torch.Tensor)
            and batch.dim() == 4
            and batch.dtype == torch.float32
            and batch.device.type == "cpu"
        )

    def answer(self, *args: Any) -> Any:
        """What the module returns; laid out as it does, since code that follows may take a `view` of it."""
        return _contiguous(self._code(args[0].contiguous(memory_format=torch.channels_last)))


def _contiguous(output: Any) -> Any:
    """Tensors, or dictionaries, lists and tuples of them, laid out as [N, C, H, W]."""
    if isinstance(output, torch.Tensor):
        return output.contiguous()
    if isinstance(output, dict):
        return OrderedDict((name, _contiguous(value)) for name, value in output.items())
    return type(output)(_contiguous(value) for value in output)


def _is_of_known_code(module: nn.Module) -> bool:
    """Whether torch and torchvision define all of a module, and it infers on a CPU, in float32."""
    is_leaf = not any(True for _ in module.children())
    tensors = [*module.parameters(), *module.buffers()]
    return (
        not is_leaf
        and not isinstance(module, torch.jit.ScriptModule)
        and not any(
            part.training or part._forward_hooks or part._forward_pre_hooks for part in module.modules()
        )
        and all(type(part).__module__.startswith(_KNOWN) for part in module.modules())
        and all("forward" not in vars(part) for part in module.modules())
        and all(tensor.device.type == "cpu" for tensor in tensors)
        and all(tensor.dtype == torch.float32 for tensor in tensors if tensor.is_floating_point())
    )


class _Tracer(fx.Tracer):
    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, FrozenBatchNorm2d) or super().is_leaf_module(m, module_qualified_name)


def _fused(module: nn.Module) -> fx.GraphModule:
    """A module's code, whose convolutions are copies with the batch norms that follow them folded in.

    Raises:
        Exception: torch.fx cannot follow the module's code.
    """
    graph = _Tracer().trace(module)
    (_,) = (node for node in graph.nodes if node.op == "placeholder")  # it takes one argument
    code = fx.GraphModule(module, graph)  # it shares the modules
    calls = Counter(node.target for node in graph.nodes if node.op == "call_module")
    for node in list(graph.nodes):
        if node.op != "call_module" or not isinstance(code.get_submodule(node.target), nn.Conv2d):
            continue
        convolution = code.get_submodule(node.target)
        norm = next(iter(node.users)) if len(node.users) == 1 else None
        if norm is not None and norm.op == "call_module" and calls[node.target] == 1:
            following = code.get_submodule(norm.target)
            if isinstance(following, _NORMS) and following.running_mean is not None:
                convolution = _folded(convolution, following)
                norm.replace_all_uses_with(node)
                graph.erase_node(norm)
        home, _, name = node.target.rpartition(".")
        setattr(code.get_submodule(home), name, _laid_out(convolution))
    for node in graph.nodes:
        if node.op == "call_function" and node.target is operator.add and _is_spent(node.args[0], code):
            node.target = _added
    code.recompile()
    return code


def _is_spent(value: Any, code: fx.GraphModule) -> bool:
    """Whether a value is the output of a convolution that nothing else has use for."""
    return (
        isinstance(value, fx.Node)
        and value.op == "call_module"
        and isinstance(code.get_submodule(str(value.target)), nn.Conv2d)
        and len(value.users) == 1
    )


def _added(first: torch.Tensor, second: Any) -> torch.Tensor:
    """The sum, in the first's memory where it fits: a residual network's `+=`, which torch.fx takes for `+`."""
    fits = isinstance(second, torch.Tensor) and second.shape == first.shape and second.dtype == first.dtype
    return first.add_(second) if fits else first + second


def _folded(convolution: Any, norm: Any) -> nn.Module:
    """A convolution that computes what a batch norm makes of another: both are linear in each channel."""
    with torch.no_grad():
        scale = torch.rsqrt(norm.running_var + norm.eps)
        scale = scale if norm.weight is None else scale * norm.weight
        shift = -norm.running_mean if convolution.bias is None else convolution.bias - norm.running_mean
        bias = shift * scale if norm.bias is None else shift * scale + norm.bias
        folded = copy.copy(convolution)
        folded._parameters = {
            "weight": nn.Parameter(convolution.weight * scale[:, None, None, None], requires_grad=False),
            "bias": nn.Parameter(bias, requires_grad=False),
        }
    return folded


def _laid_out(convolution: Any) -> nn.Module:
    """A copy of a convolution whose weights are laid out as [N, H, W, C]."""
    laid_out = copy.copy(convolution)
    laid_out._parameters = dict(convolution._parameters)
    weight = convolution.weight.detach().contiguous(memory_format=torch.channels_last)
    laid_out._parameters["weight"] = nn.Parameter(weight, requires_grad=False)
    return laid_out
