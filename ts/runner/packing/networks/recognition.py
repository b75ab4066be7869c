"""Which network of torchvision or timm a module is, by its own words and by its parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Optional

import torch

from ts.handler_utils.models.formats.architecture import NORM_EPS, without_memory
from ts.handler_utils.models.formats.timm_networks import PREFIX
from ts.runner.packing.networks.network import AUXILIARY, classes_of
from ts.runner.packing.networks.torchvision_library import default_classes, handler_of

# Parts that change nothing once training is over, and what of others is for training alone.
_OF_TRAINING = ("Dropout", "DropPath", "StochasticDepth", "Identity")
_NOT_COMPARED = ("training", "drop_rate", "drop_path_rate", "drop_prob", "grad_checkpointing")
_PLAIN = (bool, int, float, str)


def is_timms(module: torch.nn.Module) -> bool:
    """Whether a module is a network of timm, with what timm knows of it."""
    return type(module).__module__.startswith("timm.") and bool(getattr(module, "pretrained_cfg", None))


def recognized(module: torch.nn.Module) -> Optional[Any]:
    """The setting `architecture` that makes a network like a module; None if no name does."""
    found = _of_timm(module) if is_timms(module) else _of_torchvision(module)
    for name, arguments in found:
        try:
            other = without_memory(name, arguments)
        except Exception:
            continue
        if are_alike(module, other):
            return {"name": name, **arguments} if arguments else name
    return None


def kind_of(module: torch.nn.Module) -> Optional[str]:
    """The handler that serves a module of torchvision or timm; None for others."""
    if is_timms(module):
        return "image_classifier" if getattr(module, "num_classes", 0) else "embedder"
    name = next(iter(_names_in(type(module).__module__)), None)
    return handler_of(name) if name else None


def _names_in(module: str) -> list[str]:
    """torchvision's networks that are made in a module."""
    if not module.startswith("torchvision.models."):
        return []
    from torchvision.models import get_model_builder, list_models

    # Detectors of several modules share a class; of others each has its own module.
    place = "torchvision.models.detection" if module.startswith("torchvision.models.detection.") else module
    names = [name for name in list_models() if get_model_builder(name).__module__.startswith(place)]
    return [name for name in names if _is_served(name)]


def _is_served(name: str) -> bool:
    try:
        return bool(handler_of(name))
    except ValueError:
        return False


def _of_torchvision(module: torch.nn.Module) -> Iterator[tuple[str, dict[str, Any]]]:
    """Names and arguments of what a module may be."""
    weights = module.state_dict()
    size = sum(parameter.numel() for parameter in module.parameters())
    for name in _names_in(type(module).__module__):
        if not size / 3 <= _size(name, size) <= 5 * size:  # with as many classes as it may have
            continue
        own = without_memory(name, {})
        if not _may_be(own.state_dict(), weights):
            continue
        classes = default_classes(name)
        number = classes_of(own.state_dict(), weights, classes)
        arguments: dict[str, Any] = {} if number in (None, classes) else {"num_classes": number}
        arguments.update(_differing(module, own, ("transform_input", "aux_logits")))
        if getattr(module, "aux_classifier", None) is not None:
            arguments["aux_loss"] = True
        eps = {getattr(part, "eps", None) for part in module.modules() if "BatchNorm" in type(part).__name__}
        yield name, arguments
        if len(eps) == 1:
            yield name, {**arguments, NORM_EPS: eps.pop()}


def _size(name: str, unknown: int) -> int:
    """How many parameters torchvision says that a network has: to make a large one takes long."""
    from torchvision.models import get_model_weights

    known = next(iter(get_model_weights(name)), None)
    return known.meta.get("num_params", unknown) if known else unknown


def _may_be(own: Mapping[str, Any], weights: Mapping[str, Any]) -> bool:
    """Whether weights have the names of a network's, but for those of heads that training alone uses."""
    return not any(not name.startswith(AUXILIARY) for name in own.keys() ^ weights.keys())


def _differing(module: Any, own: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {
        name: getattr(module, name)
        for name in names
        if hasattr(own, name) and getattr(module, name, None) != getattr(own, name)
    }


def _of_timm(module: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    pretrained: Mapping[str, Any] = module.pretrained_cfg
    name, tag = pretrained.get("architecture"), pretrained.get("tag")
    if not name:
        return
    arguments: dict[str, Any] = {}
    if getattr(module, "num_classes", None) != pretrained.get("num_classes"):
        arguments["num_classes"] = module.num_classes
    first = dict(module.named_modules()).get(str(pretrained.get("first_conv")))
    channels = getattr(first, "in_channels", 3)
    if channels != 3:
        arguments["in_chans"] = channels
    size = getattr(getattr(module, "patch_embed", None), "img_size", None)
    if size and tuple(size) != tuple(pretrained.get("input_size", ())[1:]):
        arguments["img_size"] = size[0] if size[0] == size[1] else list(size)
    yield f"{PREFIX}{name}.{tag}" if tag else f"{PREFIX}{name}", arguments


def are_alike(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    """Whether two networks compute the same once they have the same weights, for all that their parts tell."""
    weights, others = one.state_dict(), other.state_dict()
    if {name: item.shape for name, item in weights.items()} != {
        name: item.shape for name, item in others.items()
    }:
        return False
    parts, other_parts = _parts(one), _parts(other)
    if parts.keys() != other_parts.keys():
        return False
    return all(_is_like(parts[name], other_parts[name]) for name in parts)


def _parts(module: torch.nn.Module) -> dict[str, torch.nn.Module]:
    """The parts of a network but for those that do something in training alone."""
    parts = dict(module.named_modules())
    return {name: part for name, part in parts.items() if not type(part).__name__.startswith(_OF_TRAINING)}


def _is_like(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    hooks = [name for name in vars(one) if name.endswith("_hooks") and vars(one)[name]]
    if type(one) is not type(other) or hooks or "forward" in vars(one):
        return False
    return _plain_values(one) == _plain_values(other)


def _plain_values(module: torch.nn.Module) -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(module).items()
        if _is_plain(value) and not name.startswith("_") and name not in _NOT_COMPARED
    }


def _is_plain(value: Any) -> bool:
    return all(map(_is_plain, value)) if isinstance(value, (list, tuple)) else isinstance(value, _PLAIN)
