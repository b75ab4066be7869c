"""timm's networks by name, with weights, and what timm knows of how they are used."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

import torch

from ts.handler_utils.models.formats.architecture import build, without_memory
from ts.handler_utils.models.formats.timm_networks import (
    PREFIX,
    import_timm,
    labels_of,
    tags_of,
    transform_of,
)
from ts.handler_utils.models.formats.weights import load_weights
from ts.runner.errors import ArchiveError
from ts.runner.exporting.silence import only_errors
from ts.runner.packing.networks.network import ADVICE, Network, classes_of, existing_file, state_dict_of

logger = logging.getLogger(__name__)


def timm_network(name: str, weights: Optional[str], arguments: Mapping[str, Any]) -> Network:
    """See `ts.runner.packing.networks.named.named_network`."""
    tags = tags_of(name)
    if weights in tags:
        name, weights = f"{name.partition('.')[0]}.{weights}", None
    if weights is None or weights.upper() == "DEFAULT":
        module, chosen = pretrained(name, arguments), dict(arguments)
    else:
        module, chosen = of_file(name, existing_file(weights, [*tags, "DEFAULT"]), arguments)
    return described(module.eval(), name, chosen)


def described(module: torch.nn.Module, name: str, arguments: Mapping[str, Any]) -> Network:
    """A network that timm has made, with what timm knows of it.

    Args:
        module: the network.
        name: with the prefix.
        arguments: that it was made with.
    """
    from timm.data import create_transform, resolve_model_data_config

    settings = transform_of(module)
    size = settings["crop"] if isinstance(settings["crop"], list) else [settings["crop"]] * 2
    config = resolve_model_data_config(module, args={"input_size": (settings.get("channels", 3), *size)})
    classes = getattr(module, "num_classes", None)
    return Network(
        architecture={"name": name, **arguments} if arguments else name,
        module=module,
        handler="image_classifier" if classes else "embedder",
        settings=settings,
        labels=labels_of(module),
        classes=classes,
        transform=create_transform(**config, is_training=False),
        origin=f"timm's {name[len(PREFIX) :]}",
    )


def pretrained(name: str, arguments: Mapping[str, Any]) -> torch.nn.Module:
    """A network with its pretrained weights, which timm takes from its cache, or downloads.

    Raises:
        ArchiveError: they cannot be had.
    """
    timm, bare = import_timm(), name[len(PREFIX) :]
    config: Any = timm.models.get_pretrained_cfg(bare)
    place = config and (config.hf_hub_id or config.url)
    if not place:
        raise ValueError(f"timm has no weights of {bare}: give a file by --weights")
    size = sum(item.numel() for item in without_memory(name, arguments).parameters()) * 4e-6
    logger.warning("the weights %s (about %.0f MB) come from timm's cache, or are downloaded", place, size)
    try:
        with only_errors("huggingface_hub", "timm"):
            return timm.create_model(bare, pretrained=True, **arguments)
    except Exception as error:  # of huggingface_hub and what it is made of
        reason = " ".join(str(error).split())[:300].rstrip(".")
        raise ArchiveError(
            f"the weights {place} cannot be downloaded: {reason}. Get their file, and give it by --weights."
        ) from error


def of_file(name: str, file: Path, arguments: Mapping[str, Any]) -> tuple[torch.nn.Module, dict[str, Any]]:
    """A network with the weights of a file, and the arguments that it was made with."""
    module = build(name, arguments)
    weights = converted(module, state_dict_of(file, module))
    number = classes_of(module.state_dict(), weights, getattr(module, "num_classes", 0))
    if "num_classes" not in arguments and number not in (None, getattr(module, "num_classes", 0)):
        arguments = {**arguments, "num_classes": number}
        module = build(name, arguments)
    load_weights(module, weights, file.name, ADVICE.format(name))
    return module, dict(arguments)


def converted(module: torch.nn.Module, weights: Mapping[str, Any]) -> Mapping[str, Any]:
    """Weights by timm's names, where they have those of the network's authors."""
    convert = getattr(sys.modules[type(module).__module__], "checkpoint_filter_fn", None)
    if convert is None or {*weights} == {*module.state_dict()}:
        return weights
    try:
        return convert(dict(weights), module)
    except Exception:  # they are of another network, as loading them says
        return weights
