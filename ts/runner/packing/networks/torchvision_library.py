"""torchvision's networks by name, with weights, and what torchvision knows of how they are used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

import torch

from ts.handler_utils.images.steps import transform_arguments
from ts.handler_utils.models.formats.architecture import NORM_EPS, build, without_memory
from ts.handler_utils.models.formats.weights import load_weights
from ts.runner.packing.labels import of_list
from ts.runner.packing.networks.downloads import weights_file
from ts.runner.packing.networks.network import (
    ADVICE,
    AUXILIARY,
    Network,
    classes_of,
    existing_file,
    state_dict_of,
)

# Which handler serves a network of torchvision, by the module that makes it.
HANDLERS = {
    "torchvision.models.detection": "object_detector",
    "torchvision.models.segmentation": "image_segmenter",
    "torchvision.models.quantization": None,
    "torchvision.models.video": None,
    "torchvision.models.optical_flow": None,
    "torchvision.models": "image_classifier",
}

# What torchvision's own weights are computed with, and no state dict tells: so is what was made from them.
OF_OWN_WEIGHTS: dict[str, dict[str, Any]] = {
    "googlenet": {"transform_input": True},
    "inception_v3": {"transform_input": True},
    "fasterrcnn_resnet50_fpn": {NORM_EPS: 0.0},
    "maskrcnn_resnet50_fpn": {NORM_EPS: 0.0},
    "keypointrcnn_resnet50_fpn": {NORM_EPS: 0.0},
    "retinanet_resnet50_fpn": {NORM_EPS: 0.0},
}


def torchvision_network(name: str, weights: Optional[str], arguments: Mapping[str, Any]) -> Network:
    """See `ts.runner.packing.networks.named.named_network`."""
    from torchvision.models import get_model, get_model_weights

    handler = handler_of(name)
    members = {member.name: member for member in get_model_weights(name)}
    default = getattr(get_model_weights(name), "DEFAULT", None)
    member = member_named(weights, members, default)
    known = member or default
    categories = known.meta.get("categories", ()) if known else ()
    file = weights_file(member) if member else existing_file(weights, [*members, "DEFAULT"])
    state = state_dict_of(file, without_memory(name, {}))
    chosen = {**found_arguments(name, state, len(categories) or 1000), **arguments}
    if member and not arguments:
        module = without_auxiliary(get_model(name, weights=member, progress=False))
    else:
        module = build(name, chosen)
        load_weights(module, state, file.name, ADVICE.format(name))
    classes = chosen.get("num_classes", len(categories) or None)
    transform = known.transforms() if known else None
    return Network(
        architecture={"name": name, **chosen} if chosen else name,
        module=module.eval(),
        handler=handler,
        settings={} if handler == "object_detector" or known is None else transform_arguments(transform),
        labels=of_list(categories) if categories and classes == len(categories) else None,
        classes=classes,
        transform=transform,
        origin=str(known),
    )


def handler_of(name: str) -> str:
    """The handler that serves a network of torchvision.

    Raises:
        ValueError: none does.
    """
    from torchvision.models import get_model_builder

    module = get_model_builder(name).__module__
    handler = next(handler for prefix, handler in HANDLERS.items() if module.startswith(prefix))
    if handler is None:
        raise ValueError(
            f"it is of {module}, and handlers serve networks of images: torchvision's classifiers, detectors and"
            " segmenters, in float"
        )
    return handler


def member_named(weights: Optional[str], members: Mapping[str, Any], default: Any) -> Any:
    """The member of a weights enum that is asked for; None where a file is."""
    if weights is None or weights.upper() == "DEFAULT" or weights.upper().endswith(".DEFAULT"):
        if default is None:
            raise ValueError("torchvision has no weights of it: give a file by --weights")
        return default
    full_names = {str(member).upper(): member for member in members.values()}
    return members.get(weights.upper(), full_names.get(weights.upper()))


def found_arguments(name: str, weights: Mapping[str, Any], classes: int) -> dict[str, Any]:
    """The arguments of the network that weights are of."""
    own = without_memory(name, {}).state_dict()
    found = dict(OF_OWN_WEIGHTS.get(name, {}))
    if any(key.startswith(("aux1.", "AuxLogits.")) for key in own):
        found["aux_logits"] = False
    number = classes_of(own, weights, classes)
    return found if number in (None, classes) else {**found, "num_classes": number}


def without_auxiliary(module: torch.nn.Module) -> torch.nn.Module:
    """A network without the heads that training alone uses."""
    for name in {prefix.rstrip(".") for prefix in AUXILIARY} & dict(module.named_children()).keys():
        setattr(module, name, None)
    return module


def default_classes(name: str) -> int:
    """How many classes a network tells apart unless it is told otherwise."""
    from torchvision.models import get_model_weights

    known = next(iter(get_model_weights(name)), None)
    return len(known.meta.get("categories", ())) if known else 1000
