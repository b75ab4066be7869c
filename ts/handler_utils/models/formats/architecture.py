"""A network of torchvision by its name, for weights that come without a model file."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torchvision.models import get_model, get_model_builder, list_models

from ts.handler_utils.models.formats.weights import load_weights, read_weights

# An argument of our own. torchvision's COCO_V1 detectors compute with 0.0, which no state dict tells.
NORM_EPS = "batch_norm_eps"

# What torchvision would download, or print.
_NOT_ARGUMENTS = ("self", "weights", "weights_backbone", "progress", "args", "kwargs")


def check_architecture(value: Any) -> str | dict[str, Any]:
    """Checks the setting `architecture`: a name, or a mapping of `name` and the network's arguments.

    Returns:
        The value as it is.

    Raises:
        ValueError: torchvision has no such network, or it takes no such arguments; the message says which it has.
    """
    name, arguments = _parsed(value)
    if name not in list_models():
        nearest = difflib.get_close_matches(name, list_models(), n=3)
        hint = f"; the nearest are {', '.join(nearest)}" if nearest else ""
        raise ValueError(f"torchvision has no model {name!r}{hint}")
    if arguments:
        _check_arguments(name, arguments)
    return value


def _parsed(value: Any) -> tuple[str, dict[str, Any]]:
    if isinstance(value, str):
        return value, {}
    if isinstance(value, Mapping) and isinstance(value.get("name"), str):
        return value["name"], {key: item for key, item in value.items() if key != "name"}
    raise ValueError(
        "Input should be the name of a torchvision model, or a mapping of `name` and the model's arguments"
    )


def _check_arguments(name: str, arguments: Mapping[str, Any]) -> None:
    known = known_arguments(name)
    unknown = [key for key in arguments if key not in known]
    if unknown:
        raise ValueError(f"{name} takes no {', '.join(map(str, unknown))}; it takes {', '.join(known)}")
    try:
        _without_memory(name, arguments)
    except Exception as error:  # a constructor may raise anything
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise ValueError(
            f"{name} cannot be made with these arguments ({reason}); it takes {', '.join(known)}"
        ) from error


def known_arguments(name: str) -> list[str]:
    """The names of the arguments that a network takes: those of its builder, and of its class."""
    found = dict(inspect.signature(get_model_builder(name)).parameters)
    for kind in type(_without_memory(name, {})).__mro__:
        parameters = inspect.signature(kind.__init__).parameters  # type: ignore[misc]  # of a class, on purpose
        found.update(parameters)
        if not any(item.kind in (item.VAR_KEYWORD, item.VAR_POSITIONAL) for item in parameters.values()):
            break  # what it does not know, it passes to none
    return [key for key in [*found, NORM_EPS] if key not in _NOT_ARGUMENTS]


def _without_memory(name: str, arguments: Mapping[str, Any]) -> torch.nn.Module:
    """Makes a network as cheaply as can be, to see whether it can be made, and of which class it is."""
    try:
        with torch.device("meta"):
            return build(name, arguments)
    except NotImplementedError:  # some read a tensor as they are made, and so need real ones
        return build(name, arguments)


def build(name: str, arguments: Mapping[str, Any]) -> torch.nn.Module:
    """Makes a network of torchvision, with random weights; nothing is downloaded."""
    builder = inspect.signature(get_model_builder(name)).parameters
    options = {key: value for key, value in arguments.items() if key != NORM_EPS}
    if "weights_backbone" in builder:
        options["weights_backbone"] = None
    if name in ("googlenet", "inception_v3"):
        options.setdefault("init_weights", False)  # which takes long, and is lost when the weights are read
    model = get_model(name, weights=None, **options)
    if NORM_EPS in arguments:
        _set_norm_eps(model, float(arguments[NORM_EPS]))
    return model


def _set_norm_eps(model: torch.nn.Module, eps: float) -> None:
    for module in model.modules():
        if "BatchNorm" in type(module).__name__:
            module.eps = eps  # type: ignore[assignment]  # the stubs take it for a part


def load_architecture(
    architecture: str | Mapping[str, Any],
    weights: str | Path | None,
    device: Any,
    *,
    trust_pickle: bool = False,
) -> torch.nn.Module:
    """Makes a network of torchvision, and gives it the weights of a file.

    Args:
        architecture: the setting, as `check_architecture` takes it.
        weights: a state dict.
        device: where the weights go.
        trust_pickle: read any pickle, which runs its code; one of a whole model is the model.

    Raises:
        ValueError: there are no weights, or they are another network's.
    """
    name, arguments = _parsed(architecture)
    if weights is None:
        raise ValueError(
            f"handler.architecture names {name}, but the archive has no weights for it: pack a state dict with"
            " torch-model-archiver --serialized-file. Weights are never downloaded."
        )
    loaded = read_weights(weights, device, trust_pickle=trust_pickle)
    if isinstance(loaded, torch.nn.Module):
        return loaded.to(device).eval()
    model = build(name, arguments)
    load_weights(model, loaded, Path(weights).name, _advice(name, model, loaded))
    return model.to(device).eval()


def _advice(name: str, model: torch.nn.Module, weights: Mapping[str, Any]) -> str:
    """What to do about weights that are not this network's."""
    known = known_arguments(name)
    differing = set(model.state_dict()) ^ set(weights)
    arguments = ("aux_loss", "aux_logits") if any("aux" in key for key in differing) else ("num_classes",)
    helpful = [key for key in arguments if key in known]
    example = f"; its arguments can be given too: architecture: {{name: {name}, {', '.join(helpful)}: ...}}"
    return f"Name the architecture that the weights are of{example if helpful else ''}."
