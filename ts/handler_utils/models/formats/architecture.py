"""A network of torchvision or timm by its name, for weights that come without a model file."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from ts.handler_utils.images.steps import UnknownStep
from ts.handler_utils.models.formats import timm_networks, torchvision_networks
from ts.handler_utils.models.formats.torchvision_networks import NORM_EPS
from ts.handler_utils.models.formats.weights import load_weights, read_weights

__all__ = [
    "NORM_EPS",
    "build",
    "check_architecture",
    "known_arguments",
    "known_of",
    "load_architecture",
    "parsed",
    "without_memory",
]


def is_of_timm(name: str) -> bool:
    """Whether a network is timm's, and not torchvision's."""
    return name.startswith(timm_networks.PREFIX)


def library_of(name: str) -> ModuleType:
    """The module that knows a network: `torchvision_networks` or `timm_networks`."""
    return timm_networks if is_of_timm(name) else torchvision_networks


def check_architecture(value: Any) -> str | dict[str, Any]:
    """Checks the setting `architecture`: a name, or a mapping of `name` and the network's arguments.

    Returns:
        The value as it is.

    Raises:
        ValueError: there is no such network, or it takes no such arguments; the message says which there are.
    """
    name, arguments = parsed(value)
    if is_of_timm(name):
        timm_networks.check_name(name)
    elif name not in torchvision_networks.names():
        nearest = difflib.get_close_matches(name, torchvision_networks.names(), n=3)
        hint = f"; the nearest are {', '.join(nearest)}" if nearest else ""
        timms = (
            f". timm's networks are named {timm_networks.PREFIX}NAME" if "/" in name or ":" in name else ""
        )
        raise ValueError(f"torchvision has no model {name!r}{hint}{timms}")
    if arguments:
        _check_arguments(name, arguments)
    return value


def parsed(value: Any) -> tuple[str, dict[str, Any]]:
    """The name and the arguments of a network."""
    if isinstance(value, str):
        return value, {}
    if isinstance(value, Mapping) and isinstance(value.get("name"), str):
        return value["name"], {key: item for key, item in value.items() if key != "name"}
    raise ValueError(
        "Input should be the name of a torchvision model, timm/NAME, or a mapping of `name` and the model's"
        " arguments"
    )


def _check_arguments(name: str, arguments: Mapping[str, Any]) -> None:
    known = known_arguments(name)
    unknown = [key for key in arguments if key not in known]
    if unknown:
        raise ValueError(f"{name} takes no {', '.join(map(str, unknown))}; it takes {', '.join(known)}")
    try:
        without_memory(name, arguments)
    except Exception as error:  # a constructor may raise anything
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise ValueError(
            f"{name} cannot be made with these arguments ({reason}); it takes {', '.join(known)}"
        ) from error


def known_arguments(name: str) -> list[str]:
    """The names of the arguments that a network takes: those of its builder, and of its class."""
    library = library_of(name)
    found = dict(library.builder_arguments(name))
    for kind in type(without_memory(name, {})).__mro__:
        parameters = inspect.signature(kind.__init__).parameters  # type: ignore[misc]  # of a class, on purpose
        found.update(parameters)
        if not any(item.kind in (item.VAR_KEYWORD, item.VAR_POSITIONAL) for item in parameters.values()):
            break  # what it does not know, it passes to none
    return [key for key in [*found, *library.ADDED_ARGUMENTS] if key not in library.NOT_ARGUMENTS]


def without_memory(name: str, arguments: Mapping[str, Any]) -> torch.nn.Module:
    """Makes a network as cheaply as can be, to see whether it can be made, and of which class it is."""
    try:
        with torch.device("meta"):
            return build(name, arguments)
    except (NotImplementedError, RuntimeError):  # some read a tensor as they are made, and so need real ones
        return build(name, arguments)


def build(name: str, arguments: Mapping[str, Any]) -> torch.nn.Module:
    """Makes a network by its name, with random weights; nothing is downloaded."""
    return library_of(name).build(name, arguments)


def load_architecture(
    architecture: str | Mapping[str, Any],
    weights: str | Path | None,
    device: Any,
    *,
    trust_pickle: bool = False,
) -> torch.nn.Module:
    """Makes a network by its name, and gives it the weights of a file.

    Args:
        architecture: the setting, as `check_architecture` takes it.
        weights: a state dict.
        device: where the weights go.
        trust_pickle: read any pickle, which runs its code; one of a whole model is the model.

    Raises:
        ValueError: there are no weights, or they are another network's.
    """
    name, arguments = parsed(architecture)
    if weights is None:
        raise ValueError(
            f"handler.architecture names {name}, but the archive has no weights for it: pack a state dict with"
            " torch-model-archiver --serialized-file. Weights are never downloaded."
        )
    loaded = read_weights(weights, device, trust_pickle=trust_pickle, mapped=True)
    if isinstance(loaded, torch.nn.Module):
        return loaded.to(device).eval()
    model = build(name, arguments)
    load_weights(model, loaded, Path(weights).name, _advice(name, model, loaded))
    return model.to(device).eval()


def known_of(
    architecture: str | Mapping[str, Any], model: Any, *, with_transform: bool
) -> tuple[Mapping[str, Any], dict[str, str] | None]:
    """What is known of a network beside its weights: its transform, as arguments, and its labels.

    Raises:
        ValueError: timm's own transform has a step that no setting stands for.
    """
    name, _ = parsed(architecture)
    if not is_of_timm(name) or not hasattr(model, "pretrained_cfg"):
        return {}, None
    if not with_transform:
        return {}, timm_networks.labels_of(model)
    try:
        return timm_networks.transform_of(model), timm_networks.labels_of(model)
    except UnknownStep as error:
        raise ValueError(
            f"{name}: {error} Set handler.resize and what else the model needs in model-config.yaml."
        ) from error


def _advice(name: str, model: torch.nn.Module, weights: Mapping[str, Any]) -> str:
    """What to do about weights that are not this network's."""
    known = known_arguments(name)
    differing = set(model.state_dict()) ^ set(weights)
    arguments = ("aux_loss", "aux_logits") if any("aux" in key for key in differing) else ("num_classes",)
    helpful = [key for key in arguments if key in known]
    example = f"; its arguments can be given too: architecture: {{name: {name}, {', '.join(helpful)}: ...}}"
    return f"Name the architecture that the weights are of{example if helpful else ''}."
