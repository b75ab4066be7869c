"""timm's networks by their names, `timm/resnet50.a1_in1k`, with what timm knows of them beside their weights.

timm is imported where it is used: it takes seconds, and is an extra.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Optional

import torch

from ts.handler_utils.images.steps import transform_arguments

PREFIX = "timm/"
LIBRARY = "timm"
ADDED_ARGUMENTS = ()

# What would be downloaded or read from elsewhere, and what makes no classifier of the network.
NOT_ARGUMENTS = (
    *(
        "self",
        "args",
        "kwargs",
        "pretrained",
        "pretrained_cfg",
        "pretrained_cfg_overlay",
        "pretrained_strict",
    ),
    *("checkpoint_path", "cache_dir", "scriptable", "exportable", "no_jit", "features_only"),
)


def import_timm() -> ModuleType:
    """timm.

    Raises:
        ValueError: it is not installed.
    """
    try:
        import timm
    except ImportError as error:
        raise ValueError(
            f"networks named {PREFIX}... need timm: pip install 'torchserve-handlers[timm]' ({error})"
        ) from error
    return timm


def names() -> list[str]:
    """The names of all networks, with the prefix and without tags."""
    return [f"{PREFIX}{name}" for name in import_timm().list_models()]


def check_name(name: str) -> None:
    """Refuses a name that timm has not, or whose weights it would download.

    Args:
        name: of the network, with the prefix; a tag of pretrained weights may follow, as in timm/resnet50.a1_in1k.

    Raises:
        ValueError: the message names the nearest.
    """
    timm, bare = import_timm(), name[len(PREFIX) :]
    if ":" in bare or "/" in bare:
        raise ValueError(
            f"{bare!r} names a place to load from, and nothing is downloaded: name the network, such as"
            " timm/resnet50.a1_in1k, and pack its weights"
        )
    network, _, tag = bare.partition(".")
    if not timm.is_model(network):
        raise ValueError(f"timm has no model {network!r}{_nearest(network, timm.list_models())}")
    if tag:
        tags = tags_of(bare)
        if tag not in tags:
            raise ValueError(f"timm has no weights {tag!r} of {network}{_nearest(tag, tags)}")


def tags_of(name: str) -> list[str]:
    """The tags of the pretrained weights of a network."""
    network = name[len(PREFIX) :] if name.startswith(PREFIX) else name
    network = network.partition(".")[0]
    return [found.partition(".")[2] for found in import_timm().list_pretrained(f"{network}.*")]


def _nearest(name: str, known: list[str]) -> str:
    nearest = difflib.get_close_matches(name, known, n=3) or (known if len(known) <= 5 else [])
    return f"; the nearest are {', '.join(nearest)}" if nearest else ""


def builder_arguments(name: str) -> Mapping[str, inspect.Parameter]:
    """What the function takes that makes a network."""
    from timm.models import model_entrypoint

    return inspect.signature(model_entrypoint(name[len(PREFIX) :].partition(".")[0])).parameters


def build(name: str, arguments: Mapping[str, Any]) -> torch.nn.Module:
    """Makes a network, with random weights; nothing is downloaded."""
    return import_timm().create_model(name[len(PREFIX) :], pretrained=False, **arguments)


def transform_of(model: torch.nn.Module) -> dict[str, Any]:
    """The arguments of `ImageTransform` that say what timm's own transform of a network's weights does.

    Raises:
        UnknownStep: it has a step that no argument stands for.
    """
    from timm.data import create_transform, resolve_model_data_config

    config = resolve_model_data_config(model, args=_own_input(model))
    channels = config["input_size"][0]
    arguments = transform_arguments(create_transform(**config, is_training=False))
    return {**arguments, "channels": channels} if channels in (1, 3) else arguments


def _own_input(model: torch.nn.Module) -> dict[str, Any]:
    """The input of a network that was made for another size, or other channels, than its pretrained weights."""
    pretrained: Any = getattr(model, "pretrained_cfg", None) or {}
    channels, *size = pretrained.get("input_size", (3, 224, 224))
    first = pretrained.get("first_conv")
    parts = dict(model.named_modules())
    channels = getattr(parts.get(first if isinstance(first, str) else ""), "in_channels", channels)
    made_for = getattr(getattr(model, "patch_embed", None), "img_size", None)
    return {"input_size": (channels, *(made_for or size))}


def labels_of(model: torch.nn.Module) -> Optional[dict[str, str]]:
    """timm's own labels, by class index, of a network with the classes of its pretrained weights."""
    from timm.data import ImageNetInfo, infer_imagenet_subset

    pretrained: Any = getattr(model, "pretrained_cfg", None) or {}
    subset = infer_imagenet_subset(pretrained)
    if subset is None or getattr(model, "num_classes", None) != pretrained["num_classes"]:
        return None
    return {str(index): label for index, label in enumerate(ImageNetInfo(subset).label_descriptions())}
