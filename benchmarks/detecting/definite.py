"""Detectors with random weights that find some objects: of themselves they find none, or all there are."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torchvision.models.detection import FCOS, RetinaNet
from torchvision.models.detection.ssd import SSD

DEVIATION = 3.0  # of the logits of a class: what is found is then told from what nearly is
PROPOSALS = 0.03  # of them is an object what a head for regions looks at
ANCHORS = 30  # of all there are in a photo lie upon an object


def sharpen(model: Any, images: list[torch.Tensor]) -> None:
    """Scales and shifts the class scores of one of torchvision's detectors, so that it is sure of a few objects.

    Most of what it looks at is then background, as in a photo: for a network with a class for the background that
    is likelier, and where each class has a probability of its own, all are unlikely.

    Args:
        model: in its evaluation mode.
        images: some of the kind that it is going to see: [3, H, W], in [0, 1].
    """
    heads, classes = scoring_layers(model)
    outputs = outputs_of(model, heads, images)
    logits = [centred(head, output, classes) for head, output in zip(heads, outputs)]
    if has_background(model):
        beyond = torch.cat([(each[..., 1:].amax(dim=-1) - each[..., 0]).flatten() for each in logits])
        count = len(images) * ANCHORS if isinstance(model, SSD) else int(PROPOSALS * len(beyond))
        shift, shifted = beyond.topk(count).values[-1], slice(None, None, classes)
    else:
        best = torch.cat([each.amax(dim=-1).flatten() for each in logits])
        shift, shifted = -best.topk(len(images) * ANCHORS).values[-1], slice(None)
    for head in heads:
        head.bias.data[shifted] += shift


def scoring_layers(model: Any) -> tuple[list[Any], int]:
    """The last layers of a detector's classification, one for each size of features, and the number of classes."""
    if hasattr(model, "roi_heads"):
        layer = model.roi_heads.box_predictor.cls_score
        return [layer], layer.out_features
    head = model.head.classification_head
    if isinstance(model, SSD):  # SSDlite's are convolutions in a row
        rows = head.module_list
        return [row[-1] if isinstance(row, nn.Sequential) else row for row in rows], head.num_columns
    return [head.cls_logits], head.num_classes


def has_background(model: Any) -> bool:
    """Whether one of the classes is "nothing"; else each class has a probability of its own."""
    return not isinstance(model, (RetinaNet, FCOS))


def outputs_of(model: Any, heads: list[Any], images: list[torch.Tensor]) -> list[torch.Tensor]:
    """What each of the layers says of the images: [places, anchors * classes]."""
    seen: dict[nn.Module, list[torch.Tensor]] = {head: [] for head in heads}

    def look(head: nn.Module, _: Any, output: torch.Tensor) -> None:
        seen[head].append(output if output.dim() == 2 else output.permute(0, 2, 3, 1).flatten(0, 2))

    hooks = [head.register_forward_hook(look) for head in heads]
    with torch.no_grad():
        model(images)
    for hook in hooks:
        hook.remove()
    return [torch.cat(seen[head]) for head in heads]


def centred(head: Any, output: torch.Tensor, classes: int) -> torch.Tensor:
    """Has a layer's logits mean 0 and the same deviation, and returns what they were then.

    Returns:
        Float [places, anchors, classes].
    """
    mean = output.mean(dim=0)
    scale = DEVIATION / output.std(dim=0).mean()
    head.bias.data = (head.bias.data - mean) * scale
    head.weight.data *= scale
    return ((output - mean) * scale).unflatten(1, (-1, classes))
